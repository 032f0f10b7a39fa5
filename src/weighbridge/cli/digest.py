"""``weighbridge digest MODEL``."""

from __future__ import annotations

from pathlib import Path

import click

from weighbridge.cli._options import MODEL
from weighbridge.cli._progress import bytes_progress
from weighbridge.digest import hash_model


@click.command(short_help="Print the digest that identifies a model.")
@MODEL
def command(model: Path) -> None:
    """Print the digest that identifies MODEL, a directory or one file.

    The digest is the in-toto dirHash: anyone can reproduce it with find, sort and sha256sum. It binds names and bytes;
    a model with a symlink, a device or a name with a control character has none.
    """
    with bytes_progress("hashing") as progress:
        digest = hash_model(model, progress=progress)
    click.echo(str(digest))
