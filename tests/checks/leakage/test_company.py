"""What a model says of one row alone, when that is another answer than the one that was measured in batches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.checks.runners.trained import save_examples

from weighbridge.checks.data.examples import Examples, read_examples
from weighbridge.checks.interface import LeakageOptions
from weighbridge.checks.leakage import measure
from weighbridge.checks.leakage.label_gap import strongest_rate_at
from weighbridge.checks.runners.interface import Answers, Labels


class LeakyAlone:
    """Says of one row how sure it is, as an overfitted model; in company all sure alike. A constant column hides it."""

    framework, decides_at_once = "fake", True
    classes: Labels = np.arange(3, dtype=np.int64)

    def __init__(self, hidden: float) -> None:
        self.hidden = hidden

    def answers(self, batch: Any, /) -> Answers:
        member = batch[:, 1] > 0.5  # stands for what an overfitted network knows of a row
        scores = np.full((len(batch), 3), self.hidden)
        scores[:, :2] = 0.0
        sure = np.where(member, 12.0, 1.0) if len(batch) == 1 else 3.0 + batch[:, 2]
        scores[np.arange(len(batch)), (batch[:, 0] > 0.5).astype(int)] = sure
        return Answers(scores, None)

    def scores(self, batch: Any, /) -> Any:
        return self.answers(batch).scores

    def labels(self, batch: Any, /) -> None:
        return None


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Examples, Examples]:
    rng = np.random.default_rng(0)
    found = []
    for name, sign in (("members", 1), ("others", -1)):
        x = rng.random((2000, 6))
        x[:, 1] = 0.5 + sign * x[:, 1] / 2
        path = save_examples(tmp_path / f"{name}.npz", x, (x[:, 0] > 0.5).astype(np.int64))
        found.append(read_examples(path))
    return found[0], found[1]


@pytest.mark.parametrize("hidden", [-10.0, -1e9, -1e300])
def test_a_constant_column_hides_no_other_scores_of_single_rows(
    sides: tuple[Examples, Examples], hidden: float
) -> None:
    runner = LeakyAlone(hidden)
    labelled = (measure.Side(sides[0].x, sides[0].y.numbers), measure.Side(sides[1].x, sides[1].y.numbers))
    answers = (runner.answers(sides[0].x), runner.answers(sides[1].x))
    inside, outside = (measure._seen(runner, side, each) for side, each in zip(labelled, answers, strict=True))
    alone = [np.array([runner.scores(row[None]).max() for row in side.x]) for side in sides]
    assert strongest_rate_at(inside, outside, fpr=0.01, confidence=0.95).upper < 0.05, "in batches nothing leaks"
    assert alone[0].min() > alone[1].max(), "alone every member is told from every other row"
    options = LeakageOptions(members="m", non_members="n", seed=1)
    controls = measure._controls(runner, labelled, answers, options=options)
    assert [control.name for control in controls if not control.held] == ["answers-repeat"]
