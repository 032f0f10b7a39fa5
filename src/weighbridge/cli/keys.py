"""``weighbridge keys new``."""

from __future__ import annotations

from pathlib import Path

import click

from weighbridge._files import make_directory, write_new
from weighbridge.cli._options import PASSPHRASE_FILE, read_passphrase
from weighbridge.errors import KeyFileError, OutputError
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey


@click.group(short_help="Make the keys that sign.")
def command() -> None:
    """Make the keys that sign. Every role has its own."""


@command.command(short_help="Make a key pair for each role.")
@click.argument("roles", nargs=-1, required=True, metavar="ROLE...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=Path("keys"), show_default=True, help="Directory."
)
@click.option(
    "--algorithm",
    type=click.Choice([item.value for item in KeyAlgorithm]),
    default=KeyAlgorithm.ED25519.value,
    show_default=True,
)
@PASSPHRASE_FILE
def new(roles: tuple[str, ...], output: Path, algorithm: str, passphrase_file: Path | None) -> None:
    """Make a key pair for each ROLE: ROLE.key, encrypted with the passphrase, and ROLE.pub.

    Usual roles are scanner, auditor, tester and verifier. Nothing is ever overwritten.
    """
    for role in roles:
        if not role.replace("-", "").isalnum() or not role.isascii():
            raise KeyFileError(f"{role!r} is not a role; use letters, digits and hyphens")
        if (output / f"{role}.key").exists() or (output / f"{role}.pub").exists():
            raise KeyFileError(f"{output / role}.key or .pub exists already", remedy="choose another --output")
    passphrase = read_passphrase(passphrase_file)
    make_directory(output)
    for role in roles:
        key = PrivateKey.generate(KeyAlgorithm(algorithm))
        private = output / f"{role}.key"
        write_new(private, key.encrypted(passphrase), mode=0o600)
        try:
            write_new(output / f"{role}.pub", key.public.pem.encode())
        except OutputError:
            private.unlink()  # half a pair is of no use, and would be in the way of the next attempt
            raise
        click.echo(f"{output / role}.pub  {key.public.id}")
