"""The exact bounds: known values, brute force over every outcome, and size."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge._binomial import lower_bound, probability, tail_at_least, upper_bound


def exact_tail(successes: int, trials: int, proportion: Fraction) -> Fraction:
    return sum(
        (
            comb(trials, count) * proportion**count * (1 - proportion) ** (trials - count)
            for count in range(max(0, successes), trials + 1)
        ),
        Fraction(0),
    )


@given(st.integers(1, 60), st.data())
def test_tail_equals_rational_arithmetic(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(-1, trials + 1))
    proportion = Fraction(data.draw(st.integers(1, 999)), 1000)
    expected = float(exact_tail(successes, trials, proportion))
    assert tail_at_least(successes, trials, float(proportion)) == pytest.approx(expected, rel=1e-11, abs=1e-14)


def test_probability_keeps_its_digits_for_many_trials() -> None:
    # 100,000 tosses of a fair coin: the exact central probability from integers.
    expected = float(Fraction(comb(100_000, 50_000), 2**100_000))
    assert probability(50_000, 100_000, 0.5) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize(
    ("successes", "trials", "confidence", "lower", "upper"),
    [
        # Rule of three and its exact form: 1 - 0.05 ** (1 / n).
        (0, 59, 0.95, 0.0, 1 - 0.05 ** (1 / 59)),
        (59, 59, 0.95, 0.05 ** (1 / 59), 1.0),
        # Two-sided 95 % of Brown, Cai and DasGupta's and most tables' worked examples, as two bounds of 97.5 %.
        (4, 20, 0.975, 0.0573340, 0.4366140),
        (7, 10, 0.975, 0.3475471, 0.9332605),
        (1, 10, 0.975, 0.0025286, 0.4450161),
        (81, 263, 0.975, 0.2527, 0.3676),
    ],
)
def test_bounds_equal_published_values(
    successes: int, trials: int, confidence: float, lower: float, upper: float
) -> None:
    digits = 1e-4 if trials == 263 else 1e-6
    assert lower_bound(successes, trials, confidence=confidence) == pytest.approx(lower, abs=digits)
    assert upper_bound(successes, trials, confidence=confidence) == pytest.approx(upper, abs=digits)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
@pytest.mark.parametrize("trials", [1, 7, 30])
def test_bounds_cover_every_true_proportion(trials: int, confidence: float) -> None:
    lowers = [lower_bound(count, trials, confidence=confidence) for count in range(trials + 1)]
    uppers = [upper_bound(count, trials, confidence=confidence) for count in range(trials + 1)]
    for thousandth in range(1, 1000, 7):
        truth = thousandth / 1000
        chances = [probability(count, trials, truth) for count in range(trials + 1)]
        assert sum(c for c, bound in zip(chances, lowers, strict=True) if bound > truth) <= 1 - confidence + 1e-12
        assert sum(c for c, bound in zip(chances, uppers, strict=True) if bound < truth) <= 1 - confidence + 1e-12


@given(st.integers(0, 100_000), st.integers(0, 100_000), st.sampled_from([0.9, 0.99]))
def test_bounds_enclose_the_estimate(first: int, second: int, confidence: float) -> None:
    successes, trials = min(first, second), max(first, second, 1)
    low = lower_bound(successes, trials, confidence=confidence)
    high = upper_bound(successes, trials, confidence=confidence)
    assert 0.0 <= low <= successes / trials <= high <= 1.0


def test_bounds_solve_their_equation_for_many_trials() -> None:
    low = lower_bound(61_000, 100_000, confidence=0.95)
    assert tail_at_least(61_000, 100_000, low) == pytest.approx(0.05, rel=1e-9)


def test_no_trials_say_nothing() -> None:
    assert lower_bound(0, 0, confidence=0.95) == 0.0
    assert upper_bound(0, 0, confidence=0.95) == 1.0


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5)])
def test_refuses_impossible_counts(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="trials"):
        lower_bound(successes, trials, confidence=0.95)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0])
def test_refuses_confidence_outside_the_open_interval(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        upper_bound(1, 2, confidence=confidence)
