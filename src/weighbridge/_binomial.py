"""Exact bounds on a proportion, without SciPy.

Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
Biometrika 26 (1934). The bounds hold for every sample size and every true proportion. Single probabilities are
computed by the saddle-point expansion of Loader, "Fast and accurate computation of binomial probabilities" (2000),
whose relative error stays near that of a double for any number of trials; logarithms of factorials alone lose
digits as the trials grow.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p, pi, sqrt
from typing import Final

_BISECTIONS: Final = 200
"""Halvings of [0, 1] at most; the search ends when two neighbouring doubles are left."""

_NEGLIGIBLE: Final = 1e-20
"""A term of this share of the sum so far, with all that follow it smaller, no longer changes a double."""

_HALF_LOG_TWO_PI: Final = 0.5 * log(2 * pi)


def _stirling_error(count: int) -> float:
    # log(count!) less Stirling's formula; the series is good to a double from 16 on.
    if count < 16:  # noqa: PLR2004
        if count == 0:
            return 0.0
        return lgamma(count + 1.0) - (count + 0.5) * log(count) + count - _HALF_LOG_TWO_PI
    square = 1.0 / (count * count)
    return (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188)))) / count


def _deviance(observed: int, expected: float) -> float:
    # observed * log(observed / expected) + expected - observed, by its series where the two nearly cancel.
    difference = observed - expected
    if abs(difference) >= 0.1 * (observed + expected):
        return observed * log(observed / expected) - difference
    ratio = difference / (observed + expected)
    total = difference * ratio
    term = 2.0 * observed * ratio
    squared = ratio * ratio
    divisor = 3
    while True:
        term *= squared
        grown = total + term / divisor
        if grown == total:
            return total
        total = grown
        divisor += 2


def probability(successes: int, trials: int, proportion: float) -> float:
    """Return P[X = successes] for X ~ Binomial(trials, proportion) with 0 < proportion < 1."""
    failures = trials - successes
    if successes == 0:
        return exp(trials * log1p(-proportion))
    if failures == 0:
        return exp(trials * log(proportion))
    exponent = (
        _stirling_error(trials)
        - _stirling_error(successes)
        - _stirling_error(failures)
        - _deviance(successes, trials * proportion)
        - _deviance(failures, trials * (1.0 - proportion))
    )
    return exp(exponent) * sqrt(trials / (2 * pi * successes * failures))


def _sum_upwards(first: int, trials: int, proportion: float) -> float:
    # Terms from ``first`` on fall from the start when it lies above the mean, so the sum may stop early.
    odds = proportion / (1.0 - proportion)
    total = term = probability(first, trials, proportion)
    for count in range(first, trials):
        term *= odds * (trials - count) / (count + 1)
        total += term
        if term <= _NEGLIGIBLE * total:
            break
    return total


def tail_at_least(successes: int, trials: int, proportion: float) -> float:
    """Return P[X >= successes] for X ~ Binomial(trials, proportion)."""
    if successes <= 0:
        return 1.0
    if successes > trials or proportion <= 0.0:
        return 0.0
    if proportion >= 1.0:
        return 1.0
    if successes > trials * proportion:
        return min(1.0, _sum_upwards(successes, trials, proportion))
    # P[X >= k] = 1 - P[failures >= trials - k + 1], and that tail starts above its mean.
    below = _sum_upwards(trials - successes + 1, trials, 1.0 - proportion)
    return min(1.0, max(0.0, 1.0 - below))


def _solve(successes: int, trials: int, target: float) -> float:
    # tail_at_least rises with the proportion: find where it reaches the target, and stay below that point so that
    # rounding can only widen the interval.
    low, high = 0.0, 1.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if tail_at_least(successes, trials, middle) < target:
            low = middle
        else:
            high = middle
    return low


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
