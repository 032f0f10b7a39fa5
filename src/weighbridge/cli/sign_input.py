"""``weighbridge sign-input FILE --role ROLE``."""

from __future__ import annotations

from pathlib import Path

import click

from weighbridge._files import write_new
from weighbridge.cli._bindings import input_bytes
from weighbridge.cli._passphrases import PASSPHRASE_FILE, open_key
from weighbridge.clock import system_clock
from weighbridge.evidence.inputs import SIGNABLE, free_place, sign_input
from weighbridge.evidence.measurements import InputRole

PATH = click.Path(path_type=Path)


@click.command(short_help="Answer for a data set, a lock or advisories.")
@click.argument("file", type=PATH)
@click.option(
    "--role", type=click.Choice([role.value for role in SIGNABLE]), required=True, help="What it may be used as."
)
@click.option("--key", type=PATH, required=True, help="Private key of a role that may sign such inputs.")
@PASSPHRASE_FILE
@click.option("--about", help="Line of models that it belongs to: needed for members, non-members, lock, requirements.")
@click.option(
    "-o",
    "--output",
    type=PATH,
    help="The signature. [default: FILE.sigstore.json; FILE.ROLE.sigstore.json for a further role]",
)
def command(
    file: Path, role: str, key: Path, passphrase_file: Path | None, about: str | None, output: Path | None
) -> None:
    """Sign FILE as an input of checks, so that a policy can ask for inputs that this role answers for.

    Checks choose nothing by themselves: whoever calls them names the data. With `inputs: {test: {signers: [curator]}}`
    in the policy, only data that the curator signed counts. The signature lies beside the file and travels with it.
    That of requirements is over FILE and all that it includes.
    """
    named = InputRole(role)
    data = input_bytes(named, file)
    sign_bytes(data, file=file, role=named, key=key, passphrase_file=passphrase_file, about=about, output=output)


def sign_bytes(
    data: bytes,
    *,
    file: Path,
    role: InputRole,
    key: Path,
    passphrase_file: Path | None,
    output: Path | None = None,
    about: str | None = None,
) -> None:
    """Sign the bytes that were read from an input file, and say where the signature is.

    Raises:
        OutputError: When there is a file in its place.
    """
    signer = open_key(key, passphrase=passphrase_file)
    target = output if output is not None else free_place(file, role=role)
    write_new(target, sign_input(data, name=file.name, role=role, signer=signer, now=system_clock(), about=about))
    click.echo(f"{target}: {file.name} as {role}, signed by {signer.public.id}")
