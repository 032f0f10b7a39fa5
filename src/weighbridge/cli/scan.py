"""``weighbridge scan MODEL``."""

from __future__ import annotations

from pathlib import Path

import click

from weighbridge.checks.interface import ModelScanOptions
from weighbridge.cli._checks import Destination, check_options, perform
from weighbridge.cli._options import MODEL


@click.command(short_help="Scan a model for code and for what cannot be judged.")
@MODEL
@check_options
def command(model: Path, evidence: Path | None, key: Path | None, passphrase_file: Path | None, output: str) -> int:
    """Scan every file of MODEL for code that would run when it is loaded, and for what cannot be judged.

    Nothing is loaded: pickles are walked by a symbolic machine with an exact allow list. A format that the scan does
    not read is undecided, never clean. Exit code 0: clean, 1: findings, 2: undecided.
    """
    return perform(model, ModelScanOptions(), destination=Destination(output, evidence, key, passphrase_file))
