"""``run`` without a policy is a look, and a run that lacks something says all of it at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Shell
from weighbridge.report.look import NOTICE

POLICY = """\
apiVersion: weighbridge.dev/v1alpha1
kind: ModelPolicy
metadata: {name: test}
spec:
  requirements:
    - {check: model-scan, signers: [scanner]}
    - {check: dependency-audit, signers: [auditor]}
    - check: robustness
      signers: [tester]
      limits: {norm: linf, epsilon: 0.02, accuracyUnderAttack: {atLeast: 0.5, confidence: 0.95}}
    - check: leakage
      signers: [tester]
      limits: {membership: {tprAtFpr: 0.05, atMost: 0.35, confidence: 0.95}}
"""


@pytest.fixture
def model(shell: Shell) -> Path:
    folder = shell.directory / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"a": 1}')
    return folder


def words_of(value: object) -> set[str]:
    """Return every key of a JSON value, however deep."""
    if isinstance(value, dict):
        return set(value).union(*(words_of(item) for item in value.values()))
    return set().union(*(words_of(item) for item in value)) if isinstance(value, list) else set()


@pytest.mark.landlock
def test_one_command_gives_an_answer_and_says_first_that_it_is_unsigned(shell: Shell, model: Path) -> None:
    looked = shell.run("run", "model")
    assert looked.code == 0, looked.err
    assert looked.out.splitlines()[0] == NOTICE
    assert "Verdict" not in looked.out
    for line in ("dependency-audit", "--data", "--members and --non-members"):
        assert line in looked.out
    assert {path.name for path in shell.directory.iterdir()} == {"model"}
    assert [path.name for path in model.iterdir()] == ["config.json"]


@pytest.mark.landlock
def test_a_look_as_json_has_no_word_of_a_verdict(shell: Shell, model: Path) -> None:
    looked = shell.run("run", "model", "--format", "json", "--report", "look.json")
    assert looked.err.splitlines()[0] == NOTICE
    report = json.loads(looked.out)
    assert (report["signed"], report["answer"], report["notice"]) == (False, "passed", NOTICE)
    assert words_of(report).isdisjoint({"verdict", "validUntil", "policy", "trust", "signedBy", "signer"})
    assert json.loads((shell.directory / "look.json").read_text())["schema"] == "weighbridge.dev/look/v1"
    refused = shell.run("keys", "new", "scanner", "verifier", "--one-passphrase")
    assert refused.code == 0
    assert shell.run("trust", "init", "trust.yaml", "--keys", "keys").code == 0
    assert shell.run("verify", "model", "--verdict", "look.json", "--trust", "trust.yaml").code != 0


@pytest.mark.landlock
def test_a_look_at_a_program_fails(shell: Shell, model: Path) -> None:
    (model / "setup.py").write_text("import os\n")
    assert shell.run("run", "model").code == 1


@pytest.mark.landlock
def test_requirements_beside_a_model_are_offered_and_not_taken(shell: Shell, model: Path) -> None:
    (model / "requirements.txt").write_text("requests==2.0.0\n")
    (shell.directory / "uv.lock").symlink_to("model/requirements.txt")
    looked = shell.run("run", "model")
    assert looked.code == 0
    assert "give -r model/requirements.txt" in looked.out
    assert "uv.lock" not in looked.out  # a link is left alone
    assert shell.run("run", "model", "-r", "model/requirements.txt").code == 1


@pytest.mark.parametrize(
    "option", [("-o", "v.json"), ("--evidence", "e"), ("--explain",), ("--seed-secret", "model/config.json")]
)
def test_what_belongs_to_a_signed_run_is_refused_in_a_look(shell: Shell, model: Path, option: tuple[str, ...]) -> None:
    looked = shell.run("run", "model", *option)
    assert (looked.code, looked.out) == (64, "")
    assert "without --policy nothing is signed" in looked.err


def test_the_page_of_a_look_says_its_answer_and_that_nobody_signed_it(shell: Shell, model: Path) -> None:
    (model / "evil.pkl").write_bytes(b"cos\nsystem\n(Vtrue\ntR.")
    assert shell.run("run", "model", "--report", "look.html").code == 1
    page = (shell.directory / "look.html").read_text()
    assert '<h1 id="verdict-title">A look: failed</h1>' in page
    assert "Nothing is signed, and no platform accepts it." in page
    assert "view of signed evidence" not in page


def test_a_report_of_a_look_goes_not_into_the_model(shell: Shell, model: Path) -> None:
    assert shell.run("run", "model", "--report", "model/report.html").code == 64
    assert [path.name for path in model.iterdir()] == ["config.json"]


@pytest.mark.parametrize("option", ["--trust", "--keys", "--passphrase-file"])
def test_keys_or_trust_alone_make_no_look(shell: Shell, model: Path, option: str) -> None:
    run = shell.run("run", "model", option, "model")
    assert run.code == 64
    assert "a policy says what must hold" in run.err
    assert NOTICE not in run.out + run.err


def test_everything_that_is_missing_is_said_at_once(shell: Shell, model: Path) -> None:
    (shell.directory / "policy.yaml").write_text(POLICY)
    (shell.directory / "keys").mkdir()
    (shell.directory / "keys" / "scanner.key").write_text("never opened")
    (shell.directory / "data").mkdir()
    np.savez(shell.directory / "data" / "test.npz", x=np.zeros(1))
    run = shell.run("run", "model", "--policy", "policy.yaml", "--keys", "keys", WEIGHBRIDGE_PASSPHRASE="")
    assert (run.code, run.out) == (64, "")
    assert run.err.count("MISSING") == 9
    for words in (
        "a trust document says who may sign what",
        "dependency-audit, which needs a lock",
        "there is one: --data data/test.npz",
        "give --members",
        "give --non-members",
        *(f"keys/{role}.key is missing" for role in ("auditor", "tester", "verifier")),
        "a passphrase opens the scanner key",
        "9 things are missing, and nothing was run",
    ):
        assert words in run.err
    assert not (shell.directory / "evidence").exists()


@pytest.mark.parametrize("option", ["--policy", "--trust", "--keys"])
def test_a_file_that_is_not_there_is_missing_and_no_undecided_model(shell: Shell, model: Path, option: str) -> None:
    run = shell.run("run", "model", option, "nowhere\x1b[2J")
    assert run.code == 64
    assert "MISSING" in run.err
    assert "\x1b" not in run.err


@pytest.mark.parametrize("form", ["sarif", "junit", "markdown"])
def test_no_format_in_which_a_look_would_read_as_clean(shell: Shell, model: Path, form: str) -> None:
    done = shell.run("run", "model", "--format", form)
    assert done.code == 64
    assert "has no place for what a look is" in done.err
    ending = {"sarif": "sarif", "junit": "xml", "markdown": "md"}[form]
    assert shell.run("run", "model", "--report", f"look.{ending}").code == 64
    assert not (shell.directory / f"look.{ending}").exists()
