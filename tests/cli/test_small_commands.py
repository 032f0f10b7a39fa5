from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.builders import make_model
from tests.cli.conftest import Shell
from weighbridge.cli import COMMANDS, command
from weighbridge.digest import hash_model


def test_digest_prints_the_digest_and_nothing_else(shell: Shell) -> None:
    model = make_model(shell.directory / "model")
    result = shell.run("digest", "model")
    assert (result.code, result.out, result.err) == (0, f"{hash_model(model)}\n", "")


def test_digest_of_a_link_is_refused(shell: Shell) -> None:
    (make_model(shell.directory / "model") / "link").symlink_to("a.bin")
    result = shell.run("digest", "model")
    assert (result.code, result.out) == (2, "")
    assert "'link' is a symlink" in result.err
    assert "next step" in result.err


def test_keys_and_trust_from_nothing(shell: Shell) -> None:
    roles = ("scanner", "auditor", "tester", "verifier")
    assert shell.run("keys", "new", *roles).code == 0
    key = shell.directory / "keys" / "scanner.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "ENCRYPTED" in key.read_text()
    again = shell.run("keys", "new", "scanner")
    assert again.code == 2
    assert "exists already" in again.err
    assert shell.run("trust", "init", "trust.yaml", "--keys", "keys").code == 0
    assert shell.run("keys", "new", "extra", "--algorithm", "ecdsa-p256").code == 0
    added = shell.run(
        "trust", "add", "trust.yaml", "--role", "scanner", "--key", "keys/extra.pub", "--not-after", "30d"
    )
    assert (added.code, "version 2" in added.out) == (0, True)
    shown = shell.run("trust", "show", "trust.yaml").out
    key_id = next(line.split()[1] for line in shown.splitlines() if "ecdsa-p256" in line)
    assert shell.run("trust", "retire", "trust.yaml", key_id).code == 0
    assert shell.run("trust", "revoke", "trust.yaml", key_id, "--reason", "lost").code == 0
    assert shell.run("trust", "extend", "trust.yaml", "--expires", "2027-06-30").code == 0
    final = shell.run("trust", "show", "trust.yaml").out
    assert "version 5, expires 2027-06-30T23:59:59Z" in final
    assert f"revoked key {key_id}: lost" in final


@pytest.mark.parametrize("name", ["../x", "a b", "", "ümlaut", "x/y"])
def test_keys_refuses_odd_roles(shell: Shell, name: str) -> None:
    assert shell.run("keys", "new", name).code == 2
    assert list(shell.directory.rglob("*.key")) == []


def test_short_help_is_that_of_the_command() -> None:
    import click

    context = click.Context(command)
    for name, text in COMMANDS.items():
        found = command.get_command(context, name)
        assert found is not None
        assert found.get_short_help_str(200) == text


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("digest",), ("gate", "x"), ("--nonsense",), ("scan", "m", "--format", "pdf")]
)
def test_wrong_usage_exits_with_2(shell: Shell, arguments: tuple[str, ...]) -> None:
    result = shell.run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "Usage" in result.err


def test_help_and_version_exit_with_0(shell: Shell) -> None:
    assert shell.run("--help").code == 0
    assert "weighbridge, version" in shell.run("--version").out


def test_completion_scripts_name_the_command(shell: Shell) -> None:
    for name in ("bash", "zsh", "fish"):
        result = shell.run("completion", name)
        assert result.code == 0
        assert "_WEIGHBRIDGE_COMPLETE" in result.out
    done = shell.run(_WEIGHBRIDGE_COMPLETE="bash_complete", COMP_WORDS="weighbridge ver", COMP_CWORD="1")
    assert "verify" in done.out


def test_output_that_cannot_be_written_is_an_error(shell: Shell) -> None:
    import subprocess
    import sys

    make_model(shell.directory / "model")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from weighbridge.cli import main; main()", "digest", "model"],
            cwd=shell.directory,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_audit_without_a_model_is_about_the_audited_file(shell: Shell) -> None:
    (shell.directory / "requirements.txt").write_text("litellm==1.82.7\njinja2==3.1.6\n")
    audit = shell.run("audit", "-r", "requirements.txt", "--format", "json")
    report = json.loads(audit.out)
    assert (audit.code, report["verdict"]) == (1, "failed")
    assert report["subject"]["name"] == "requirements.txt"
    assert "dirHash:" + report["subject"]["digest"]["dirHash"] == str(hash_model(shell.directory / "requirements.txt"))
    (finding,) = [item for item in report["findings"] if item["rule"] == "malware"]
    assert finding["component"] == {"name": "litellm", "version": "1.82.7", "path": []}
    signed = shell.run("audit", "-r", "requirements.txt", "--key", "x")
    assert signed.code == 2
    assert "name the MODEL" in signed.err
    nothing = shell.run("audit")
    assert nothing.code == 2
    assert "nothing to audit" in nothing.err
