"""A project file says formats, outputs and inputs; a checkout is trusted with nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from weighbridge.cli._project import ALLOWED, MAX_BYTES, settings_for
from weighbridge.errors import InputError, UsageError


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def toml(text: str) -> None:
    Path("pyproject.toml").write_text(text)


@pytest.mark.landlock
def test_a_project_says_the_format_and_the_inputs_and_everybody_sees_it(shell: Shell) -> None:
    (shell.directory / "model").mkdir()
    (shell.directory / "model" / "config.json").write_text("{}")
    (shell.directory / "pyproject.toml").write_text(
        '[tool.weighbridge.scan]\nformat = "json"\n[tool.weighbridge.audit]\nrequirement = ["r.txt"]\n'
        '[tool.weighbridge.run]\nreport = "out.html"\n'
    )
    (shell.directory / "r.txt").write_text("six==1.17.0\n")
    scan = shell.run("scan", "model")
    assert json.loads(scan.out)["verdict"] == "passed"
    assert "note: pyproject.toml says --format json" in scan.err
    assert shell.run("scan", "model", "--format", "text").out.startswith("Model scan of model")
    assert shell.run("scan", "model", WEIGHBRIDGE_SCAN_FORMAT="markdown").out.startswith("#")
    audit = shell.run("audit")
    assert "Dependency audit of r.txt" in audit.out
    assert "auditing the environment" not in audit.err
    assert shell.run("run", "model").code == 0
    assert (shell.directory / "out.html").exists()


def test_yaml_says_the_same(project: Path) -> None:
    Path("weighbridge.yaml").write_text("scan: {format: json}\nleakage:\n  members: data/members.npz\n")
    assert [(item.option, item.value) for item in settings_for("scan")] == [("format", "json")]
    assert [(item.option, item.value) for item in settings_for("leakage")] == [("members", "data/members.npz")]
    assert settings_for("verify") == ()
    toml('[tool.weighbridge.scan]\nformat = "json"\n')
    with pytest.raises(UsageError, match="both"):
        settings_for("scan")


TRUSTED = (
    "policy", "trust", "keys", "key", "passphrase-file", "evidence", "advisories", "seed-secret", "verdict",
    "severity", "quiet", "explain", "seed", "epsilon", "queries", "samples", "fpr", "confidence", "any-policy",
    "waivers", "exceptions", "nonsense",
)  # fmt: skip


@pytest.mark.parametrize("key", TRUSTED)
@pytest.mark.parametrize("command", ALLOWED)
def test_a_checkout_is_not_trusted_with(project: Path, command: str, key: str) -> None:
    toml(f'[tool.weighbridge.{command}]\n{key} = "x"\n')
    with pytest.raises(UsageError, match="may not say"):
        settings_for(command)
    # A setting for another command makes the whole file one that asks for too much.
    with pytest.raises(UsageError, match="may not say"):
        settings_for("scan")


@pytest.mark.parametrize("key", ["policy", "trust", "verify", "keys", "step", "tool"])
def test_only_some_commands_have_settings(project: Path, key: str) -> None:
    toml(f'[tool.weighbridge]\n{key} = {{format = "json"}}\n')
    with pytest.raises(UsageError, match="may not say"):
        settings_for("scan")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../out.html", "a/../../out.html", "-", "", "a\\b.html", "x\x1b[2J.html", "x" * 2000 + ".html",
        "link/out.html", "link.html", ".git/hooks.html", "evidence/model-scan.sigstore.json", "policy.yaml",
        "keys/scanner.key", "no-ending", "a/.hidden.json",
    ],
)  # fmt: skip
def test_an_output_outside_or_in_the_place_of_something_else_is_refused(project: Path, path: str) -> None:
    Path("link").symlink_to("..")
    Path("link.html").symlink_to("../elsewhere.html")
    toml(f"[tool.weighbridge.scan]\noutput = {json.dumps(path)}\n")
    with pytest.raises(UsageError):
        settings_for("scan")
    toml(f"[tool.weighbridge.run]\nreport = {json.dumps(path)}\n")
    with pytest.raises(UsageError):
        settings_for("run")


@pytest.mark.parametrize("path", ["/etc/passwd", "../lock", "link/lock", "-", ""])
def test_an_input_outside_is_refused(project: Path, path: str) -> None:
    Path("link").symlink_to("..")
    toml(f"[tool.weighbridge.audit]\nlock = [{json.dumps(path)}]\n")
    with pytest.raises(UsageError):
        settings_for("audit")


@pytest.mark.parametrize("value", ["7", "[]", "[[]]", "{}", "true", json.dumps(["x"] * 65), "[7]"])
def test_a_value_of_another_kind_is_refused(project: Path, value: str) -> None:
    toml(f"[tool.weighbridge.audit]\nlock = {value}\n")
    with pytest.raises(UsageError):
        settings_for("audit")


@pytest.mark.parametrize("text", ["weighbridge", "[tool.weighbridge", "a = " + "[" * 5000 + "# weighbridge"])
def test_what_is_no_toml_ends_in_a_sentence(project: Path, text: str) -> None:
    toml(text)
    with pytest.raises(InputError, match="not TOML"):
        settings_for("scan")


@pytest.mark.parametrize("text", ["[1]", "scan: [", "scan: 7", "7: {}", "scan: &a {}\naudit: *a\n", "- a"])
def test_what_is_no_table_ends_in_a_sentence(project: Path, text: str) -> None:
    Path("weighbridge.yaml").write_text(text)
    with pytest.raises((InputError, UsageError)):
        settings_for("scan")


def test_a_file_that_says_nothing_to_us_is_not_even_parsed(project: Path) -> None:
    toml("this is [no TOML")
    assert settings_for("scan") == ()
    toml("# weighbridge is mentioned\n[tool.other]\nx = 1\n")
    assert settings_for("scan") == ()


def test_a_file_that_is_a_link_or_too_large_is_not_read(project: Path) -> None:
    Path("../elsewhere.toml").write_text('[tool.weighbridge.scan]\nformat = "json"\n')
    Path("pyproject.toml").symlink_to("../elsewhere.toml")
    assert settings_for("scan") == ()
    Path("weighbridge.yaml").symlink_to("../elsewhere.toml")
    with pytest.raises(InputError, match="not a regular file"):
        settings_for("scan")
    os.unlink("weighbridge.yaml")
    os.mkfifo("weighbridge.yaml")
    with pytest.raises(InputError, match="not a regular file"):
        settings_for("scan")
    os.unlink("weighbridge.yaml")
    os.unlink("pyproject.toml")
    toml("#" * (MAX_BYTES + 1))
    with pytest.raises(InputError, match="larger than"):
        settings_for("scan")


def test_a_refusal_is_wrong_usage_and_help_is_given_all_the_same(shell: Shell) -> None:
    (shell.directory / "pyproject.toml").write_text('[tool.weighbridge.run]\npolicy = "mine.yaml"\n')
    run = shell.run("run", "model")
    assert (run.code, run.out) == (64, "")
    assert "pyproject.toml may not say run.policy" in run.err
    assert "WEIGHBRIDGE_RUN_POLICY" in run.err
    assert shell.run("run", "--help").code == 0
    assert shell.run("version").code == 0
