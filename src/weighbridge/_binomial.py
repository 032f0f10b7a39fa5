"""Exact bounds on a proportion, without SciPy.

Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
Biometrika 26 (1934). The bounds hold for every sample size and every true proportion.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p
from typing import Final

_BISECTIONS: Final = 100
"""Halvings of [0, 1]; more than the 53 bits of a double need."""


def _log_term(successes: int, trials: int, proportion: float) -> float:
    return (
        lgamma(trials + 1)
        - lgamma(successes + 1)
        - lgamma(trials - successes + 1)
        + successes * log(proportion)
        + (trials - successes) * log1p(-proportion)
    )


def tail_at_least(successes: int, trials: int, proportion: float) -> float:
    """Return P[X >= successes] for X ~ Binomial(trials, proportion)."""
    if successes <= 0:
        return 1.0
    if successes > trials or proportion <= 0.0:
        return 0.0
    if proportion >= 1.0:
        return 1.0
    if successes > trials * proportion:
        return min(1.0, sum(exp(_log_term(k, trials, proportion)) for k in range(successes, trials + 1)))
    below = sum(exp(_log_term(k, trials, proportion)) for k in range(successes))
    return min(1.0, max(0.0, 1.0 - below))


def _solve(successes: int, trials: int, target: float) -> float:
    # tail_at_least rises with the proportion: find where it reaches the target.
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if tail_at_least(successes, trials, middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def lower_bound(successes: int, trials: int, *, confidence: float) -> float:
    """Return the one-sided exact lower bound of a proportion.

    The true proportion is below the bound with probability at most ``1 - confidence``. No trials give 0.
    """
    _check(successes, trials, confidence)
    if successes == 0:
        return 0.0
    return _solve(successes, trials, 1.0 - confidence)


def upper_bound(successes: int, trials: int, *, confidence: float) -> float:
    """Return the one-sided exact upper bound of a proportion; no trials give 1."""
    _check(successes, trials, confidence)
    return 1.0 - lower_bound(trials - successes, trials, confidence=confidence)


def _check(successes: int, trials: int, confidence: float) -> None:
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} successes of {trials} trials")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
