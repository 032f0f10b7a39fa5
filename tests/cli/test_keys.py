"""Passphrases of one role each, keys that are written anew, and keys that prove nothing, on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization

from tests.builders import PASSPHRASE, ROLES, Scene, make_keys, trust_bytes
from tests.cli.conftest import Result, Shell
from tests.evidence import edwards
from weighbridge import _libc
from weighbridge.cli._options import read_public_key
from weighbridge.cli._passphrases import read_passphrase
from weighbridge.errors import KeyFileError, ParseError
from weighbridge.evidence.key_file import SealedKey
from weighbridge.evidence.keys import PrivateKey, PublicKey
from weighbridge.trust import Trust

FILES = Path(__file__).parents[1] / "evidence" / "files"
OPENSSL = "correct horse"
"""The passphrase of the files that OpenSSL wrote."""


def new(shell: Shell, *arguments: str, **environment: str) -> Result:
    environment.setdefault("WEIGHBRIDGE_PASSPHRASE", "")
    return shell.run("keys", "new", *arguments, seconds=120, **environment)


def opens(shell: Shell, key: str, passphrase: str | bytes) -> bool:
    data = (shell.directory / key).read_bytes()
    secret = passphrase.encode() if isinstance(passphrase, str) else passphrase
    try:
        serialization.load_pem_private_key(data, password=secret)
    except ValueError:
        return False
    return True


def test_each_role_gets_a_passphrase_of_its_own(shell: Shell) -> None:
    made = new(shell, "scanner", "verifier", "-o", "there/keys")
    assert made.code == 0, made.err
    files = {role: shell.directory / "there" / "passphrases" / role for role in ("scanner", "verifier")}
    assert f"passphrase of scanner: {Path('there/passphrases/scanner')}, new" in made.err
    phrases = {role: file.read_text().strip() for role, file in files.items()}
    assert len(set(phrases.values())) == 2
    assert all(len(phrase) == 32 for phrase in phrases.values())
    assert opens(shell, "there/keys/scanner.key", phrases["scanner"])
    assert not opens(shell, "there/keys/scanner.key", phrases["verifier"])
    assert not (set(phrases.values()) & set((made.out + made.err).split()))


def test_a_passphrase_that_is_there_is_used_and_kept(shell: Shell) -> None:
    (shell.directory / "own").mkdir()
    (shell.directory / "own" / "scanner").write_text("chosen by a person\n")
    made = new(shell, "scanner", "auditor", "--passphrases", "own")
    assert made.code == 0, made.err
    assert opens(shell, "keys/scanner.key", "chosen by a person")
    assert (shell.directory / "own" / "scanner").read_text() == "chosen by a person\n"
    assert sorted(path.name for path in (shell.directory / "own").iterdir()) == ["auditor", "scanner"]
    assert not (shell.directory / "passphrases").exists()


@pytest.mark.parametrize("way", ["environment", "file", "shared file in a directory", "equal files", "equal variables"])
def test_one_passphrase_for_several_roles_is_refused(shell: Shell, way: str) -> None:
    directory = shell.directory / "place"
    directory.mkdir()
    arguments, environment = ["--passphrase-file", "place"], {}
    if way == "environment":
        arguments, environment = [], {"WEIGHBRIDGE_PASSPHRASE": "one for all of them"}
    elif way == "equal variables":
        both = dict.fromkeys(("SCANNER", "AUDITOR"), "one for all of them")
        arguments, environment = [], {f"WEIGHBRIDGE_PASSPHRASE_{role}": phrase for role, phrase in both.items()}
    for name in {"shared file in a directory": ("passphrase",), "equal files": ("scanner", "auditor")}.get(way, ()):
        (directory / name).write_text("one for all of them")
    if way == "file":
        directory.rmdir()
        directory.write_text("one for all of them")
    refused = new(shell, "scanner", "auditor", *arguments, **environment)
    assert refused.code == 2
    assert "one passphrase would open the keys of scanner and auditor" in refused.err
    assert "--one-passphrase" in refused.err
    assert list(shell.directory.rglob("*.key")) == []


def test_one_passphrase_is_allowed_when_it_is_asked_for(shell: Shell) -> None:
    made = new(shell, "scanner", "auditor", "--one-passphrase", WEIGHBRIDGE_PASSPHRASE="one for all of them")
    assert made.code == 0, made.err
    assert opens(shell, "keys/scanner.key", "one for all of them")
    assert opens(shell, "keys/auditor.key", "one for all of them")
    assert not (shell.directory / "passphrases").exists()
    nothing = new(shell, "tester", "verifier", "--one-passphrase")
    assert (nothing.code, "there is no passphrase" in nothing.err) == (2, True)


@pytest.mark.parametrize("other", [("--passphrase-file", "x"), ("--one-passphrase",)])
def test_two_answers_to_the_same_question_are_refused(shell: Shell, other: tuple[str, ...]) -> None:
    refused = new(shell, "scanner", "--passphrases", "own", *other)
    assert (refused.code, "give one of them" in refused.err) == (64, True)
    assert list(shell.directory.iterdir()) == []


@pytest.mark.parametrize("roles", [("passphrase",), ("scanner", "scanner")])
def test_odd_roles_are_refused(shell: Shell, roles: tuple[str, ...]) -> None:
    assert new(shell, *roles).code == 64
    assert list(shell.directory.iterdir()) == []


def test_the_variable_of_a_role_wins_over_the_general_one(shell: Shell) -> None:
    environment = {"WEIGHBRIDGE_PASSPHRASE": "general one", "WEIGHBRIDGE_PASSPHRASE_RED_TEAM": "special one"}
    assert new(shell, "red-team", **environment).code == 0
    assert opens(shell, "keys/red-team.key", "special one")


GATE = ("gate", "model", "--policy", "policy.yaml", "--trust", "trust.yaml", "--key", "keys/verifier.key")


def test_the_gate_takes_the_passphrase_of_the_keys_role(shell: Shell, judged: Scene) -> None:
    phrase = PASSPHRASE.decode()
    place = shell.directory / "passphrases"
    place.mkdir()
    (place / "scanner").write_text("of another role")
    lone = shell.run(*GATE, "--passphrase-file", "passphrases")
    assert lone.code == 2
    assert "has no file verifier or passphrase" in lone.err
    (place / "passphrase").write_text(phrase)
    assert shell.run(*GATE, "--passphrase-file", "passphrases", "-o", "a.json").code == 0
    (place / "verifier").write_text("wrong, and it wins")
    assert "cannot be decrypted" in shell.run(*GATE, "--passphrase-file", "passphrases", "-o", "b.json").err
    (place / "verifier").write_text(phrase + "\n")
    assert shell.run(*GATE, "--passphrase-file", "passphrases", "-o", "c.json").code == 0
    wins = {"WEIGHBRIDGE_PASSPHRASE": "wrong", "WEIGHBRIDGE_PASSPHRASE_VERIFIER": phrase}
    assert shell.run(*GATE, "-o", "d.json", seconds=120, **wins).code == 0
    nothing = shell.run(*GATE, "-o", "e.json", WEIGHBRIDGE_PASSPHRASE="")
    assert "set WEIGHBRIDGE_PASSPHRASE_VERIFIER or WEIGHBRIDGE_PASSPHRASE" in nothing.err


def test_a_run_asks_for_every_passphrase_before_minutes_are_spent(shell: Shell, judged: Scene) -> None:
    (shell.directory / "some").mkdir()
    for role in ROLES[:-1]:
        (shell.directory / "some" / role).write_text("x")
    (shell.directory / "requirements.txt").write_text("numpy==2.4.6\n")
    run = (
        "run",
        "model",
        "--policy",
        "policy.yaml",
        "--trust",
        "trust.yaml",
        "--keys",
        "keys",
        "-r",
        "requirements.txt",
    )
    data = ("--data", "model/a.bin", "--members", "model/a.bin", "--non-members", "model/a.bin")
    refused = shell.run(*run, *data, "--passphrase-file", "some", "-o", "new.json")
    assert refused.code == 64
    assert "has no file verifier or passphrase" in refused.err


def test_an_old_key_file_is_used_with_a_warning_and_written_anew(shell: Shell) -> None:
    key = shell.directory / "scanner.key"
    shutil.copy(FILES / "openssl-ed25519-pbkdf2.key", key)
    key.chmod(0o644)
    (shell.directory / "model").mkdir()
    (shell.directory / "model" / "config.json").write_text("{}")
    old = shell.run("scan", "model", "--key", "scanner.key", WEIGHBRIDGE_PASSPHRASE=OPENSSL)
    assert "scanner.key is cheap to guess: PBKDF2 with 2048 rounds" in old.err
    assert "next step: weighbridge keys rewrap scanner.key" in old.err
    wrong = shell.run("keys", "rewrap", "scanner.key", WEIGHBRIDGE_PASSPHRASE="wrong horse")
    assert (wrong.code, "cannot be decrypted" in wrong.err) == (2, True)
    assert key.read_bytes() == (FILES / "openssl-ed25519-pbkdf2.key").read_bytes()
    done = shell.run("keys", "rewrap", "scanner.key", WEIGHBRIDGE_PASSPHRASE=OPENSSL)
    assert done.code == 0, done.err
    assert not SealedKey.read(key.read_bytes(), what="x").derivation.cheap
    assert key.stat().st_mode & 0o777 == 0o600
    public = PublicKey.parse((FILES / "openssl-ed25519.pub").read_text(), what="x")
    assert PrivateKey.parse(key.read_bytes(), passphrase=OPENSSL.encode(), what="x").public == public
    assert public.id in done.out
    silent = shell.run("scan", "model", "--key", "scanner.key", WEIGHBRIDGE_PASSPHRASE=OPENSSL)
    assert "cheap" not in silent.err
    assert sorted(path.name for path in shell.directory.iterdir()) == ["evidence", "model", "scanner.key"]


def test_keys_of_one_passphrase_are_given_one_each(shell: Shell) -> None:
    for role, kind in (("scanner", "ed25519"), ("auditor", "p256")):
        shutil.copy(FILES / f"openssl-{kind}-pbkdf2.key", shell.directory / f"{role}.key")
    (shell.directory / "old").write_text(OPENSSL)
    done = shell.run(
        "keys", "rewrap", "scanner.key", "auditor.key", "--passphrase-file", "old", "--passphrases", "passphrases"
    )
    assert done.code == 0, done.err
    for role in ("scanner", "auditor"):
        assert opens(shell, f"{role}.key", (shell.directory / "passphrases" / role).read_text().strip())
        assert not opens(shell, f"{role}.key", OPENSSL)


def test_a_link_is_not_written_anew(shell: Shell) -> None:
    shutil.copy(FILES / "openssl-ed25519-pbkdf2.key", shell.directory / "real.key")
    (shell.directory / "scanner.key").symlink_to("real.key")
    assert shell.run("keys", "rewrap", "scanner.key", WEIGHBRIDGE_PASSPHRASE=OPENSSL).code == 2
    assert (shell.directory / "scanner.key").is_symlink()


def test_a_key_that_cannot_be_written_anew_is_left_as_it_was(shell: Shell) -> None:
    shutil.copy(FILES / "openssl-ed25519-pbkdf2.key", shell.directory / "scanner.key")
    (shell.directory / "short").mkdir()
    (shell.directory / "short" / "scanner").write_text("short")
    arguments = ("keys", "rewrap", "scanner.key", "--passphrases", "short")
    refused = shell.run(*arguments, WEIGHBRIDGE_PASSPHRASE=OPENSSL)
    assert (refused.code, "has 5 bytes" in refused.err) == (2, True)
    assert (shell.directory / "scanner.key").read_bytes() == (FILES / "openssl-ed25519-pbkdf2.key").read_bytes()


HOSTILE = [*edwards.SMALL_ORDER, *edwards.MIXED_ORDER, edwards.NO_POINT]


def test_trust_add_refuses_a_key_that_proves_nothing(shell: Shell, judged: Scene) -> None:
    before = (shell.directory / "trust.yaml").read_bytes()
    for encoded in (edwards.IDENTITY, edwards.MIXED_ORDER[0]):  # the others go the same way, in the test below
        (shell.directory / "hostile.pub").write_text(edwards.pem_of(encoded))
        added = shell.run("trust", "add", "trust.yaml", "--role", "verifier", "--key", "hostile.pub")
        assert added.code == 2
        assert "hostile.pub is an Ed25519 key that proves nothing" in added.err
    assert (shell.directory / "trust.yaml").read_bytes() == before


def test_no_key_that_proves_nothing_is_read_from_a_file_or_a_trust_document(tmp_path: Path) -> None:
    keys = make_keys()
    document = trust_bytes(keys).decode()
    honest = keys["verifier"].public.pem.splitlines()[1]
    assert document.count(honest) == 1
    for encoded in HOSTILE:
        pem = edwards.pem_of(encoded)
        (tmp_path / "hostile.pub").write_text(pem)
        with pytest.raises(KeyFileError, match="proves nothing"):
            read_public_key(tmp_path / "hostile.pub")
        with pytest.raises(ParseError, match="the key of role verifier is an Ed25519 key that proves nothing"):
            Trust.parse(document.replace(honest, pem.splitlines()[1]).encode(), name="trust.yaml")


def test_nobody_looks_into_a_command_that_has_read_a_passphrase() -> None:
    seen = []

    @click.command()
    def command() -> None:
        for _ in range(2):
            read_passphrase(None, role="scanner")
            seen.append(_libc.prctl(_libc.PR_GET_DUMPABLE))

    before = _libc.prctl(_libc.PR_GET_DUMPABLE)
    CliRunner().invoke(command, env={"WEIGHBRIDGE_PASSPHRASE": "correct horse"}, catch_exceptions=False)
    assert seen == [0, 0]
    assert _libc.prctl(_libc.PR_GET_DUMPABLE) == before
