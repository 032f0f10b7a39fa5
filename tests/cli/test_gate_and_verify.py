from __future__ import annotations

import hashlib
import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import weighbridge
from tests.builders import Scene, make_keys, make_record
from tests.cli.conftest import Shell
from weighbridge.clock import parse_instant
from weighbridge.evidence.record import CheckName, Finding, Severity
from weighbridge.model.digest import Digest

GATE = ("gate", "model", "--policy", "policy.yaml", "--trust", "trust.yaml")
SIGNED = (*GATE, "--key", "keys/verifier.key")
VERDICT = "model.verdict.sigstore.json"
UNNAMED = ("verify", "model", "--verdict", VERDICT, "--trust", "trust.yaml")
VERIFY = (*UNNAMED, "--policy", "policy.yaml")


def test_good_model_passes_and_verifies(judged: Scene, shell: Shell) -> None:
    gate = shell.run(*SIGNED)
    assert (gate.code, gate.err) == (0, "")
    assert gate.out.endswith(f"\nverdict: {shell.directory / VERDICT}\n")
    assert "Verdict: passed" in gate.out
    verify = shell.run(*VERIFY)
    assert verify.code == 0
    assert str(judged.digest) in verify.out
    answer = json.loads(shell.run(*VERIFY, "--format", "json").out)
    assert answer["verified"] is True


def test_one_changed_byte_is_refused(judged: Scene, shell: Shell) -> None:
    assert shell.run(*SIGNED).code == 0
    (judged.model / "a.bin").write_bytes(b"weightz")
    verify = shell.run(*VERIFY)
    assert verify.code == 1
    assert verify.err == ""
    assert "refused: these are other files: 'a.bin' was changed; the verdict is about dirHash:" in verify.out
    assert shell.run(*SIGNED).code == 2
    assert shell.run(*VERIFY).code == 1
    answer = json.loads(shell.run(*VERIFY, "--format", "json").out)
    assert answer["verified"] is False


def test_a_mismatch_names_the_files_that_differ_and_what_to_do(judged: Scene, shell: Shell) -> None:
    # sigstore/model-transparency #487 (which file differs?), and #22, #374, #453 (.git in a model).
    assert shell.run(*SIGNED).code == 0
    (judged.model / "a.bin").write_bytes(b"weightz")
    (judged.model / ".DS_Store").write_bytes(b"")
    (judged.model / ".git").mkdir()
    (judged.model / ".git" / "index").write_bytes(b"")
    verify = shell.run(*VERIFY)
    assert (verify.code, verify.err) == (1, "")
    assert "'a.bin' was changed, '.DS_Store' was added and '.git/index' was added" in verify.out
    assert "git archive HEAD | tar -x -C DIR" in verify.out
    assert "delete .DS_Store" in verify.out
    (shell.directory / "evidence").rename(shell.directory / "elsewhere")
    silent = shell.run(*VERIFY)
    assert "a.bin" not in silent.out
    assert "Trusted evidence of the judged model would say which files differ" in silent.out
    named = json.loads(shell.run(*VERIFY, "--evidence", "elsewhere", "--format", "json").out)
    assert "'a.bin' was changed" in named["reason"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("changed", "these are other files: 'a.bin' was changed; "),
        ("added", "these are other files: '.gitattributes' was added; "),
        ("missing", "these are other files: 'a.bin' was removed; "),
        ("renamed", "these are other files: 'a.bin' was renamed to 'b.bin'; "),
    ],
)
def test_a_refusal_begins_with_the_file_that_differs(judged: Scene, shell: Shell, change: str, said: str) -> None:
    assert shell.run(*SIGNED).code == 0
    file = judged.model / "a.bin"
    match change:
        case "changed":
            file.write_bytes(b"weightz")
        case "added":
            (judged.model / ".gitattributes").write_text("*.bin filter=lfs\n")
        case "missing":
            file.unlink()
        case _:
            file.rename(judged.model / "b.bin")
    verify = shell.run(*VERIFY)
    assert (verify.code, verify.err) == (1, "")
    assert verify.out.startswith(f"refused: {said}the verdict is about dirHash:")


def test_files_are_named_as_well_by_the_evidence_that_lies_beside_the_verdict(judged: Scene, shell: Shell) -> None:
    assert shell.run(*SIGNED).code == 0
    there = shell.directory / "downloaded"
    there.mkdir()
    judged.model.rename(there / "model")
    (there / "model" / ".gitattributes").write_text("*.bin filter=lfs\n")
    verify = shell.run("verify", "downloaded/model", *VERIFY[2:])
    assert verify.code == 1
    assert "'.gitattributes' was added" in verify.out


def test_a_failed_judgement_replaces_an_earlier_verdict(judged: Scene, shell: Shell) -> None:
    assert shell.run(*SIGNED).code == 0
    bad = Finding(rule="forbidden-global", severity=Severity.CRITICAL, message="os.system", location="a", remedy="no")
    record = make_record(CheckName.MODEL_SCAN, findings=(bad,), finished=_later(judged))
    (shell.directory / "evidence" / "later.sigstore.json").write_bytes(judged.sign(record))
    gate = shell.run(*SIGNED)
    assert gate.code == 1
    assert "os.system" in gate.out
    assert shell.run(*VERIFY).code == 1


def _later(scene: Scene) -> datetime:
    return parse_instant(scene.records[CheckName.MODEL_SCAN].finished, what="x") + timedelta(seconds=1)


def test_a_report_gives_the_remedy_that_belongs_to_the_reason(judged: Scene, shell: Shell) -> None:
    # Not trusted, and about another model: the reason is the first, so the remedy must be.
    stranger = Scene(judged.model, keys=make_keys())
    data = stranger.sign(make_record(CheckName.MODEL_SCAN), digest=Digest("0" * 64))
    (shell.directory / "evidence" / "stranger.sigstore.json").write_bytes(data)
    report = json.loads(shell.run(*GATE, "--format", "json").out)
    (rejected,) = [item for item in report["rejected"] if item["source"] == "stranger.sigstore.json"]
    assert "no trusted key signed it" in rejected["reason"]
    assert "trust document" in rejected["remedy"]


@pytest.mark.usefixtures("judged")
def test_without_a_key_nothing_is_written(shell: Shell) -> None:
    gate = shell.run(*GATE)
    assert gate.code == 0
    assert "no verdict was written" in gate.out
    assert not (shell.directory / VERDICT).exists()


def test_explain_names_file_key_line_and_remedy(judged: Scene, shell: Shell) -> None:
    (shell.directory / "evidence" / "leakage.sigstore.json").unlink()
    gate = shell.run(*GATE, "--explain")
    assert gate.code == 2
    assert f"signed by scanner with {judged.keys['scanner'].public.id}" in gate.out
    assert "undecided leakage (policy.yaml:18): there is no evidence of leakage" in gate.out
    assert "next step: run `weighbridge leakage MODEL --members FILE --non-members FILE --key KEY`" in gate.out


@pytest.mark.parametrize("name", ["report.html", "report.md", "report.sarif", "report.xml", "report.json"])
def test_writes_reports(judged: Scene, shell: Shell, name: str) -> None:
    assert shell.run(*SIGNED, "--report", name).code == 0
    assert judged.digest.hex[:12] in (shell.directory / name).read_text()
    again = shell.run("report", "evidence", "--model", "model", "-o", f"unjudged-{name}")
    assert (again.code, again.err) == (0, "")
    assert (shell.directory / f"unjudged-{name}").stat().st_size > 0


@pytest.mark.usefixtures("judged")
def test_gate_refuses_evidence_inside_the_model(shell: Shell) -> None:
    gate = shell.run(*SIGNED, "--evidence", "model/evidence")
    assert gate.code == 64
    assert "inside the model" in gate.err


@pytest.mark.parametrize("option", ["-o", "--report"])
@pytest.mark.parametrize("place", ["model/a.bin", "model/new.json", "model"])
def test_gate_writes_nothing_into_the_model(judged: Scene, shell: Shell, option: str, place: str) -> None:
    before = judged.digest
    gate = shell.run(*SIGNED, option, place)
    assert gate.code == 64
    assert "inside the model" in gate.err
    assert judged.digest == before


def test_nothing_of_a_snapshot_is_judged_over_its_own_blobs(judged: Scene, shell: Shell, tmp_path: Path) -> None:
    snapshot = tmp_path / "models--org--name" / "snapshots" / "r1"
    blobs = tmp_path / "models--org--name" / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for file in judged.model.iterdir():
        blob = hashlib.sha256(file.read_bytes()).hexdigest()
        (blobs / blob).write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(f"../../blobs/{blob}")
    before = {path.name: path.read_bytes() for path in blobs.iterdir()}
    signed = ("gate", snapshot, *SIGNED[2:])

    for option in ("-o", "--report"):
        result = shell.run(*signed, option, next(blobs.iterdir()))
        assert result.code == 64
        assert "choose a place outside of the Hub's cache" in result.err
    assert {path.name: path.read_bytes() for path in blobs.iterdir()} == before

    assert shell.run(*signed).code == 0
    assert (tmp_path / "org--name-r1.verdict.sigstore.json").exists()
    assert [path.name for path in snapshot.parent.iterdir()] == ["r1"]


@pytest.mark.usefixtures("judged")
def test_gate_refuses_a_report_of_no_format_before_it_signs(shell: Shell) -> None:
    gate = shell.run(*SIGNED, "--report", "report.doc")
    assert gate.code == 64
    assert not (shell.directory / VERDICT).exists()


@pytest.mark.usefixtures("judged")
def test_gate_signs_no_verdict_with_a_key_that_nobody_would_accept(shell: Shell) -> None:
    gate = shell.run(*GATE, "--key", "keys/scanner.key")
    assert (gate.code, gate.out) == (2, "")
    assert "may not sign verdict" in gate.err
    assert not (shell.directory / VERDICT).exists()


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("place", [".", "/", "policy.yaml/x", "nowhere/x", "n" * 300])
def test_a_verdict_with_no_place_is_a_clear_error(shell: Shell, place: str) -> None:
    gate = shell.run(*SIGNED, "-o", place)
    assert gate.code == 2
    assert "cannot be written" in gate.err
    assert "next step" in gate.err
    assert not list(shell.directory.glob(".weighbridge-*"))


@pytest.mark.usefixtures("judged")
def test_a_wrong_passphrase_is_refused(shell: Shell) -> None:
    gate = shell.run(*SIGNED, WEIGHBRIDGE_PASSPHRASE="wrong")
    assert gate.code == 2
    assert "cannot be decrypted" in gate.err
    (shell.directory / "passphrase").write_text("correct horse battery\n")
    assert shell.run(*SIGNED, "--passphrase-file", "passphrase", WEIGHBRIDGE_PASSPHRASE="").code == 0
    nothing = shell.run(*SIGNED, WEIGHBRIDGE_PASSPHRASE="")
    assert nothing.code == 2
    assert "no passphrase" in nothing.err


@pytest.mark.usefixtures("judged")
def test_verify_takes_no_policy_that_nobody_named(shell: Shell) -> None:
    assert shell.run(*SIGNED).code == 0
    refused = shell.run(*UNNAMED)
    assert (refused.code, refused.err) == (1, "")
    assert "production (mode enforce) sha256:" in refused.out
    assert "weighbridge trust policy TRUST FILE" in refused.out
    unsafe = shell.run(*UNNAMED, "--any-policy")
    assert unsafe.code == 0
    assert "whatever policy" in unsafe.err
    assert shell.run(*VERIFY, "--any-policy").code == 64
    assert shell.run("trust", "policy", "trust.yaml", "policy.yaml").code == 0
    assert shell.run(*UNNAMED).code == 0
    assert "policy production (mode enforce) sha256:" in shell.run(*UNNAMED).out


@pytest.mark.usefixtures("judged")
def test_a_policy_of_ones_own_that_asks_for_next_to_nothing_gets_nobody_past_verify(shell: Shell) -> None:
    """The way of a forbidden pickle: a self-named production policy with weak limits, judged by the real gate."""
    weak = (
        "apiVersion: weighbridge.dev/v1alpha1\nkind: ModelPolicy\nmetadata: {name: production}\nspec:\n"
        "  mode: audit\n  requirements:\n    - {check: model-scan, signers: [scanner]}\n"
    )
    (shell.directory / "own.yaml").write_text(weak)
    own = ("gate", "model", "--policy", "own.yaml", "--trust", "trust.yaml", "--key", "keys/verifier.key")
    assert shell.run(*own).code == 0
    assert "nobody says that this policy counts" in shell.run(*UNNAMED).out
    assert "was judged by the policy production" in shell.run(*VERIFY).out
    (shell.directory / "own.yaml").write_text(weak.replace("signers: [scanner]", "signers: [scanner], maxAge: 99999w"))
    assert "asks for next to nothing" in shell.run(*own).err


def test_library_call_says_the_same(judged: Scene, shell: Shell) -> None:
    assert shell.run(*SIGNED).code == 0
    verdict, trust, policy = (shell.directory / name for name in (VERDICT, "trust.yaml", "policy.yaml"))
    assert weighbridge.verify(judged.model, verdict=verdict, trust=trust, policy=policy).model == judged.digest
    with pytest.raises(weighbridge.VerificationError, match="nobody says that this policy counts"):
        weighbridge.verify(judged.model, verdict=verdict, trust=trust)
    any_policy = weighbridge.UnsafeAnyPolicy()
    assert weighbridge.verify(judged.model, verdict=verdict, trust=trust, policy=any_policy).model == judged.digest
    (judged.model / "extra").write_bytes(b"")
    with pytest.raises(weighbridge.VerificationError, match="'extra' was added"):
        weighbridge.verify(judged.model, verdict=verdict, trust=trust, policy=policy)


BAD = [
    ("model is missing", lambda d: _remove(d / "model"), "cannot be read"),
    ("policy is missing", lambda d: (d / "policy.yaml").unlink(), "policy.yaml cannot be read"),
    ("trust is missing", lambda d: (d / "trust.yaml").unlink(), "trust.yaml cannot be read"),
    ("evidence is missing", lambda d: _remove(d / "evidence"), "evidence"),
    ("key is missing", lambda d: (d / "keys" / "verifier.key").unlink(), "verifier.key cannot be read"),
    ("key is garbage", lambda d: (d / "keys" / "verifier.key").write_text("x"), "cannot be decrypted"),
    ("policy is a directory", lambda d: ((d / "policy.yaml").unlink(), (d / "policy.yaml").mkdir()), "cannot be read"),
    ("policy is binary", lambda d: (d / "policy.yaml").write_bytes(b"\xff\xfe\x00"), "not UTF-8"),
    ("policy is truncated", lambda d: (d / "policy.yaml").write_text("spec: [1,"), "policy.yaml:1"),
    ("policy has a wrong type", lambda d: _edit(d / "policy.yaml", "maxAge: 30d", "maxAge: 30"), "policy.yaml:8"),
    ("policy is a bomb", lambda d: (d / "policy.yaml").write_text("a: &a [x]\nb: [*a,*a]"), "anchors and aliases"),
    ("policy is empty", lambda d: (d / "policy.yaml").write_text(""), "is empty"),
    (
        "trust has an unknown field",
        lambda d: _edit(d / "trust.yaml", "  version:", "  extra: 1\n  version:"),
        "unknown field",
    ),
]


def _remove(path: Path) -> None:
    for item in path.iterdir():
        item.unlink()
    path.rmdir()


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize(("title", "spoil", "words"), BAD, ids=[item[0] for item in BAD])
def test_bad_input_is_a_clear_error(shell: Shell, title: str, spoil: object, words: str) -> None:
    assert callable(spoil)
    spoil(shell.directory)
    gate = shell.run(*SIGNED)
    assert gate.code == 2, title
    assert gate.out == ""
    assert words in gate.err
    assert not (shell.directory / VERDICT).exists()


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d[:-40],
        lambda d: d[: len(d) // 2],
        lambda d: b"",
        lambda d: b"{}",
        lambda d: d.replace(b"1", b"2"),
        lambda d: d + d,
    ],
)
def test_a_spoilt_verdict_is_refused(shell: Shell, spoil: object) -> None:
    assert callable(spoil)
    assert shell.run(*SIGNED).code == 0
    path = shell.directory / VERDICT
    path.write_bytes(spoil(path.read_bytes()))
    assert shell.run(*VERIFY).code in (1, 2)


@pytest.mark.usefixtures("judged")
def test_spoilt_evidence_never_passes(shell: Shell) -> None:
    path = shell.directory / "evidence" / "model-scan.sigstore.json"
    good = path.read_bytes()
    for bad in (good[:-20], b"", b"[]", b"\x00" * 10, good.replace(b"mediaType", b"mediatype")):
        path.write_bytes(bad)
        gate = shell.run(*GATE, "--explain")
        assert gate.code == 2
        assert "model-scan.sigstore.json" in gate.out
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert shell.run(*GATE).code == 2


@pytest.mark.usefixtures("judged")
@pytest.mark.root
@pytest.mark.parametrize("options", ["size=4k", "ro"])
def test_a_verdict_that_cannot_be_written_leaves_nothing(shell: Shell, options: str) -> None:
    out = shell.directory / "out"
    out.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(out)], check=True)
    try:
        if options != "ro":
            (out / "filler").write_bytes(b"0" * 4096)
        gate = shell.run(*SIGNED, "-o", "out/v.json")
        assert gate.code == 2
        assert "cannot be written" in gate.err
        assert [item.name for item in out.iterdir() if item.name != "filler"] == []
    finally:
        subprocess.run(["umount", str(out)], check=True)


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("role", ["scanner", "tester", "auditor"])
def test_a_key_that_may_not_sign_verdicts_writes_none(shell: Shell, role: str) -> None:
    gate = shell.run(*GATE, "--key", f"keys/{role}.key")
    assert gate.code == 2
    assert "may not sign verdict" in gate.err
    assert not (shell.directory / VERDICT).exists()


@pytest.mark.usefixtures("judged")
def test_files_in_each_others_place_are_named(shell: Shell) -> None:
    swapped = shell.run("gate", "model", "--policy", "trust.yaml", "--trust", "policy.yaml")
    assert swapped.code == 2
    assert "trust.yaml:2: this is ModelTrust, expected ModelPolicy" in swapped.err
    assert "next step: give a file of `kind: ModelPolicy`" in swapped.err
    verify = shell.run("verify", "model", "--verdict", "policy.yaml", "--trust", "trust.yaml")
    assert verify.code == 2
    assert "next step: give a file that weighbridge signed" in verify.err


@pytest.mark.usefixtures("judged")
def test_an_empty_evidence_directory_is_named(shell: Shell) -> None:
    (shell.directory / "elsewhere").mkdir()
    gate = shell.run(*GATE, "--evidence", "elsewhere")
    assert gate.code == 2
    assert "note: elsewhere holds no evidence" in gate.err


def test_a_revoked_model_failed(judged: Scene, shell: Shell) -> None:
    assert shell.run("trust", "revoke", "trust.yaml", str(judged.digest), "--reason", "backdoor").code == 0
    gate = shell.run(*SIGNED, "--explain")
    assert gate.code == 1
    assert "backdoor" in gate.out
    verify = shell.run(*VERIFY)
    assert verify.code == 1
    assert "backdoor" in verify.out
