"""Tell training rows from others by the model's loss, and bound how well that works.

The attack is the loss threshold of Yeom, Giacomelli, Fredrikson and Jha, "Privacy risk in machine learning: analyzing
the connection to overfitting", CSF 2018; it needs no reference models and is weak. The figure is the true-positive
rate at a low false-positive rate, as Carlini et al., "Membership inference attacks from first principles", S&P 2022,
ask for; an average such as AUC hides the few rows that are surely recognised.

The threshold that gives a false-positive rate is not known but estimated from the non-members, and a bound that
forgets this is wrong too often. Here the threshold is itself bounded, by order statistics: of ``n`` independent
non-members, the chance that the ``j``-th most member-like lies above the true threshold for a rate ``a`` is
P[Binomial(n, a) >= j], whatever the distribution (Wilks, "Determination of sample sizes for setting tolerance
limits", 1941). Half of the allowed error goes to the threshold, half to the Clopper-Pearson bound on the members
beyond it. With ties the rule for the upper bound takes all equals and that for the lower bound none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge._binomial import lower_bound, tail_at_least, upper_bound
from weighbridge.checks.runners.interface import Floats
from weighbridge.evidence.measurements import RateAtFpr, RocPoint

MAX_ROC: Final = 128
"""Most points of a ROC in evidence."""

_TINY: Final = 1e-300
_SUM_TOLERANCE: Final = 1e-3


def membership_scores(scores: Floats, columns: NDArray[np.intp]) -> Floats:
    """Return one number a row, higher for a lower cross-entropy: the log-odds of the true class.

    Log-odds order rows as cross-entropy does, but keep apart what rounds to a probability of one. Scores that are no
    probabilities go through a softmax, as for the loss itself.
    """
    probabilities = bool(scores.min() >= 0.0) and bool(np.all(np.abs(scores.sum(axis=1) - 1.0) <= _SUM_TOLERANCE))
    logs = np.log(np.maximum(scores, _TINY)) if probabilities else scores.copy()
    rows = np.arange(len(logs))
    true = logs[rows, columns]
    logs[rows, columns] = -np.inf
    highest = logs.max(axis=1)
    others = highest + np.log(np.exp(logs - highest[:, None]).sum(axis=1))
    odds: Floats = true - others
    return odds


def enough_rows(non_members: int, fpr: float) -> bool:
    """Tell whether a false-positive rate can be seen at all: at least one such row is to be expected."""
    return non_members * fpr >= 1.0


def rate_at(members: Floats, non_members: Floats, *, fpr: float, confidence: float) -> RateAtFpr:
    """Return the true-positive rate at a false-positive rate, with one-sided bounds that each hold at ``confidence``.

    Args:
        members: Membership scores of training rows, higher for more member-like.
        non_members: The same of rows that were not trained on.
        fpr: The false-positive rate.
        confidence: Confidence of each bound.
    """
    error = (1.0 - confidence) / 2
    count, falling = len(non_members), np.sort(non_members)[::-1]
    strict = _largest(lambda place: tail_at_least(place, count, fpr) >= 1.0 - error, count)
    loose = _largest(lambda place: tail_at_least(place, count, fpr) > error, count) + 1
    beyond = int((members > falling[strict - 1]).sum()) if strict else 0
    within = int((members >= falling[loose - 1]).sum()) if loose <= count else len(members)
    allowed = min(count - 1, math.floor(fpr * count))
    return RateAtFpr(
        fpr=fpr,
        confidence=confidence,
        tpr=float((members > falling[allowed]).mean()),
        lower=lower_bound(beyond, len(members), confidence=1.0 - error),
        upper=upper_bound(within, len(members), confidence=1.0 - error),
    )


def _largest(holds: Callable[[int], bool], most: int) -> int:
    # The largest place from 0 to ``most`` at which a falling condition holds; it always holds at 0.
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low


def auc(members: Floats, non_members: Floats) -> float:
    """Return the chance that a member looks more member-like than a non-member; a tie counts half."""
    rising = np.sort(non_members)
    below = np.searchsorted(rising, members, side="left")
    not_above = np.searchsorted(rising, members, side="right")
    return float((below + not_above).sum() / (2.0 * len(members) * len(non_members)))


def roc(members: Floats, non_members: Floats) -> tuple[RocPoint, ...]:
    """Return points of the empirical ROC, dense where the false-positive rate is low, from its start to (1, 1)."""
    thresholds = np.unique(np.concatenate([members, non_members]))[::-1]
    hits = len(members) - np.searchsorted(np.sort(members), thresholds, side="left")
    alarms = len(non_members) - np.searchsorted(np.sort(non_members), thresholds, side="left")
    # Of thresholds with the same false alarms only the one with the most hits is a corner of the curve.
    corners = np.append(np.flatnonzero(np.diff(alarms)), len(alarms) - 1)
    hits, alarms = hits[corners], alarms[corners]
    if len(alarms) > MAX_ROC:
        wanted = np.geomspace(1, len(non_members), MAX_ROC - 1)
        places = np.clip(np.searchsorted(alarms, wanted, side="right") - 1, 0, len(alarms) - 1)
        chosen = np.unique(np.concatenate([[0], places, [len(alarms) - 1]]))[:MAX_ROC]
        hits, alarms = hits[chosen], alarms[chosen]
    return tuple(
        RocPoint(fpr=int(alarm) / len(non_members), tpr=int(hit) / len(members))
        for alarm, hit in zip(alarms.tolist(), hits.tolist(), strict=True)
    )
