"""``weighbridge digest MODEL``."""

from __future__ import annotations

from pathlib import Path

import click

from weighbridge.cli._options import MODEL, identify


@click.command(short_help="Print the digest that identifies a model.")
@MODEL
def command(model: Path) -> None:
    """Print the digest that identifies MODEL, a directory or one file.

    The digest is the in-toto dirHash: anyone can reproduce it with find, sort and sha256sum. It binds names and bytes;
    a model with a symlink, a device or a name with a control character has none.
    """
    click.echo(str(identify(model)))
