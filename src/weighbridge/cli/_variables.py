"""Environment variables for options: WEIGHBRIDGE_COMMAND_OPTION, as the option is written on the command line.

``--format`` of ``scan`` is WEIGHBRIDGE_SCAN_FORMAT, and of ``keys new`` ``--output`` is WEIGHBRIDGE_KEYS_NEW_OUTPUT.
"""

from __future__ import annotations

from typing import Final

import click

PREFIX: Final = "WEIGHBRIDGE"
"""How every variable begins."""

TYPED_ONLY: Final = frozenset({"--any-policy"})
"""Options that give up what a command is for: whoever reads a command line must see them."""


def give_variables(command: click.Command, *words: str) -> None:
    """Let every option of a command, and of the commands in it, be set by a variable of its own."""
    for param in command.params:
        if isinstance(param, click.Option) and param.envvar is None and (name := long_name(param)) not in TYPED_ONLY:
            param.envvar = variable(*words, name)
    if isinstance(command, click.Group):
        for name, item in command.commands.items():
            give_variables(item, *words, name)


def long_name(option: click.Option) -> str:
    """Return how an option is written in full: ``--lock``."""
    return max(option.opts, key=len)


def variable(*words: str) -> str:
    """Return the variable of an option: of ``scan --format`` it is WEIGHBRIDGE_SCAN_FORMAT."""
    return "_".join((PREFIX, *(word.lstrip("-").replace("-", "_").upper() for word in words)))
