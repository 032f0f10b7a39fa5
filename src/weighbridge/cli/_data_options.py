"""Options about data that several commands share."""

from __future__ import annotations

import math
from typing import Final

import click

FORMATS: Final = "CSV, Parquet, Arrow, npz, npy, a folder of pictures, or a Hugging Face data set on disk"
"""What data may be, for help texts."""


def _ordered(_: click.Context, __: click.Parameter, value: tuple[float, float] | None) -> tuple[float, float] | None:
    if value is not None and not (math.isfinite(value[0]) and math.isfinite(value[1]) and value[0] < value[1]):
        raise click.BadParameter("expected two finite numbers, the lower first")
    return value


LABEL: Final = click.option(
    "--label",
    metavar="NAME|POSITION",
    help="Column of the labels; positions count from 0, -1 is the last. [default: the column y, label, labels, target "
    "or class]",
)
BOUNDS: Final = click.option(
    "--bounds",
    type=(float, float),
    metavar="LOW HIGH",
    callback=_ordered,
    help="Bounds of the inputs. [default: those that the data states; 0 1; or those of the rows]",
)
