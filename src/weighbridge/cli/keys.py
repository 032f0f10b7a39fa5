"""``weighbridge keys new|rewrap``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from weighbridge._files import make_directory, read_entry, write_atomically, write_new
from weighbridge.cli._passphrases import (
    PASSPHRASE_FILE,
    PASSPHRASE_VARIABLE,
    SHARED,
    from_environment,
    keep_others_out,
    read_passphrase,
    stored_passphrase,
    variable_of,
)
from weighbridge.errors import KeyFileError, OutputError, UsageError
from weighbridge.evidence.keys import MAX_KEY_BYTES, KeyAlgorithm, PrivateKey, require_length

PATH = click.Path(path_type=Path)


@click.group(short_help="Make the keys that sign.")
def command() -> None:
    """Make the keys that sign. Every role has its own, under a passphrase of its own."""


@command.command(short_help="Make a key pair for each role.")
@click.argument("roles", nargs=-1, required=True, metavar="ROLE...")
@click.option("-o", "--output", type=PATH, default=Path("keys"), show_default=True, help="Directory.")
@click.option(
    "--algorithm",
    type=click.Choice([item.value for item in KeyAlgorithm]),
    default=KeyAlgorithm.ED25519.value,
    show_default=True,
)
@click.option(
    "--passphrases",
    type=PATH,
    help="Directory with one passphrase file for each role; those that are not there are made. "
    "[default: passphrases/ beside the keys, when nothing else gives a passphrase]",
)
@PASSPHRASE_FILE
@click.option("--one-passphrase", is_flag=True, help="Encrypt the keys of all roles with the same passphrase.")
def new(
    roles: tuple[str, ...],
    output: Path,
    algorithm: str,
    passphrases: Path | None,
    passphrase_file: Path | None,
    one_passphrase: bool,
) -> None:
    """Make a key pair for each ROLE: ROLE.key, encrypted with the role's passphrase, and ROLE.pub.

    Usual roles are scanner, auditor, tester and verifier. Each has a passphrase of its own: at random in the file
    passphrases/ROLE, or the one that you give. Whoever learns one of them opens one key. Nothing is ever overwritten.
    """
    keep_others_out()
    _require_new(roles, output)
    if passphrases is not None and (passphrase_file is not None or one_passphrase):
        raise UsageError(
            "--passphrases gives each role a passphrase of its own, and --passphrase-file or --one-passphrase another",
            remedy="give one of them",
        )
    if one_passphrase:
        found = dict.fromkeys(roles, read_passphrase(passphrase_file, role=None))
    else:
        found = {
            role: _own(role, passphrases, passphrase_file, default=output.parent / "passphrases") for role in roles
        }
        _require_different(found)
    for passphrase in found.values():
        require_length(passphrase)
    make_directory(output)
    write_pairs(found, output=output, algorithm=KeyAlgorithm(algorithm))


@command.command(short_help="Write private keys anew, as costly to guess as new ones.")
@click.argument("files", nargs=-1, required=True, type=PATH, metavar="FILE...")
@PASSPHRASE_FILE
@click.option(
    "--passphrases",
    type=PATH,
    help="Give each key a passphrase of its own: the one in this directory's file ROLE, made when it is not there.",
)
def rewrap(files: tuple[Path, ...], passphrase_file: Path | None, passphrases: Path | None) -> None:
    """Write each private key FILE anew, encrypted as `keys new` does it; the key stays the same.

    For files of older releases and of other programs, which may be hundreds of times cheaper to guess. A copy of the
    old file stays as cheap as it was: where one may be in other hands, make a new key and retire this one.
    """
    keep_others_out()
    for file in files:
        data = read_entry(file, limit=MAX_KEY_BYTES, what="the private key")
        old = read_passphrase(passphrase_file, role=file.stem)
        key = PrivateKey.parse(data, passphrase=old, what=str(file))
        passphrase = old if passphrases is None else stored_passphrase(passphrases, role=file.stem)
        sealed = key.encrypted(passphrase)
        if PrivateKey.parse(sealed, passphrase=passphrase, what="the new file").public != key.public:
            raise KeyFileError(f"{file} could not be written so that it reads back; it is as it was")
        write_atomically(file, sealed, mode=0o600)
        click.echo(f"{file}  {key.public.id}")


def write_pairs(passphrases: Mapping[str, bytes], *, output: Path, algorithm: KeyAlgorithm) -> None:
    """Make a key pair for each role and say what its public key is; whole pairs alone are left.

    Raises:
        OutputError: When a file is there, or cannot be written.
    """
    for role, passphrase in passphrases.items():
        key = PrivateKey.generate(algorithm)
        private = output / f"{role}.key"
        write_new(private, key.encrypted(passphrase), mode=0o600)
        try:
            write_new(output / f"{role}.pub", key.public.pem.encode())
        except OutputError:
            private.unlink()  # half a pair is of no use, and would be in the way of the next attempt
            raise
        click.echo(f"{output / role}.pub  {key.public.id}")


def _require_new(roles: tuple[str, ...], output: Path) -> None:
    for role in roles:
        if not role.replace("-", "").isalnum() or not role.isascii() or role == SHARED:
            raise UsageError(f"{role!r} is not a role; use letters, digits and hyphens, and not the word {SHARED}")
        if roles.count(role) > 1:
            raise UsageError(f"the role {role} is named twice", remedy="name it once")
        if (output / f"{role}.key").exists() or (output / f"{role}.pub").exists():
            raise KeyFileError(f"{output / role}.key or .pub exists already", remedy="choose another --output")


def _own(role: str, passphrases: Path | None, file: Path | None, *, default: Path) -> bytes:
    if passphrases is not None:
        return stored_passphrase(passphrases, role=role)
    if file is not None:
        return read_passphrase(file, role=role)
    return from_environment(role) or stored_passphrase(default, role=role)


def _require_different(found: dict[str, bytes]) -> None:
    for passphrase in found.values():
        same = [role for role, other in found.items() if other == passphrase]
        if len(same) > 1:
            raise KeyFileError(
                f"one passphrase would open the keys of {_listed(same)}: whoever learns it signs as each of them",
                remedy=f"unset {PASSPHRASE_VARIABLE} and leave --passphrase-file out, and each role gets its own in "
                f"passphrases/; or set {variable_of(same[0])} and so on; or give --one-passphrase",
            )


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}"
