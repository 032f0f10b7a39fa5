"""``weighbridge robustness MODEL``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from weighbridge.checks.interface import RobustnessOptions
from weighbridge.cli._checks import Destination, check_options, perform
from weighbridge.cli._data_options import BOUNDS, FORMATS, LABEL
from weighbridge.cli._options import MODEL
from weighbridge.cli._outlet import Outlet

INPUT = click.Path(path_type=Path, exists=True)


@click.command(short_help="Attack a model and measure what it withstands.")
@MODEL
@check_options
@click.option("--data", type=INPUT, required=True, help=f"Examples to attack, with labels: {FORMATS}.")
@LABEL
@BOUNDS
@click.option(
    "--epsilon", type=float, default=0.1, show_default=True, help="Largest change, a share of the inputs' range."
)
@click.option("--queries", type=int, default=1_000, show_default=True, help="Model calls an example.")
@click.option("--samples", type=int, default=200, show_default=True, help="Examples to attack.")
@click.option("--seed", type=int, help="For looking around: evidence with a chosen seed does not count.")
def command(
    model: Path,
    evidence: Path | None,
    key: Path | None,
    passphrase_file: Path | None,
    output: Outlet,
    data: Path,
    label: str | None,
    bounds: tuple[float, float] | None,
    epsilon: float,
    queries: int,
    samples: int,
    seed: int | None,
) -> int:
    """Attack MODEL (ONNX or scikit-learn) through its scores and measure how many examples withstand.

    An attack that fails proves little, so its controls are reported with it; at best the model is "not falsified".
    """
    options = RobustnessOptions(
        data=os.path.abspath(data),
        epsilon=epsilon,
        queries=queries,
        samples=samples,
        seed=seed,
        label=label,
        bounds=bounds,
    )
    return perform(model, options, destination=Destination(output, evidence, key, passphrase_file))
