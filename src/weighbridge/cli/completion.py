"""``weighbridge completion SHELL``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from weighbridge.errors import UsageError


@click.command(short_help="Print a completion script for a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a completion script for SHELL; source it from your shell's start-up file.

    For bash: `source <(weighbridge completion bash)`.
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"there is no completion for {shell}")
    root = context.find_root().command
    click.echo(kind(root, {}, "weighbridge", "_WEIGHBRIDGE_COMPLETE").source())
