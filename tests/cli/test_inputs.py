"""The commands around inputs, as their users call them: bind, sign, run, and see what a weak word costs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.attacks.dependencies import install
from tests.builders import Scene
from tests.cli.conftest import Shell
from weighbridge.evidence.bundle import read_bundle
from weighbridge.evidence.inputs import signatures_beside
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.statement import Statement
from weighbridge.evidence.store import DirectoryStore
from weighbridge.evidence.tries import read_reset, tries_in

pytestmark = pytest.mark.landlock

ROLES = ("scanner", "auditor", "tester", "verifier")
RUN = (
    *("run", "model", "--policy", "policy.yaml", "--trust", "trust.yaml"),
    *("--keys", "keys", "--passphrase-file", "passphrases", "-r", "requirements.txt"),
)
RECORD = {
    "id": "PYSEC-2026-1",
    "modified": "2026-11-01T00:00:00Z",
    "affected": [{"package": {"ecosystem": "PyPI", "name": "no-such-package"}, "versions": ["1.0"]}],
}


@pytest.fixture
def site(shell: Shell) -> Shell:
    """A model, requirements with known vulnerabilities, keys, trust, and a bundle of one harmless record."""
    directory = shell.directory
    (directory / "model").mkdir()
    (directory / "model" / "config.json").write_text('{"layers": 2}')
    (directory / "requirements.txt").write_text("pillow==9.0.0\n")
    (directory / "records").mkdir()
    (directory / "records" / "one.json").write_text(json.dumps(RECORD))
    for arguments in (
        ("keys", "new", *ROLES, "curator", "-o", "keys", "--passphrases", "passphrases"),
        ("trust", "init", "trust.yaml", "--keys", "keys"),
        ("advisories", "build", "records", "-o", "tiny.jsonl.gz", "--date", "2026-11-24"),
    ):
        done = shell.run(*arguments)
        assert done.code == 0, done.err
    return shell


def new_policy(shell: Shell, *arguments: str) -> None:
    old = ("--accept-old-advisories", "a test", "--owner", "tests")
    done = shell.run("policy", "new", "policy.yaml", "-r", "requirements.txt", *old, *arguments)
    assert done.code == 0, done.err


def test_advisories_of_ones_own_hide_nothing(site: Shell) -> None:
    """A bundle of one record about another package, dated today, finds nothing in a lock full of findings."""
    new_policy(site)
    honest = site.run(*RUN, "-o", "honest.json")
    assert honest.code == 1
    assert "PYSEC" in honest.out
    lied = site.run(*RUN, "--advisories", "tiny.jsonl.gz", "--evidence", "other", "-o", "lied.json")
    assert lied.code == 2
    assert "the advisories tiny.jsonl.gz" in lied.out
    assert "that the policy names by digest" in lied.out


def test_one_clean_line_is_not_what_was_bound(site: Shell) -> None:
    new_policy(site)
    (site.directory / "requirements.txt").write_text("six==1.17.0\n")
    done = site.run(*RUN)
    assert done.code == 2
    assert "the requirements requirements.txt" in done.out


def test_unbound_is_said_first_wherever_the_result_is_shown(site: Shell) -> None:
    new_policy(site, "--advisories", "tiny.jsonl.gz")
    bound = site.run(*RUN, "--advisories", "tiny.jsonl.gz", "--evidence", "a", "-o", "a.json")
    assert bound.code == 0
    assert "mind:" not in bound.out
    assert site.run("policy", "bind", "policy.yaml", "--unbound", "advisories").code == 0
    done = site.run(*RUN, "--advisories", "tiny.jsonl.gz", "--evidence", "b", "-o", "b.json", "--report", "b.html")
    assert done.code == 0
    assert done.out.startswith("mind: nothing binds the advisories tiny.jsonl.gz")
    assert "nothing binds the advisories" in (site.directory / "b.html").read_text()
    named = ("--trust", "trust.yaml", "--policy", "policy.yaml")
    verified = site.run("verify", "model", "--verdict", "b.json", *named)
    assert verified.code == 0
    assert verified.out.startswith("mind: nothing binds the advisories")
    answer = json.loads(site.run("verify", "model", "--verdict", "b.json", *named, "--format", "json").out)
    assert len(answer["weaknesses"]) == 1
    assert "UNBOUND" in site.run("policy", "show", "policy.yaml").out


def test_signed_advisories_count_from_beside_the_bundle(site: Shell) -> None:
    new_policy(site)
    assert site.run("policy", "bind", "policy.yaml", "--signed", "advisories=curator").code == 0
    run = (*RUN, "--advisories", "tiny.jsonl.gz")
    unsigned = site.run(*run, "--evidence", "a", "-o", "a.json")
    assert unsigned.code == 2
    assert "the policy wants it from curator" in " ".join(unsigned.out.split())
    key = ("--key", "keys/curator.key", "--passphrase-file", "passphrases")
    assert site.run("advisories", "sign", "tiny.jsonl.gz", *key).code == 0
    again = site.run("advisories", "sign", "tiny.jsonl.gz", *key)
    assert again.code == 2
    assert (site.directory / "tiny.jsonl.gz.sigstore.json").is_file()
    done = site.run(*run, "--evidence", "b", "-o", "b.json", "--explain")
    assert done.code == 0, done.out + done.err
    assert "signed input: " in done.err
    assert "bound by: signed by curator" in done.out
    assert [path.name for path in (site.directory / "b").iterdir() if path.name.startswith("input-")]
    # Run again, the same signature is not written twice.
    assert site.run(*run, "--evidence", "b", "-o", "b.json").code == 0
    assert len([path for path in (site.directory / "b").iterdir() if path.name.startswith("input-")]) == 1


def test_a_confined_audit_reads_what_was_bound_of_requirements_and_an_environment(site: Shell) -> None:
    """The worker, which sees less than whoever binds, computes the digests that the policy has."""
    directory = site.directory
    packages = directory / "venv" / "lib" / "python3.12" / "site-packages"
    install(packages, "six", "1.17.0", {"six.py": b"", "../../../bin/six": b"#!python\n"})
    (directory / "venv" / "lib64").symlink_to("lib")
    (directory / "venv" / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    (directory / "requirements.txt").write_text("-r base.txt\n-c limits.txt\n")
    (directory / "base.txt").write_text("six\n")
    (directory / "limits.txt").write_text("six==1.17.0\n")
    new_policy(site, "--advisories", "tiny.jsonl.gz", "--environment", "venv")
    run = (*RUN, "--advisories", "tiny.jsonl.gz", "--environment", "venv")
    done = site.run(*run, "--evidence", "a", "-o", "a.json")
    assert done.code == 0, done.out + done.err
    (packages / "torch.py").write_text("import os\n")
    done = site.run(*run, "--evidence", "b", "-o", "b.json")
    assert done.code == 2
    assert "the environment venv" in done.out


def test_the_signature_of_requirements_covers_what_they_include(site: Shell) -> None:
    (site.directory / "requirements.txt").write_text("-r base.txt\n")
    (site.directory / "base.txt").write_text("six==1.17.0\n")
    new_policy(site, "--advisories", "tiny.jsonl.gz")
    named = ("--signed", "requirements=curator", "--about", "digits")
    assert site.run("policy", "bind", "policy.yaml", *named).code == 0
    key = ("--key", "keys/curator.key", "--passphrase-file", "passphrases")
    sign = ("sign-input", "requirements.txt", "--role", "requirements", "--about", "digits", *key)
    assert site.run(*sign).code == 0
    run = (*RUN, "--advisories", "tiny.jsonl.gz")
    done = site.run(*run, "--evidence", "a", "-o", "a.json")
    assert done.code == 0, done.out + done.err
    (site.directory / "base.txt").write_text("six==1.16.0\n")
    done = site.run(*run, "--evidence", "b", "-o", "b.json")
    assert done.code == 2
    assert "the policy wants it from curator" in " ".join(done.out.split())
    (site.directory / "base.txt").unlink()
    refused = site.run(*sign, "-o", "other.sigstore.json")
    assert refused.code == 2
    assert "could never be judged" in refused.err


def test_what_is_no_bundle_is_not_signed_and_a_broken_signature_stops_the_run(site: Shell) -> None:
    key = ("--key", "keys/curator.key", "--passphrase-file", "passphrases")
    assert site.run("advisories", "sign", "requirements.txt", *key).code == 2
    assert not (site.directory / "requirements.txt.sigstore.json").exists()
    new_policy(site)
    (site.directory / "requirements.txt.sigstore.json").write_text("{}")
    done = site.run(*RUN)
    assert done.code == 2
    assert not (site.directory / "evidence").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("policy", "bind", "policy.yaml"), "there is nothing to bind"),
        (("policy", "bind", "policy.yaml", "--signed", "curator"), "is not ROLE=SIGNER"),
        (("policy", "bind", "policy.yaml", "--signed", "nonsense=curator"), "is not ROLE=SIGNER"),
        (("policy", "new", "q.yaml", "--signed", "environment=curator"), "nobody can sign it"),
        (("policy", "bind", "policy.yaml", "--unbound", "test", "--signed", "test=curator"), "is named twice"),
        (("policy", "bind", "policy.yaml", "--test", "missing.npz"), "does not exist"),
        (("policy", "new", "policy.yaml"), "policy.yaml cannot be written"),
        (("policy", "new", "q.yaml", "--accept-old-advisories", "why"), "--owner says who answers"),
        (("policy", "new", "q.yaml", "--name", "No Name"), "metadata.name"),
        (("policy", "show", "trust.yaml"), "expected ModelPolicy"),
        (("sign-input", "tiny.jsonl.gz", "--role", "environment", "--key", "keys/curator.key"), "environment"),
    ],
)
def test_wrong_usage_ends_in_a_sentence_and_changes_nothing(
    site: Shell, arguments: tuple[str, ...], words: str
) -> None:
    new_policy(site)
    before = {path: path.read_bytes() for path in site.directory.iterdir() if path.is_file()}
    done = site.run(*arguments)
    assert done.code in (2, 64)
    assert words in done.err
    assert {path: path.read_bytes() for path in site.directory.iterdir() if path.is_file()} == before


def test_an_approver_resets_tries(site: Shell) -> None:
    assert site.run("keys", "new", "approver", "-o", "a", "--passphrases", "p").code == 0
    reset = ("reset-tries", "--check", "robustness", "--reason", "looked at it", "--evidence", "evidence")
    key = ("--key", "a/approver.key", "--passphrase-file", "p")
    evidence = site.directory / "evidence"
    evidence.mkdir()
    none = site.run(*reset, *key)
    assert none.code == 64
    assert "0 tries of robustness" in none.err
    assert list(evidence.iterdir()) == []
    scene = Scene(site.directory / "model")
    for check in CheckName:
        (evidence / f"{check}.sigstore.json").write_bytes(scene.sign(scene.records[check]))
    done = site.run(*reset, *key)
    assert done.code == 0, done.err
    assert "1 tries of robustness are forgiven" in done.out
    (file,) = evidence.glob("tries-reset-*")
    statement = Statement.parse(read_bundle(file.read_bytes(), what="r").content(), what="r")
    tries = tries_in(DirectoryStore(evidence).read(), check=CheckName.ROBUSTNESS)
    assert set(read_reset(statement, what="r").evidence) == tries


def npz(path: Path, value: float = 0.5) -> None:
    np.savez(path, x=np.full((4, 2), value), y=np.arange(4) % 2)


def test_one_file_is_signed_in_two_roles_and_both_signatures_travel(site: Shell) -> None:
    npz(site.directory / "rows.npz")
    key = ("--key", "keys/curator.key", "--passphrase-file", "passphrases")
    assert site.run("sign-input", "rows.npz", "--role", "test", *key).code == 0
    second = site.run("sign-input", "rows.npz", "--role", "nonMembers", "--about", "digits", *key)
    assert second.code == 0, second.err
    assert (site.directory / "rows.npz.nonMembers.sigstore.json").exists()
    assert len(signatures_beside([site.directory / "rows.npz"])) == 2


def test_a_signature_over_older_bytes_is_named_and_left(site: Shell) -> None:
    npz(site.directory / "rows.npz")
    sign = ("sign-input", "rows.npz", "--role", "test", "--key", "keys/curator.key", "--passphrase-file", "passphrases")
    assert site.run(*sign).code == 0
    old = (site.directory / "rows.npz.sigstore.json").read_bytes()
    npz(site.directory / "rows.npz", 0.25)
    again = site.run(*sign)
    assert again.code == 2
    assert "maybe over older bytes of rows.npz" in again.err
    assert "remove it to sign the file as it is now" in again.err
    assert (site.directory / "rows.npz.sigstore.json").read_bytes() == old


@pytest.mark.parametrize("role", ["test", "members", "advisories"])
def test_what_no_check_could_use_is_neither_bound_nor_signed(site: Shell, role: str) -> None:
    new_policy(site)
    (site.directory / "other").write_text("neither data nor advisories")
    before = (site.directory / "policy.yaml").read_bytes()
    about = ("--about", "digits") if role == "members" else ()
    key = ("--key", "keys/curator.key", "--passphrase-file", "passphrases")
    for refused in (
        site.run("policy", "bind", "policy.yaml", f"--{role}", "other"),
        site.run("sign-input", "other", "--role", role, *about, *key),
    ):
        assert refused.code == 2
        assert "other" in refused.err
    assert (site.directory / "policy.yaml").read_bytes() == before
    assert not (site.directory / "other.sigstore.json").exists()


def test_a_policy_that_binds_the_old_snapshot_says_so_when_it_is_written(site: Shell) -> None:
    done = site.run("policy", "new", "policy.yaml", "-r", "requirements.txt")
    assert done.code == 0
    assert "note: advisories are bound to the snapshot that comes with weighbridge, of 2026-07-23" in done.err
    other = site.run("policy", "new", "other.yaml", "-r", "requirements.txt", "--advisories", "tiny.jsonl.gz")
    assert "note:" not in other.err


def test_advisories_are_not_dated_ahead(site: Shell) -> None:
    ahead = f"{datetime.now(UTC) + timedelta(days=5):%Y-%m-%d}"
    done = site.run("advisories", "build", "records", "-o", "ahead.jsonl.gz", "--date", ahead)
    assert done.code == 64
    assert "lies in the future" in done.err
    assert not (site.directory / "ahead.jsonl.gz").exists()
