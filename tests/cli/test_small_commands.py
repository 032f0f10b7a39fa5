from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tests.builders import make_model
from tests.cli.conftest import Shell
from weighbridge.cli import COMMANDS, command
from weighbridge.model.digest import hash_model


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
    assert shell.run("keys", "new", *roles, WEIGHBRIDGE_PASSPHRASE="").code == 0
    key = shell.directory / "keys" / "scanner.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert "ENCRYPTED" in key.read_text()
    opened = shell.directory / "passphrases" / "scanner"
    assert opened.stat().st_mode & 0o777 == 0o600
    assert opened.parent.stat().st_mode & 0o777 == 0o700
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
    undated = shell.run("trust", "retire", "trust.yaml", key_id)
    assert (undated.code, "--at" in undated.err) == (64, True)
    assert shell.run("trust", "retire", "trust.yaml", key_id, "--at", "now").code == 0
    assert shell.run("trust", "revoke", "trust.yaml", key_id, "--reason", "lost").code == 0
    assert shell.run("trust", "extend", "trust.yaml", "--expires", "2027-06-30").code == 0
    final = shell.run("trust", "show", "trust.yaml").out
    assert "version 5, expires 2027-06-30T23:59:59Z" in final
    assert f"revoked key {key_id}: lost" in final


@pytest.mark.parametrize("name", ["../x", "a b", "", "ümlaut", "x/y"])
def test_keys_refuses_odd_roles(shell: Shell, name: str) -> None:
    assert shell.run("keys", "new", name).code == 64
    assert list(shell.directory.rglob("*.key")) == []


def test_keys_leaves_no_half_of_a_pair(shell: Shell) -> None:
    (shell.directory / "keys").mkdir()
    (shell.directory / "keys" / "scanner.pub").symlink_to("nowhere")
    result = shell.run("keys", "new", "scanner")
    assert result.code == 2
    assert "cannot be written" in result.err
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
def test_wrong_usage_has_an_exit_code_of_its_own(shell: Shell, arguments: tuple[str, ...]) -> None:
    result = shell.run(*arguments)
    assert (result.code, result.out) == (64, "")
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


COMMAND = shlex.join([sys.executable, "-c", "from weighbridge.cli import main; main()"])


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("digest model >/dev/full", 2, "No space left"),
        ("digest nothing 2>/dev/full", 2, ""),
        ("--nonsense 2>/dev/full", 64, ""),
        ("digest model >&-", 0, ""),
        ("digest nothing >&- 2>&-", 2, ""),
        ("digest model > >(exec 0<&-)", 2, ""),
    ],
)
def test_output_that_nobody_takes_ends_with_the_right_code(shell: Shell, line: str, code: int, words: str) -> None:
    make_model(shell.directory / "model")
    if ">(" in line:
        # The reader has closed its end before anything is written.
        line = f"mkfifo p; (exec 9<p; exec 9<&-) & exec 8>p; wait; {COMMAND} digest model >&8"
    else:
        line = f"{COMMAND} {line}"
    done = subprocess.run(["bash", "-c", line], cwd=shell.directory, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "internal" not in done.stderr


@pytest.mark.parametrize("command", ["digest", "scan"])
def test_without_a_standard_error_commands_work(shell: Shell, command: str) -> None:
    model = shell.directory / "model"
    model.mkdir()
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }"
    (model / "weights.npy").write_bytes(b"\x93NUMPY\x01\x00v\x00" + header.ljust(117) + b"\n")
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} {command} model 2>&-"],
        cwd=shell.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stdout


def test_what_the_caller_closed_is_not_the_next_file(shell: Shell) -> None:
    program = (
        "import os; from weighbridge import cli; cli._fill_standard_descriptors(); print(os.open('.', os.O_RDONLY))"
    )
    done = subprocess.run(
        ["bash", "-c", f"{shlex.join([sys.executable, '-c', program])} 0<&- 2>&-"],
        cwd=shell.directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert int(done.stdout) > 2


def test_names_do_not_steer_the_terminal(shell: Shell) -> None:
    (make_model(shell.directory / "model") / "a\u009b2Jb\u202e").symlink_to("a.bin")
    result = shell.run("digest", "model")
    assert result.code == 2
    assert result.err.isascii()
    refused = shell.run("verify", "model", "--verdict", "v\x1b[2J", "--trust", "t\x1b[2J")
    assert refused.code == 2
    assert "\x1b" not in refused.err


@pytest.mark.parametrize("passphrase", ["short", "x" * 2000])
def test_keys_refuses_a_passphrase_of_the_wrong_length(shell: Shell, passphrase: str) -> None:
    result = shell.run("keys", "new", "scanner", WEIGHBRIDGE_PASSPHRASE=passphrase)
    assert result.code == 2
    assert "next step: choose one of 8 to 1023 bytes" in result.err
    assert list(shell.directory.rglob("*.key")) == []


def test_a_passphrase_may_have_any_bytes(shell: Shell) -> None:
    assert shell.run("keys", "new", "scanner", WEIGHBRIDGE_PASSPHRASE="\udcff\udcfe12345678").code == 0


def test_a_ring_of_links_in_place_of_evidence_is_refused(shell: Shell) -> None:
    make_model(shell.directory / "model")
    (shell.directory / "ring").symlink_to("ring")
    result = shell.run("report", "ring", "--model", "model")
    assert (result.code, "cannot be read" in result.err) == (2, True)
    scan = shell.run("scan", "model", "--evidence", "ring")
    assert "internal" not in scan.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("robustness", "model", "--data", "model/a.bin", "--epsilon", "nan"),
        ("robustness", "model", "--data", "model/a.bin", "--epsilon", "-1"),
        ("robustness", "model", "--data", "model/a.bin", "--seed", "-1"),
        ("leakage", "model", "--members", "model/a.bin", "--non-members", "model/a.bin", "--fpr", "7"),
    ],
)
def test_an_option_out_of_range_is_wrong_usage_and_no_evidence(shell: Shell, arguments: tuple[str, ...]) -> None:
    make_model(shell.directory / "model")
    result = shell.run(*arguments)
    assert (result.code, result.out) == (64, "")
    assert f"the options of {arguments[0]}" in result.err
