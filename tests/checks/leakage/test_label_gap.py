"""The attack that sees labels alone: its rate, its bounds, and the bounds of the better of two attacks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge._binomial import upper_bound
from weighbridge.checks.leakage.label_gap import Seen, gap_rate_at, strongest_rate_at

RUNS = 1500


def flags(right: int, count: int) -> Any:
    return np.arange(count) < right


def true_rate(members: float, others: float, fpr: float) -> float:
    """Return the best rate of a rule with a coin, from the corners of its ROC."""
    return float(np.interp(fpr, [0.0, others, 1.0], [0.0, members, 1.0]))


@pytest.mark.parametrize(("members", "others"), [(1.0, 0.5), (0.9, 0.9), (1.0, 0.005), (0.5, 0.001), (0.4, 0.8)])
@pytest.mark.parametrize("fpr", [0.01, 0.1])
def test_rate_lies_on_the_line_between_the_corners(members: float, others: float, fpr: float) -> None:
    found = gap_rate_at(flags(round(1000 * members), 1000), flags(round(1000 * others), 1000), fpr=fpr, confidence=0.9)
    assert found.tpr == pytest.approx(true_rate(members, others, fpr))
    assert found.lower < found.tpr < found.upper or found.tpr == 1.0


def test_right_on_every_member_and_on_nobody_else_is_all_there_can_be() -> None:
    found = gap_rate_at(flags(500, 500), flags(0, 500), fpr=0.01, confidence=0.95)
    assert (found.tpr, found.upper) == (1.0, 1.0)
    assert found.lower > 0.98


@pytest.mark.parametrize(("members", "others", "fpr"), [(0.95, 0.9, 0.05), (0.9, 0.3, 0.1), (0.6, 0.03, 0.05)])
def test_bounds_cover_the_true_rate(members: float, others: float, fpr: float) -> None:
    rng = np.random.default_rng(0)
    truth = true_rate(members, others, fpr)
    wrong = np.zeros(2)
    for _ in range(RUNS):
        inside, outside = rng.random(300) < members, rng.random(300) < others
        found = gap_rate_at(inside, outside, fpr=fpr, confidence=0.9)
        wrong += (found.lower > truth, found.upper < truth)
    # Nominal 0.1; three standard errors of a simulation with 1,500 runs are 0.023.
    assert wrong.max() / RUNS <= 0.123


@pytest.mark.parametrize("fpr", [0.02, 0.1])
def test_bounds_of_the_better_attack_cover_where_nothing_leaks(fpr: float) -> None:
    # Scores and labels tell nothing, so no rule has a true rate above its false-positive rate.
    rng = np.random.default_rng(1)
    wrong = np.zeros(2)
    for _ in range(RUNS):
        sides = [Seen(scores=rng.normal(size=200), right=rng.random(200) < 0.8) for _ in range(2)]
        found = strongest_rate_at(*sides, fpr=fpr, confidence=0.9)
        wrong += (found.lower > fpr, found.upper < fpr)
    assert wrong.max() / RUNS <= 0.123


def test_labels_alone_do_not_loosen_the_bound_of_a_model_that_is_right_on_both_sides() -> None:
    rng = np.random.default_rng(2)
    members, others = (Seen(scores=rng.normal(size=1000), right=flags(right, 1000)) for right in (1000, 950))
    both = strongest_rate_at(members, others, fpr=0.01, confidence=0.95)
    gap = gap_rate_at(members.right, others.right, fpr=0.01, confidence=0.95)
    assert gap.upper < 0.011
    assert both.upper > gap.upper


def test_scores_that_tell_nothing_do_not_hide_what_labels_tell() -> None:
    blind = [Seen(scores=np.random.default_rng(3).normal(size=500), right=flags(right, 500)) for right in (500, 0)]
    found = strongest_rate_at(*blind, fpr=0.01, confidence=0.95)
    assert found.tpr == found.upper == 1.0
    assert found.lower > 0.98
    # The error of the lower bound is shared by the attacks, and half of each share belongs to either side.
    assert found.lower == pytest.approx(1 - upper_bound(0, 500, confidence=1 - 0.05 / 4), abs=0.01)


@settings(deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.data(),
    st.sampled_from([0.01, 0.05, 0.3, 0.9]),
    st.sampled_from([0.5, 0.9, 0.99]),
)
def test_estimate_lies_in_its_interval(inside: int, outside: int, data: Any, fpr: float, confidence: float) -> None:
    sides = [
        Seen(
            scores=np.array(data.draw(st.lists(st.integers(-3, 3), min_size=count, max_size=count)), dtype=float),
            right=flags(data.draw(st.integers(0, count)), count),
        )
        for count in (inside, outside)
    ]
    for found in (
        gap_rate_at(sides[0].right, sides[1].right, fpr=fpr, confidence=confidence),
        strongest_rate_at(*sides, fpr=fpr, confidence=confidence),
    ):
        assert 0.0 <= found.lower <= found.tpr <= found.upper <= 1.0
