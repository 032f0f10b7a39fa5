"""``weighbridge scan MODEL...``."""

from __future__ import annotations

from pathlib import Path

import click

from weighbridge.checks.interface import ModelScanOptions
from weighbridge.cli._checks import Destination, check_options, perform
from weighbridge.cli._outlet import SEVERITY, Outlet
from weighbridge.cli._places import MODEL_PATH
from weighbridge.cli._stdin import MAX_MODEL, as_files, is_stdin
from weighbridge.errors import UsageError


@click.command(short_help="Scan a model for code and for what cannot be judged.")
@click.argument("models", nargs=-1, required=True, type=MODEL_PATH, metavar="MODEL...")
@check_options
@SEVERITY
def command(
    models: tuple[Path, ...],
    evidence: Path | None,
    key: Path | None,
    passphrase_file: Path | None,
    output: Outlet,
    least: str | None,
) -> int:
    """Scan every file of MODEL for code that would run when it is loaded, and for what cannot be judged.

    Nothing is loaded: pickles are walked by a symbolic machine with an exact allow list. A format that the scan does
    not read is undecided, never clean. Of several models there is one report; - is a model on standard input. Exit code
    0: clean, 1: findings, 2: undecided; of several models the worst: 1, else 2.
    """
    if key is not None and any(map(is_stdin, models)):
        raise UsageError(
            "a model's digest binds its name, and the standard input has none",
            remedy="write it to a file, or leave --key out",
        )
    destination = Destination(output.showing(least), evidence, key, passphrase_file)
    with as_files(models, limit=MAX_MODEL) as files:
        if len(files) == 1:
            return perform(files[0], ModelScanOptions(), destination=destination)
        from weighbridge.cli._several import perform_all

        return perform_all(files, ModelScanOptions(), destination=destination)
