"""Tell whether a score that is asked again differs by rounding: by what is made of it, row by row.

Checks look at how far the score of a row's label is ahead: of the best other one, and of all others together (the
log-odds). So these two are compared, each row with itself. Other columns and other rows are no measure of what a
difference means: one huge score that is the same everywhere would make any other difference small beside it.

What is left open: a model could tell something by differences that are as small as rounding. They are limited to a
thousandth of what is usual for its rows and to some units in the last place of the two scores that make the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.runners.interface import Floats

Places = NDArray[np.intp]

TOLERANCE: Final = 1e-3
"""Difference that may be rounding, for probabilities of their logarithms and for margins of what is usual, at most 1.

Batches of other sizes go through other code paths of BLAS, which add in another order, in single precision mostly.
"""

UNITS: Final = 16
"""Units in the last place by which scores may differ as well, in the precision in which the model gives them."""

_LEAST: Final = {np.float32: 1e-30, np.float64: 1e-300}
"""Smallest probabilities that are told apart; below them come numbers of fewer digits."""

_TWO: Final = 2

_SUM_TOLERANCE: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Rounding:
    """First answers about some rows, and by how much later ones about the same may differ."""

    columns: Places
    logs: _Logs
    ahead: Floats
    allowed: Floats

    @classmethod
    def of(cls, scores: Floats, columns: Places) -> Rounding:
        """Take the first answers as the measure of later ones; ``columns`` are those of the rows' labels."""
        logs = _Logs.of(scores)
        every = np.arange(len(scores))
        ahead = _ahead(logs.of_rows(scores, every), columns)
        others = scores.copy()
        others[every, columns] = -np.inf
        place = others.argmax(axis=1)
        true, other = scores[every, columns], scores[every, place]
        usual = min(1.0, float(np.median(np.abs(ahead[0]))))
        allowed = TOLERANCE * np.where(logs.probable, 1.0, usual) + logs.unit * (np.abs(true) + np.abs(other))
        smaller = np.where(true < other, columns, place)
        near_zero = logs.unit / np.maximum(np.minimum(true, other), logs.unit)
        return cls(columns, logs, ahead, allowed + np.where(logs.probable & logs.coarse[smaller], near_zero, 0.0))

    def compare(self, scores: Floats, rows: Places) -> tuple[Floats, NDArray[np.bool_]]:
        """Return by how much what is made of later answers about some rows differs, and where that is no rounding."""
        again = _ahead(self.logs.of_rows(scores, rows), self.columns[rows])
        apart: Floats = np.abs(again - self.ahead[:, rows]).max(axis=0)
        return apart, apart > self.allowed[rows]


@dataclass(frozen=True, slots=True)
class _Logs:
    """How scores are brought on the scale of margins: rows of probabilities by their logarithm.

    ``coarse`` columns hold one less the other, so that near zero they have few digits: of two classes only, because
    a column of zeros must not pass for one.
    """

    probable: NDArray[np.bool_]
    coarse: NDArray[np.bool_]
    digits: float
    unit: float
    least: float

    @classmethod
    def of(cls, scores: Floats) -> _Logs:
        with np.errstate(over="ignore"):
            single = bool((scores.astype(np.float32) == scores).all())
        precision = np.float32 if single else np.float64
        eps = float(np.finfo(precision).eps)
        probable = (scores.min(axis=1) >= 0.0) & (np.abs(scores.sum(axis=1) - 1.0) <= _SUM_TOLERANCE)
        coarse = _whole(scores[probable], 2 / eps).all(axis=0) & (scores.shape[1] == _TWO)
        return cls(probable, coarse, digits=2 / eps, unit=UNITS * eps, least=_LEAST[precision])

    def of_rows(self, scores: Floats, rows: Places) -> Floats:
        probable = self.probable[rows][:, None]
        shares = np.where(probable, scores, 1.0)
        floor = np.where(self.coarse & _whole(shares, self.digits), self.unit, self.least)
        return np.where(probable, np.log(np.maximum(shares, floor)), scores)


def _whole(shares: Floats, digits: float) -> NDArray[np.bool_]:
    scaled = shares * digits
    whole: NDArray[np.bool_] = scaled == np.floor(scaled)
    return whole


def _ahead(logs: Floats, columns: Places) -> Floats:
    # How far the score of the label is ahead of the best other one, and of all others together.
    others, rows = logs.copy(), np.arange(len(logs))
    others[rows, columns] = -np.inf
    best = others.max(axis=1)
    together = best + np.log(np.exp(others - best[:, None]).sum(axis=1))
    true = logs[rows, columns]
    return np.stack([true - best, true - together])
