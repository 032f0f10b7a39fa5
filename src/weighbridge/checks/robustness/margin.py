"""Turn scores into the number that an attack lowers: how far the true class is ahead of the next."""

from __future__ import annotations

import enum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.runners.interface import Floats

_TINY: Final = 1e-300
"""Stands for a probability of zero, so that its logarithm exists."""

_SUM_TOLERANCE: Final = 1e-3


class ScoreScale(enum.Enum):
    """What scores are: probabilities, of which the logarithm is compared, or margins, compared as they are.

    Near certainty a probability stops moving long before its logarithm does, and an attack needs to see movement.
    """

    PROBABILITY = "probability"
    MARGIN = "margin"


def scale_of(scores: Floats) -> ScoreScale:
    """Tell probabilities from margins: non-negative rows that sum to one."""
    sums = scores.sum(axis=1)
    if scores.min() >= 0.0 and bool(np.all(np.abs(sums - 1.0) <= _SUM_TOLERANCE)):
        return ScoreScale.PROBABILITY
    return ScoreScale.MARGIN


def margins(scores: Floats, columns: NDArray[np.intp], *, scale: ScoreScale) -> Floats:
    """Return, for each row, the score of its true column less the best other one; below zero is a wrong answer."""
    values = np.log(np.maximum(scores, _TINY)) if scale is ScoreScale.PROBABILITY else scores.copy()
    rows = np.arange(len(values))
    true = values[rows, columns]
    values[rows, columns] = -np.inf
    gaps: Floats = true - values.max(axis=1)
    return gaps
