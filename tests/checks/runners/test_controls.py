"""Answers that must not depend on the company of a row: which sizes are tried, and what counts as rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.checks.runners.controls import EVERY_SIZE, LARGER_SIZES, Repetition, answers_repeat, ask_again
from weighbridge.checks.runners.interface import Answers, Labels
from weighbridge.evidence.measurements import Control

Table = NDArray[np.float64]


@dataclass
class ByBatch:
    """A classifier whose scores, and decisions where it has some, are functions of a batch; remembers their sizes."""

    function: Callable[[Table], Table]
    decide: Callable[[Table], Labels] | None = None
    count: int = 2
    framework: str = "fake"
    decides_at_once: bool = True
    sizes: list[int] = field(default_factory=list)

    @property
    def classes(self) -> Labels:
        return np.arange(self.count, dtype=np.int64)

    def scores(self, batch: Table, /) -> Table:
        return self.function(batch)

    def labels(self, batch: Table, /) -> Labels | None:
        return None if self.decide is None else self.decide(batch)

    def answers(self, batch: Table, /) -> Answers:
        self.sizes.append(len(batch))
        return Answers(self.scores(batch), self.labels(batch))


def right(batch: Table) -> Any:
    return (batch[:, 0] > 0.5).astype(np.int64)


def repeated(runner: ByBatch, rows: int = 200, seed: int = 1) -> Control:
    x = np.random.default_rng(0).random((rows, 4))
    first = runner.answers(x)
    runner.sizes.clear()
    return answers_repeat(ask_again(runner, x, first, columns=right(x), rng=np.random.default_rng(seed)))


def test_every_small_size_is_tried_and_some_larger_that_follow_from_the_seed() -> None:
    runner = ByBatch(lambda batch: np.eye(2)[right(batch)])
    larger = []
    for seed in (1, 2):
        assert repeated(runner, 1000, seed).held
        assert set(range(1, EVERY_SIZE + 1)) <= set(runner.sizes)
        larger.append({size for size in runner.sizes if EVERY_SIZE < size <= 1000 and size != 500})
    assert 1 <= min(map(len, larger)) <= max(map(len, larger)) <= LARGER_SIZES
    assert larger[0] != larger[1]


@pytest.mark.parametrize("rows", [1, 2, 3, 19, 21])
def test_of_few_rows_every_size_that_they_allow_is_tried(rows: int) -> None:
    runner = ByBatch(lambda batch: np.eye(2)[right(batch)])
    assert repeated(runner, rows).held
    assert set(runner.sizes) >= set(range(1, rows + 1))
    assert max(runner.sizes) == rows


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 7, 19, 20, 21, 77, 127, 128])
def test_answers_do_not_depend_on_batches_of_2_to_128(size: int) -> None:
    other = ByBatch(lambda batch: np.eye(2)[1 - right(batch) if len(batch) == size else right(batch)])
    assert not repeated(other).held
    decided = ByBatch(
        lambda batch: np.eye(2)[right(batch)],
        decide=lambda batch: 1 - right(batch) if len(batch) == size else right(batch),
    )
    found = repeated(decided)
    assert not found.held, "decisions alone differ"
    assert ("one at a time" if size == 1 else f"in batches of {size}") in found.detail


def alone(hidden: Callable[[Table], Table]) -> ByBatch:
    """Return a classifier of rows that says alone how sure it is of a member and in company nothing of that."""

    def answer(batch: Table) -> Table:
        member = batch[:, 1] > 0.5
        sure = np.where(member, 12.0, 1.0) if len(batch) == 1 else 3.0 + batch[:, 2]
        return hidden(np.where(np.arange(2) == right(batch)[:, None], sure[:, None], 0.0))

    return ByBatch(answer)


def beside(value: float) -> Callable[[Table], Table]:
    return lambda scores: np.column_stack([scores, np.full(len(scores), value)])


def huge_in_some_rows(scores: Table) -> Table:
    # Rows of a batch are surer than 3; one of them that is huge makes the largest score huge.
    sure = scores.max(axis=1)
    scores[(sure > 3.95) & (sure < 4)] *= 1e12
    return scores


@pytest.mark.parametrize(
    "hidden",
    [
        lambda scores: scores,
        beside(-1e9),
        beside(-1e300),
        lambda scores: scores + 1e9,
        lambda scores: scores * 1e-9,
        huge_in_some_rows,
        lambda scores: np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True),
        lambda scores: np.exp(3 * scores - 60) / (1 + np.exp(3 * scores - 60)).sum(axis=1, keepdims=True),
    ],
)
def test_no_other_number_hides_scores_of_single_rows(hidden: Callable[[Table], Table]) -> None:
    found = repeated(alone(hidden))
    assert not found.held
    assert "one at a time, 0 of 20 rows" in found.detail


def test_probabilities_of_single_precision_hide_nothing_near_zero() -> None:
    # All are 1.0 for the label; the others tell members, and log-odds see it.
    def answer(batch: Table) -> Table:
        other = np.where(batch[:, 1] > 0.5, 1e-12, 1e-8) if len(batch) == 1 else np.full(len(batch), 2.0**-24)
        table = np.repeat(other[:, None] / 2, 3, axis=1)
        table[np.arange(len(batch)), right(batch)] = 1.0
        return table.astype(np.float32).astype(np.float64)

    assert not repeated(ByBatch(answer, count=3)).held
    assert not repeated(ByBatch(lambda batch: answer(batch)[:, :2])).held


@pytest.mark.parametrize("scale", [1e-3, 1.0, 30.0, 1000.0])
@pytest.mark.parametrize("probabilities", ["margins", "softmax", "sigmoid"])
def test_rounding_in_single_precision_is_no_difference(scale: float, probabilities: str) -> None:
    rng = np.random.default_rng(5)
    weights = (rng.normal(size=(4, 6)) * scale).astype(np.float32)

    def answer(batch: Table) -> Table:
        # In another order of addition for each size, as BLAS does.
        order = np.random.default_rng(len(batch)).permutation(4)
        terms = ((batch - 0.5).astype(np.float32)[:, :, None] * weights)[:, order]
        margins = terms[:, 0] + terms[:, 1] + terms[:, 2] + terms[:, 3]
        if probabilities == "softmax":
            shares = np.exp(margins - margins.max(axis=1, keepdims=True))
            margins = shares / shares.sum(axis=1, keepdims=True)
        elif probabilities == "sigmoid":
            with np.errstate(over="ignore"):
                share = 1 / (1 + np.exp(-margins[:, 0]))
            margins = np.stack([np.float32(1) - share, share], axis=1)
        assert margins.dtype == np.float32
        wide: Table = margins.astype(np.float64)
        return wide

    assert repeated(ByBatch(answer, count=2 if probabilities == "sigmoid" else 6)).held


def test_one_row_near_a_tie_may_be_decided_otherwise() -> None:
    for changed, held in ((1, True), (2, False)):
        each = Repetition(way="again", asked=20, changed=changed, moved=0, difference=0.0)
        assert each.held is held
    assert not Repetition(way="again", asked=1000, changed=0, moved=1, difference=0.1).held
