"""``weighbridge version``."""

from __future__ import annotations

import click

from weighbridge import __version__


@click.command(short_help="Print the version.")
def command() -> None:
    """Print the version, as `weighbridge --version` does."""
    click.echo(f"weighbridge, version {__version__}")
