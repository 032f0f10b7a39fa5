"""Where the passphrase of a key comes from: one for each role, so that learning one opens one key."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from typing import Final

import click

from weighbridge._files import make_directory, read_limited, write_new
from weighbridge.cli._options import read_private_key
from weighbridge.cli._progress import somebody_looks
from weighbridge.errors import KeyFileError
from weighbridge.evidence.keys import PrivateKey
from weighbridge.model.shield import SHIELD

PASSPHRASE_VARIABLE: Final = "WEIGHBRIDGE_PASSPHRASE"  # noqa: S105
"""Environment variable that holds the passphrase of private keys; with _ROLE at its end, of that role's alone."""

SHARED: Final = "passphrase"
"""The file that counts in a directory of passphrases for a role that has none of its own."""

MAX_PASSPHRASE_FILE: Final = 4096
"""Largest passphrase file that is read, in bytes."""

PASSPHRASE_FILE: Final = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help=f"File with the passphrase, or directory with one file for each role; else ${PASSPHRASE_VARIABLE}_ROLE, "
    f"else ${PASSPHRASE_VARIABLE}, else a prompt.",
)


def keep_others_out() -> None:
    """Let no other process of the user look into this one until the command ends: it holds passphrases and keys."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.with_resource(SHIELD.up())


def variable_of(role: str) -> str:
    """Return the environment variable that holds the passphrase of a role: ``my-role`` has ``…_MY_ROLE``."""
    return f"{PASSPHRASE_VARIABLE}_{role.upper().replace('-', '_')}"


def from_environment(role: str | None) -> bytes | None:
    """Return what the environment has for a role: its own variable, else the general one, else None."""
    value = os.environ.get(variable_of(role)) if role is not None else None
    value = value or os.environ.get(PASSPHRASE_VARIABLE)
    return os.fsencode(value) if value else None


def locate_passphrase(place: Path, *, role: str | None) -> Path:
    """Return the file that holds a role's passphrase: the place itself, or in a directory ROLE, else ``passphrase``.

    Without a role it is the one for all, ``passphrase``.

    Raises:
        KeyFileError: When the place is a directory that has neither.
    """
    if not place.is_dir():
        return place
    names = (SHARED,) if role is None else (role, SHARED)
    for name in names:
        if (place / name).exists():
            return place / name
    raise KeyFileError(
        f"the directory {place} has no file {' or '.join(names)} with the passphrase",
        remedy=f"put the passphrase into {place / names[0]}, or give the file itself",
    )


def read_passphrase(place: Path | None, *, role: str | None) -> bytes:
    """Return the passphrase of a role's key from a file or directory, the environment or the terminal.

    Without a role it is the one for all keys.

    Raises:
        KeyFileError: When there is none.
        InputError: When the file cannot be read.
    """
    keep_others_out()
    if place is not None:
        file = locate_passphrase(place, role=role)
        return read_limited(file, limit=MAX_PASSPHRASE_FILE, what="the passphrase file").rstrip(b"\r\n")
    if value := from_environment(role):
        return value
    if sys.stdin is not None and sys.stdin.isatty() and somebody_looks():
        whose = "all keys" if role is None else f"the {role} key"
        return str(click.prompt(f"Passphrase of {whose}", hide_input=True, err=True)).encode()
    own = "" if role is None else f"{variable_of(role)} or "
    raise KeyFileError(
        "there is no passphrase for the private key" + ("" if role is None else f" of {role}"),
        remedy=f"give --passphrase-file, or set {own}{PASSPHRASE_VARIABLE}",
    )


def stored_passphrase(directory: Path, *, role: str) -> bytes:
    """Return the passphrase in ``directory/role``; when there is no such file, make one that only its owner can read.

    Raises:
        OutputError: When it cannot be written.
        InputError: When it cannot be read.
    """
    file = directory / role
    if not file.exists():
        make_directory(directory, mode=0o700)
        write_new(file, secrets.token_urlsafe(24).encode() + b"\n", mode=0o600)
        click.echo(f"passphrase of {role}: {file}, new", err=True)
    return read_limited(file, limit=MAX_PASSPHRASE_FILE, what="the passphrase file").rstrip(b"\r\n")


def open_key(path: Path, *, passphrase: Path | None) -> PrivateKey:
    """Open a private key file; its name says which role's passphrase opens it: ``scanner.key`` is the scanner's.

    Raises:
        InputError: When a file cannot be read.
        KeyFileError: When there is no passphrase, or the key cannot be decrypted.
    """
    return read_private_key(path, passphrase=read_passphrase(passphrase, role=path.stem))
