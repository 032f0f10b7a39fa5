"""Count the examples that differ from each other by more than a little noise.

Copies of a few examples make an interval as narrow as many examples do, and what is measured on them says nothing of
others. Equality does not find copies, since noise that no model sees makes each of them another; nor do the cells of a
grid, since of thousands of columns noise always carries some across an edge. So examples are counted by distance.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.runners.interface import Floats

Places = NDArray[np.intp]

NOISE: Final = 1 / 1024
"""Share of the bounds' width by which some value of two examples must differ, for both to count.

A quarter of a level of grey: pictures of 8 bits differ from each other by more, or not at all.
"""

MAX_COMPARED: Final = 2**32
"""Most numbers that are compared, some ten seconds' work. What is left then is not counted."""

_WIDEST: Final = 16
"""Columns of the largest spread, which are compared first: hardly any two examples are alike in all of them."""

_SAMPLE: Final = 4_096
"""Rows that tell which columns these are."""

_BLOCK: Final = 2**20
"""Most numbers of whole examples that are compared at once, so that memory stays bounded."""


def count_distinct(rows: Floats, bounds: tuple[float, float]) -> int:
    """Return how many rows are counted when each must be far from all that were counted before it.

    Two rows are near when no value differs by more than ``NOISE`` of the bounds' width (or by the rounding of numbers
    of that size). So copies of one row whose noise spans less than that count once. Where more than ``MAX_COMPARED``
    numbers would have to be compared, the count is too low, never too high.
    """
    # Bounds so far apart that their distance is no number are halved, with all that lies between.
    unit = 1.0 if math.isfinite(bounds[1] - bounds[0]) else 0.5
    width = unit * bounds[1] - unit * bounds[0]
    rounding = float(np.spacing(unit * max(map(abs, bounds))))
    near = max(width * NOISE, 2 * rounding)
    sample = unit * rows[:: -(-len(rows) // _SAMPLE)] / width
    some = unit * rows[:, np.argsort(-sample.std(axis=0), kind="stable")[:_WIDEST]]
    # A mean of columns differs by no more than the largest difference of one. So rows that are near each other follow
    # each other closely by it, and each is compared with few; weights, so that whole numbers have many means.
    weights = np.arange(some.shape[1], 0, -1, dtype=np.float64)
    means = some @ (weights / weights.sum())
    order = np.argsort(means, kind="stable")
    first = np.searchsorted(means[order], means[order] - near - _WIDEST * rounding)
    return _count(unit * rows if unit < 1.0 else rows, some, order=order, first=first, near=near)


def _count(rows: Floats, some: Floats, *, order: Places, first: Places, near: float) -> int:
    # ``counted`` holds places in ``order``, rising; a row at one is compared with those from ``first`` of it on.
    counted = np.empty(len(order), dtype=np.intp)
    kept = np.empty_like(some)
    count = start = compared = 0
    step = max(1, _BLOCK // rows.shape[1])
    for place, row in enumerate(order):
        while start < count and counted[start] < first[place]:
            start += 1
        alike = np.flatnonzero(np.abs(kept[start:count] - some[row]).max(axis=1, initial=0.0) <= near) + start
        compared += (count - start) * some.shape[1]
        covered = False
        for block in range(0, len(alike), step):
            others = order[counted[alike[block : block + step]]]
            compared += others.size * rows.shape[1]
            covered = bool((np.abs(rows[others] - rows[row]).max(axis=1) <= near).any())
            if covered or compared > MAX_COMPARED:
                break
        if compared > MAX_COMPARED:
            break
        if not covered:
            counted[count], kept[count] = place, some[row]
            count += 1
    return count
