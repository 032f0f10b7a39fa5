"""Read labelled examples, whatever the format: the one reader of all checks."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.data import limits
from weighbridge.checks.data.arrow import read_arrow
from weighbridge.checks.data.delimited import read_delimited
from weighbridge.checks.data.kinds import FORMATS, HEAD, Kind, kind_of
from weighbridge.checks.data.labels import LabelColumn
from weighbridge.checks.data.limits import DataError, listed
from weighbridge.checks.data.npy import read_table
from weighbridge.checks.data.npz import MEMBERS, read_arrays, read_npz
from weighbridge.checks.data.pictures import is_picture_folder, read_folder
from weighbridge.checks.data.raw import Choice, Raw
from weighbridge.checks.data.saved_dataset import is_saved_dataset, read_saved_dataset
from weighbridge.checks.data.source import Folder, open_folder, read_file
from weighbridge.checks.runners.distinct import count_distinct
from weighbridge.checks.runners.interface import Floats
from weighbridge.evidence.measurements import BoundsFrom, Input

UNIT: Final = (0.0, 1.0)
"""The bounds when nobody says anything and all numbers lie in them."""

_IMAGE_DIMENSIONS: Final = 3
_CHANNELS: Final = frozenset({1, 3})


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled examples: flat rows in ``bounds``, the shape of one example, and the data's identity."""

    x: Floats
    y: LabelColumn
    shape: tuple[int, ...]
    bounds: tuple[float, float]
    source: Input

    @property
    def image(self) -> tuple[int, int, int] | None:
        """Return channels, height and width when an example is a picture, else None."""
        if len(self.shape) == _IMAGE_DIMENSIONS - 1:
            return (1, self.shape[0], self.shape[1])
        if len(self.shape) == _IMAGE_DIMENSIONS and self.shape[0] in _CHANNELS:
            return (self.shape[0], self.shape[1], self.shape[2])
        return None

    def take(self, rows: NDArray[np.intp]) -> Examples:
        """Return some of the examples; the identity stays that of the whole data."""
        return Examples(self.x[rows], self.y.take(rows), self.shape, self.bounds, self.source)


def read_examples(path: Path, *, choice: Choice = Choice()) -> Examples:  # noqa: B008 - frozen
    """Read a data file or folder, of a format that its content tells.

    Bounds are the caller's or the file's own; else [0, 1] where all numbers lie in it; else those of the numbers
    themselves, which follow from the bytes alone.

    Raises:
        DataError: The data cannot be read, is too large, holds objects, values that are not finite or outside the
            bounds, or rows and labels that do not belong together.
    """
    what = path.name
    if path.is_dir():
        folder = open_folder(path)
        raw = _of_folder(folder, choice)
        digest, size = hashlib.sha256(folder.listing()).hexdigest(), folder.size
    else:
        blob = read_file(path)
        raw = _of_file(blob, what, choice)
        digest, size = hashlib.sha256(blob).hexdigest(), len(blob)
    rows = _rows(raw, what)
    bounds, known = _bounds(raw, rows, choice, what)
    source = Input(
        name=what,
        sha256=digest,
        rows=len(rows),
        size=size,
        kind=raw.kind,
        distinct=count_distinct(rows, bounds),
        bounds=bounds,
        label=raw.label[: limits.MAX_LABEL],
        bounds_from=known,
    )
    return Examples(x=rows, y=raw.y, shape=tuple(raw.x.shape[1:]), bounds=bounds, source=source)


def _of_file(blob: bytes, what: str, choice: Choice) -> Raw:
    match kind_of(blob[:HEAD], name=what):
        case Kind.NPZ:
            return read_npz(blob, what=what, label=choice.label)
        case Kind.NPY:
            return read_table(blob, what=what, label=choice.label)
        case Kind.CSV:
            return read_delimited(blob, what=what, label=choice.label)
        case kind:
            return read_arrow([blob], kind=kind, what=what, choice=choice)


def _of_folder(folder: Folder, choice: Choice) -> Raw:
    names = folder.names
    if is_saved_dataset(names):
        return read_saved_dataset(folder, choice=choice)
    if {"x.npy", "y.npy"} <= set(names) <= MEMBERS:
        return read_arrays(folder, label=choice.label)
    if is_picture_folder(names):
        return read_folder(folder, choice=choice)
    raise DataError(
        f"the folder {folder.path.name} holds {listed(list(names))}, which is no data that is known",
        remedy="A folder is x.npy with y.npy, a folder of pictures for each class, or a data set of Hugging Face that "
        f"save_to_disk wrote. Of other folders give one file. {FORMATS}",
    )


def _rows(raw: Raw, what: str) -> Floats:
    x, count = raw.x, len(raw.y.numbers)
    if len(x) != count or not 1 <= count <= limits.MAX_ROWS:
        raise DataError(f"{what} has {len(x)} rows and {count} labels, expected as many, 1 to {limits.MAX_ROWS}")
    features = math.prod(x.shape[1:])
    if not 1 <= features <= limits.MAX_FEATURES:
        raise DataError(f"an example of {what} has {features} numbers, expected 1 to {limits.MAX_FEATURES}")
    rows = np.ascontiguousarray(x.reshape(count, features).astype(np.float64, copy=False))
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise DataError(
            f"x of {what} has values that are not finite, the first in row {int(finite.argmin())} (counted from 0)",
            remedy="Fill gaps as it was done for training, or leave out such rows.",
        )
    return rows


def _bounds(raw: Raw, rows: Floats, choice: Choice, what: str) -> tuple[tuple[float, float], BoundsFrom]:
    low, high = float(rows.min()), float(rows.max())
    if choice.bounds is not None and not (math.isfinite(sum(choice.bounds)) and choice.bounds[0] < choice.bounds[1]):
        raise DataError(f"the bounds {list(choice.bounds)} are not two finite numbers, the lower first")
    stated = choice.bounds or raw.bounds
    if stated is None:
        if UNIT[0] <= low and high <= UNIT[1]:
            return UNIT, BoundsFrom.DEFAULT
        if low == high:
            raise DataError(f"every number of {what} is {low:g}", remedy="Give examples that differ.")
        return (low, high), BoundsFrom.ROWS
    if choice.bounds is not None and raw.bounds is not None and choice.bounds != raw.bounds:
        raise DataError(
            f"{what} states the bounds [{raw.bounds[0]:g}, {raw.bounds[1]:g}], and others were asked for",
            remedy="Leave out --bounds, or correct them in the data.",
        )
    if low < stated[0] or high > stated[1]:
        raise DataError(
            f"x of {what} lies in [{low:g}, {high:g}], outside the bounds [{stated[0]:g}, {stated[1]:g}]",
            remedy="Give the true bounds of the inputs: --bounds LOW HIGH, or a third array named bounds.",
        )
    return stated, BoundsFrom.FILE if raw.bounds is not None else BoundsFrom.CALLER
