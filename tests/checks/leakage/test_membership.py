"""The interval holds though its threshold is estimated; AUC and ROC against counting by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge._binomial import lower_bound, upper_bound
from weighbridge.checks.leakage.membership import auc, enough_rows, membership_scores, rate_at, roc

RUNS = 1500


def draws(kind: str, rng: np.random.Generator, count: int) -> Any:
    if kind == "normal":
        return rng.normal(size=count)
    if kind == "tied":
        return rng.integers(0, 4, count).astype(float)
    return rng.exponential(size=count) ** 3


@pytest.mark.parametrize("kind", ["normal", "tied", "heavy"])
@pytest.mark.parametrize(("count", "fpr"), [(60, 0.1), (300, 0.05), (300, 0.01)])
def test_bounds_cover_where_nothing_leaks(kind: str, count: int, fpr: float) -> None:
    # Members and others alike: the true rate of any rule equals its false-positive rate, so at best it is fpr.
    rng = np.random.default_rng(1)
    too_low = too_high = 0
    for _ in range(RUNS):
        found = rate_at(draws(kind, rng, count), draws(kind, rng, count), fpr=fpr, confidence=0.9)
        too_high += found.lower > fpr
        too_low += found.upper < fpr
    # Nominal 0.1; three standard errors of a simulation with 1,500 runs are 0.023.
    assert too_high / RUNS <= 0.123
    assert too_low / RUNS <= 0.123


@pytest.mark.parametrize("shift", [0.5, 2.0])
def test_bounds_cover_the_true_rate_of_a_known_leak(shift: float) -> None:
    # Normal scores, members shifted: the true rate at 5 % is known.
    from statistics import NormalDist

    cut = NormalDist().inv_cdf(0.95)
    truth = 1 - NormalDist(shift).cdf(cut)
    rng = np.random.default_rng(2)
    wrong_high = wrong_low = 0
    for _ in range(RUNS):
        found = rate_at(rng.normal(shift, size=200), rng.normal(size=200), fpr=0.05, confidence=0.9)
        wrong_high += found.upper < truth
        wrong_low += found.lower > truth
    assert wrong_high / RUNS <= 0.123
    assert wrong_low / RUNS <= 0.123


def test_forgetting_that_the_threshold_is_estimated_would_be_wrong_too_often() -> None:
    # The bound that this module does not use: Clopper-Pearson beyond the estimated threshold.
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(RUNS):
        members, others = rng.normal(size=500), np.sort(rng.normal(size=500))[::-1]
        wrong += lower_bound(int((members > others[5]).sum()), 500, confidence=0.95) > 0.01
    assert wrong / RUNS > 0.08


def test_interval_narrows_to_the_truth_with_many_rows() -> None:
    rng = np.random.default_rng(4)
    found = rate_at(rng.normal(1, size=100_000), rng.normal(size=100_000), fpr=0.01, confidence=0.95)
    assert found.lower < found.tpr < found.upper
    assert found.upper - found.lower < 0.02
    assert found.tpr == pytest.approx(0.0924, abs=0.01)


def test_bounds_are_half_the_error_each_way() -> None:
    # All members beyond every other row: the threshold is certain to matter only through the rows beyond it.
    found = rate_at(np.full(50, 9.0), np.zeros(400), fpr=0.05, confidence=0.9)
    assert found.tpr == 1.0
    assert found.lower == lower_bound(50, 50, confidence=0.95)
    assert found.upper == upper_bound(50, 50, confidence=0.95) == 1.0


def test_ties_widen_the_interval_and_never_hide_a_leak() -> None:
    found = rate_at(np.ones(500), np.ones(500), fpr=0.01, confidence=0.95)
    assert (found.lower, found.tpr, found.upper) == (0.0, 0.0, 1.0)


@settings(deadline=None)
@given(
    st.lists(st.integers(-5, 5), min_size=1, max_size=60),
    st.lists(st.integers(-5, 5), min_size=1, max_size=60),
    st.sampled_from([0.01, 0.05, 0.3, 0.9]),
    st.sampled_from([0.5, 0.9, 0.99]),
)
def test_estimate_lies_in_its_interval(inside: list[int], outside: list[int], fpr: float, confidence: float) -> None:
    members, others = np.array(inside, dtype=float), np.array(outside, dtype=float)
    found = rate_at(members, others, fpr=fpr, confidence=confidence)
    assert 0.0 <= found.lower <= found.tpr <= found.upper <= 1.0


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=30), st.lists(st.integers(-4, 4), min_size=1, max_size=30))
def test_auc_equals_counting_pairs(inside: list[int], outside: list[int]) -> None:
    pairs = [(a > b) + 0.5 * (a == b) for a in inside for b in outside]
    found = auc(np.array(inside, dtype=float), np.array(outside, dtype=float))
    assert found == pytest.approx(sum(pairs) / len(pairs))


@settings(deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=80), st.lists(st.integers(-9, 9), min_size=1, max_size=80))
def test_roc_rises_to_the_corner_and_holds_true_points(inside: list[int], outside: list[int]) -> None:
    members, others = np.array(inside, dtype=float), np.array(outside, dtype=float)
    points = [(point.fpr, point.tpr) for point in roc(members, others)]
    possible = {(float((others >= cut).mean()), float((members >= cut).mean())) for cut in range(-9, 10)}
    assert points == sorted(points)
    assert points[-1] == (1.0, 1.0)
    assert all(min(abs(a - c) + abs(b - d) for c, d in possible) < 1e-12 for a, b in points)


def test_roc_of_many_rows_is_short_and_dense_at_low_rates() -> None:
    rng = np.random.default_rng(5)
    points = roc(rng.normal(1, size=20_000), rng.normal(size=20_000))
    assert len(points) <= 128
    assert sum(point.fpr <= 0.01 for point in points) >= 30


def test_log_odds_order_as_cross_entropy_and_keep_certainties_apart() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    found = membership_scores(probabilities, np.zeros(3, dtype=np.intp))
    assert found == pytest.approx([np.log(9), 0.0, np.log(1 / 9)])
    sure = np.array([[1.0, 1e-20], [1.0, 1e-30]])
    found = membership_scores(sure, np.zeros(2, dtype=np.intp))
    assert found[1] > found[0] > 0


def test_margins_go_through_a_softmax() -> None:
    found = membership_scores(np.array([[2.0, -1.0, -1.0]]), np.array([0]))
    assert found == pytest.approx([3.0 - np.log(2)])


def test_rate_needs_one_expected_row() -> None:
    assert enough_rows(100, 0.01)
    assert not enough_rows(99, 0.01)
