"""``weighbridge leakage MODEL``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from weighbridge.checks.interface import LeakageOptions
from weighbridge.cli._checks import Destination, check_options, perform
from weighbridge.cli._data_options import BOUNDS, FORMATS, LABEL
from weighbridge.cli._options import MODEL
from weighbridge.cli._outlet import Outlet

INPUT = click.Path(path_type=Path, exists=True)


@click.command(short_help="Measure what a model gives away about its training data.")
@MODEL
@check_options
@click.option("--members", type=INPUT, required=True, help=f"Rows that were trained on: {FORMATS}.")
@click.option("--non-members", type=INPUT, required=True, help="Rows that were not, from the same source.")
@LABEL
@BOUNDS
@click.option("--fpr", "rates", type=float, multiple=True, help="False-positive rate. [default: 0.01, 0.05, 0.1]")
@click.option("--confidence", "confidences", type=float, multiple=True, help="[default: 0.9, 0.95, 0.99]")
@click.option("--seed", type=int, help="For looking around: evidence with a chosen seed does not count.")
def command(
    model: Path,
    evidence: Path | None,
    key: Path | None,
    passphrase_file: Path | None,
    output: Outlet,
    members: Path,
    non_members: Path,
    label: str | None,
    bounds: tuple[float, float] | None,
    rates: tuple[float, ...],
    confidences: tuple[float, ...],
    seed: int | None,
) -> int:
    """Measure how well MODEL's scores tell training examples from others, and look for training rows inside it."""
    options = LeakageOptions(
        members=os.path.abspath(members),
        non_members=os.path.abspath(non_members),
        rates=rates or LeakageOptions(members="", non_members="").rates,
        confidences=confidences or LeakageOptions(members="", non_members="").confidences,
        seed=seed,
        label=label,
        bounds=bounds,
    )
    return perform(model, options, destination=Destination(output, evidence, key, passphrase_file))
