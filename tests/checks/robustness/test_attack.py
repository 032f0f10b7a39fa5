"""The attack against the truth: it never breaks what cannot be broken and breaks nearly all that can."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier
from tests.checks.robustness.truth import (
    FunctionRunner,
    linear_survivors,
    setting_of,
    tree_survivors,
    white_box_survivors,
)
from tests.checks.runners.trained import cancer, digits, digits_mlp, fitted

from weighbridge.checks.robustness.attack import Outcome, attack
from weighbridge.checks.robustness.margin import ScoreScale, margins, scale_of
from weighbridge.checks.robustness.measure import measure
from weighbridge.checks.robustness.proposals import Box, flip, flip_groups, patch, start
from weighbridge.checks.runners.sklearn_model import SklearnRunner


def attacked(model: Any, x: Any, y: Any, *, epsilon: float, queries: int = 600, image: Any = None) -> Outcome:
    correct = model.predict(x) == y
    x, y = x[correct], y[correct]
    runner = SklearnRunner(model, name="m", features=x.shape[1], threads=1)

    def margin(candidates: Any, rows: Any) -> Any:
        assert candidates.min() >= 0.0
        assert candidates.max() <= 1.0
        assert np.abs(candidates - x[rows]).max() <= epsilon * (1 + 1e-12)
        return margins(runner.scores(candidates), y[rows], scale=ScoreScale.PROBABILITY)

    box = Box.around(x, epsilon=epsilon, bounds=(0.0, 1.0))
    return attack(margin, x, box=box, image=image, budget=queries, rng=np.random.default_rng(0))


@pytest.mark.parametrize("epsilon", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("data", [digits, cancer])
def test_is_within_two_percent_of_the_exact_count_for_a_linear_model(data: Any, epsilon: float) -> None:
    inside, outside, known, unknown = data()
    model = fitted(LogisticRegression(C=10), inside, known)
    x, y = outside[:150], unknown[:150]
    exact = linear_survivors(model, x, y, epsilon)
    left = int(attacked(model, x, y, epsilon=epsilon).standing.sum())
    assert exact <= left <= exact + 3


@pytest.mark.parametrize("epsilon", [0.05, 0.1])
def test_never_breaks_more_than_the_exact_count_for_a_tree(epsilon: float) -> None:
    inside, outside, known, unknown = cancer()
    model = fitted(DecisionTreeClassifier(max_depth=6, random_state=0), inside, known)
    exact = tree_survivors(model, outside, unknown, epsilon)
    outcome = attacked(model, outside, unknown, epsilon=epsilon)
    assert exact <= int(outcome.standing.sum()) <= exact + 0.1 * len(outside)


def test_reaches_a_white_box_attack_on_a_network() -> None:
    _, outside, _, unknown = digits()
    x, y = outside[:150], unknown[:150]
    correct = digits_mlp().predict(x) == y
    white_box = white_box_survivors(digits_mlp(), x[correct], y[correct], 0.1)
    left = int(attacked(digits_mlp(), x, y, epsilon=0.1, queries=1000, image=(1, 8, 8)).standing.sum())
    assert 10 < white_box < 140
    assert abs(left - white_box) <= 3


def test_asks_no_more_than_its_budget_and_stops_asking_about_the_fallen() -> None:
    _, outside, _, unknown = digits()
    outcome = attacked(digits_mlp(), outside[:60], unknown[:60], epsilon=0.1, queries=137)
    standing = outcome.standing
    assert (outcome.asked[standing] == 137).all()
    assert np.array_equal(outcome.asked[~standing], outcome.fell_at[~standing])
    assert outcome.fell_at.max() <= 137


def test_same_seed_gives_the_same_result_and_another_seed_does_not() -> None:
    _, outside, _, unknown = digits()
    runner = SklearnRunner(digits_mlp(), name="m", features=64, threads=1)
    first, again, other = (
        measure(runner, "m", setting_of(outside[:80], unknown[:80], seed=seed, queries=200)) for seed in (3, 3, 4)
    )
    assert first == again
    assert first.queries != other.queries


def test_attacks_in_blocks_when_memory_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    _, outside, _, unknown = digits()
    runner = SklearnRunner(digits_mlp(), name="m", features=64, threads=1)
    whole = measure(runner, "m", setting_of(outside[:80], unknown[:80], queries=400))
    monkeypatch.setattr("weighbridge.checks.robustness.measure.MAX_BLOCK", 64 * 7)
    parts = measure(runner, "m", setting_of(outside[:80], unknown[:80], queries=400))
    assert parts.correct == whole.correct
    assert abs(parts.survived - whole.survived) <= 4


@settings(deadline=None)
@given(
    st.integers(1, 5),
    st.sampled_from([(1, 6, 6), (3, 4, 5), (1, 1, 9), (1, 2, 2), None]),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_every_candidate_stays_in_its_box(count: int, image: Any, used: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = 12 if image is None else int(np.prod(image))
    x = rng.random((count, features))
    box = Box.around(x, epsilon=0.1, bounds=(0.0, 1.0))
    groups = flip_groups(features, image=image, most=7, rng=rng)
    assert np.array_equal(np.sort(np.concatenate(groups)), np.arange(features))
    assert len(groups) <= 7
    first = start(box, image=image, rng=rng)
    for candidate in (first, patch(first, box, image=image, used=used, rng=rng), flip(x, box, groups[0])):
        assert candidate.shape == x.shape
        assert (candidate >= box.low).all()
        assert (candidate <= box.high).all()


def test_a_patch_is_a_square_of_one_sign_a_channel() -> None:
    rng = np.random.default_rng(0)
    x = np.full((20, 3 * 8 * 8), 0.5)
    box = Box.around(x, epsilon=0.1, bounds=(0.0, 1.0))
    changed = (patch(x, box, image=(3, 8, 8), used=0.5, rng=rng) - x).reshape(20, 3, 8, 8)
    for row in changed:
        mask = row[0] != 0
        assert np.array_equal(mask, row[1] != 0)
        assert mask.sum() in {1, 4, 9, 16, 25, 36, 49}
        for channel in row:
            assert len(np.unique(channel[mask])) == 1


def test_flips_twice_return_to_the_corner() -> None:
    x = np.full((1, 4), 0.5)
    box = Box.around(x, epsilon=0.25, bounds=(0.0, 1.0))
    group = np.array([1, 2])
    corner = np.array([[0.25, 0.75, 0.25, 0.75]])
    assert flip(corner, box, group).tolist() == [[0.25, 0.25, 0.75, 0.75]]
    assert np.array_equal(flip(flip(corner, box, group), box, group), corner)


def test_margin_tells_probabilities_from_margins() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    assert scale_of(probabilities) is ScoreScale.PROBABILITY
    assert scale_of(probabilities - 0.5) is ScoreScale.MARGIN
    assert scale_of(np.array([[3.0, 1.0]])) is ScoreScale.MARGIN
    columns = np.array([0, 0])
    gaps = margins(probabilities, columns, scale=ScoreScale.PROBABILITY)
    assert gaps == pytest.approx([np.log(9), -np.log(4)])
    assert margins(probabilities, columns, scale=ScoreScale.MARGIN) == pytest.approx([0.8, -0.6])


def test_certain_scores_still_have_finite_margins() -> None:
    gaps = margins(np.array([[1.0, 0.0]]), np.array([0]), scale=ScoreScale.PROBABILITY)
    assert np.isfinite(gaps).all()


def test_runner_of_a_function_counts_rows() -> None:
    runner = FunctionRunner(lambda batch: np.ones((len(batch), 2)), 2)
    runner.scores(np.zeros((5, 3)))
    assert runner.asked == 5
