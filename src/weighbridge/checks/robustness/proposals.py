"""Candidates that an attack tries: random patches, and single flips from one end of the box to the other.

Random patches follow the idea of Andriushchenko, Croce, Flammarion and Hein, "Square Attack: a query-efficient
black-box adversarial attack via random search", ECCV 2020: strong changes lie on the corners of the box, patches
matter more than single values, and their size shrinks as the budget is used. Flips follow Moon, An and Song,
"Parsimonious black-box adversarial attacks via efficient combinatorial optimization", ICML 2019: once near a
maximum, a local search over the corners finds what random patches no longer do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.runners.interface import Floats

Generator = np.random.Generator
Image = tuple[int, int, int]

_FIRST_SHARE: Final = 0.8
"""Share of an input that the first patches cover."""

_HALVINGS: Final = (0.005, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Used shares of the budget after which that share is halved."""


@dataclass(frozen=True, slots=True)
class Box:
    """The inputs that an attack may choose from: within epsilon of the example and within the bounds."""

    low: Floats
    high: Floats

    @classmethod
    def around(cls, x: Floats, *, epsilon: float, bounds: tuple[float, float]) -> Box:
        """Return the box of each row."""
        return cls(low=np.maximum(x - epsilon, bounds[0]), high=np.minimum(x + epsilon, bounds[1]))

    def take(self, rows: NDArray[np.intp]) -> Box:
        """Return the boxes of some rows."""
        return Box(low=self.low[rows], high=self.high[rows])


def start(box: Box, *, image: Image | None, rng: Generator) -> Floats:
    """Return a first corner for each row: vertical stripes of a picture, else random ends."""
    count, features = box.low.shape
    if image is None:
        up = rng.random((count, features)) < 0.5  # noqa: PLR2004 - a fair coin
    else:
        channels, height, width = image
        stripes = rng.random((count, channels, 1, width)) < 0.5  # noqa: PLR2004
        up = np.broadcast_to(stripes, (count, channels, height, width)).reshape(count, features)
    return np.where(up, box.high, box.low)


def patch(best: Floats, box: Box, *, image: Image | None, used: float, rng: Generator) -> Floats:
    """Move one random patch of each row to one end of its box; ``used`` is the share of the budget gone."""
    share = _FIRST_SHARE / 2 ** int(np.searchsorted(_HALVINGS, used, side="right"))
    count, features = best.shape
    if image is None:
        inside = rng.random((count, features)) < share
        inside[np.arange(count), rng.integers(0, features, count)] = True
        up = rng.random((count, features)) < 0.5  # noqa: PLR2004
    else:
        channels, height, width = image
        side = min(max(1, round(math.sqrt(share * height * width))), max(1, min(height, width) - 1))
        tall = _within(rng.integers(0, height - side + 1, size=(count, 1)), height, side)
        wide = _within(rng.integers(0, width - side + 1, size=(count, 1)), width, side)
        square = tall[:, None, :, None] & wide[:, None, None, :]
        inside = np.broadcast_to(square, (count, channels, height, width)).reshape(count, features)
        signs = rng.random((count, channels, 1)) < 0.5  # noqa: PLR2004
        up = np.broadcast_to(signs, (count, channels, height * width)).reshape(count, features)
    return np.where(inside, np.where(up, box.high, box.low), best)


def _within(first: NDArray[np.int64], length: int, side: int) -> NDArray[np.bool_]:
    places = np.arange(length)[None, :]
    inside: NDArray[np.bool_] = (places >= first) & (places < first + side)
    return inside


def flip(best: Floats, box: Box, group: NDArray[np.intp]) -> Floats:
    """Move a group of values of each row to the farther end of their box."""
    candidate = best.copy()
    low, high = box.low[:, group], box.high[:, group]
    candidate[:, group] = np.where(best[:, group] > (low + high) / 2, low, high)
    return candidate


def flip_groups(features: int, *, image: Image | None, most: int, rng: Generator) -> list[NDArray[np.intp]]:
    """Return groups of values that together cover an input once, at most ``most``, in random order.

    Each value is a group of its own when there are few enough; else groups are squares of a picture, or random.
    """
    if features <= most or image is None:
        return np.array_split(rng.permutation(features), min(features, most))
    channels, height, width = image
    side = math.ceil(math.sqrt(height * width / most))
    while math.ceil(height / side) * math.ceil(width / side) > most:
        side += 1
    places = np.arange(features).reshape(channels, height, width)
    groups = [
        places[:, row : row + side, column : column + side].ravel()
        for row in range(0, height, side)
        for column in range(0, width, side)
    ]
    return [groups[number] for number in rng.permutation(len(groups))]
