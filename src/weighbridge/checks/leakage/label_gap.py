"""Tell training rows from others by whether the model is right about them, and join that with what scores tell.

The attack is the gap attack of Yeom et al. (2018), so named by Choquette-Choo, Tramer, Carlini and Papernot,
"Label-only membership inference attacks", ICML 2021: who is served labels alone takes a row for a member when its
label is right. Scores can be made to tell nothing while labels tell everything, so both are tried.

A yes-or-no rule has any false-positive rate by a coin: of the rows that look like members so many are named that the
rate is met, and if they are too few, some of the others too. With ``m`` and ``n`` the shares of members and of others
that are right, the true-positive rate at a rate ``a`` is ``a m / n`` where ``n >= a``, and else
``m + (1 - m) (a - n) / (1 - n)``. It rises with ``m`` and falls with ``n``, so Clopper-Pearson bounds on both, each
with half of the allowed error, bound it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weighbridge._binomial import lower_bound, upper_bound
from weighbridge.checks.leakage.membership import rate_at
from weighbridge.checks.runners.interface import Floats
from weighbridge.evidence.measurements import RateAtFpr

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen of the rows of one side: membership scores, and whether what is decided of each is its label."""

    scores: Floats
    right: Flags


def gap_rate_at(members: Flags, non_members: Flags, *, fpr: float, confidence: float) -> RateAtFpr:
    """Return the true-positive rate of the gap attack with one-sided bounds that each hold at ``confidence``.

    Args:
        members: Which training rows the model is right about.
        non_members: The same of rows that were not trained on.
        fpr: The false-positive rate.
        confidence: Confidence of each bound.
    """
    each = 1.0 - (1.0 - confidence) / 2
    inside, outside = (int(members.sum()), len(members)), (int(non_members.sum()), len(non_members))
    return RateAtFpr(
        fpr=fpr,
        confidence=confidence,
        tpr=_rate(inside[0] / inside[1], outside[0] / outside[1], fpr),
        lower=_rate(lower_bound(*inside, confidence=each), upper_bound(*outside, confidence=each), fpr),
        upper=_rate(upper_bound(*inside, confidence=each), lower_bound(*outside, confidence=each), fpr),
    )


def _rate(members: float, others: float, fpr: float) -> float:
    if others >= fpr:
        return min(1.0, fpr * members / others)
    return min(1.0, members + (1.0 - members) * (fpr - others) / (1.0 - others))


def strongest_rate_at(members: Seen, non_members: Seen, *, fpr: float, confidence: float) -> RateAtFpr:
    """Return the true-positive rate of the better of both attacks, with bounds that each hold at ``confidence``.

    The upper bound is the larger of two at ``confidence``: it fails only if that of the attack that truly is the
    better one does. The lower bound is the larger of two that share the allowed error, since either may be too high.
    """
    shared = 1.0 - (1.0 - confidence) / 2
    both = [
        (
            rate_at(members.scores, non_members.scores, fpr=fpr, confidence=each),
            gap_rate_at(members.right, non_members.right, fpr=fpr, confidence=each),
        )
        for each in (confidence, shared)
    ]
    return RateAtFpr(
        fpr=fpr,
        confidence=confidence,
        tpr=max(rate.tpr for rate in both[0]),
        lower=max(rate.lower for rate in both[1]),
        upper=max(rate.upper for rate in both[0]),
    )
