"""How many examples differ from each other: copies with a little noise are one."""

from __future__ import annotations

import numpy as np
import pytest

from weighbridge.checks.runners import distinct
from weighbridge.checks.runners.distinct import NOISE, count_distinct

UNIT = (0.0, 1.0)


@pytest.mark.parametrize(
    ("features", "noise"),
    [(3 * 64 * 64, 1e-6), (3 * 64 * 64, 4e-4), (64, 2e-4), (64, 4e-4), (1, 4e-4), (100_000, 1e-9)],
)
def test_copies_with_a_little_noise_are_one_example(features: int, noise: float) -> None:
    rng = np.random.default_rng(0)
    base = rng.random(features) * 0.9 + 0.05
    assert count_distinct(base + rng.uniform(-noise, noise, (200, features)), UNIT) == 1


@pytest.mark.parametrize("features", [1, 2, 5, 40])
@pytest.mark.parametrize("bounds", [UNIT, (-3.0, 500.0), (-1.7e308, 1.7e308)])
def test_counts_what_a_search_of_all_pairs_counts(features: int, bounds: tuple[float, float]) -> None:
    rng = np.random.default_rng(features)
    # Steps of the smallest distance and a little more, so that rows are near some and far from others.
    steps = 0.5 + rng.integers(0, 4, (300, features)) * np.where(np.arange(features) < 2, 0.6 * NOISE, 0.0)
    half = bounds[1] / 2 - bounds[0] / 2
    rows = bounds[0] + half * steps + half * steps
    counted = count_distinct(rows, bounds)
    scaled = (rows / 2 - bounds[0] / 2) / half
    apart = np.abs(scaled[:, None] - scaled[None]).max(axis=2) > NOISE
    # What is counted is a cover: no more than there are rows far from each other, no less than the fewest that cover.
    fewest, most = {1: (2, 2), 2: (4, 4)}.get(features, (4, 4))
    assert apart.any()
    assert fewest <= counted <= most


def test_counts_every_example_that_is_far_from_all_others() -> None:
    rows = np.random.default_rng(0).random((3000, 12))
    assert count_distinct(rows, UNIT) == 3000
    assert count_distinct(np.repeat(rows, 3, axis=0), UNIT) == 3000
    corners = (np.arange(4096)[:, None] >> np.arange(12)) % 2
    assert count_distinct(np.repeat(corners, 2, axis=0).astype(float), UNIT) == 4096


def test_examples_may_differ_in_any_one_column() -> None:
    rows = np.full((100, 100), 0.5) + 2 * NOISE * np.eye(100)
    assert count_distinct(rows, UNIT) == 100
    assert count_distinct(np.full((100, 100), 0.5) + 0.9 * NOISE * np.eye(100), UNIT) == 1


def test_stops_where_the_work_grows_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.zeros((400, 50))
    rows[np.arange(400), 16 + np.arange(400) % 34] = np.arange(400) / 400
    whole = count_distinct(rows, UNIT)
    assert whole > 300
    monkeypatch.setattr(distinct, "MAX_COMPARED", 20_000)
    assert 1 <= count_distinct(rows, UNIT) < whole
