"""Controls of a loaded model that every check needs before a figure about its answers means anything.

A check asks for scores, in batches. What is served is mostly a decision about one row. So a figure holds only when
the decision follows from the scores and when a row gets the same answer alone, in small company and in large.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.runners.interface import Answers, Floats, Labels, Runner
from weighbridge.evidence.measurements import Control
from weighbridge.evidence.record import Undecided

MAX_LABEL_DISAGREEMENT: Final = 0.02
"""Share of examples whose decision may differ from the best score; scikit-learn's SVC differs on a few."""

MAX_DIFFERENCE: Final = 1e-4
"""Largest difference of a score that is asked again, relative to the largest score.

Batches of other sizes go through other code paths of BLAS, which round differently in single precision.
"""

MAX_CHANGED: Final = 0.02
"""Share of rows, beside one, whose decision may change when they are asked again: near a tie rounding decides.

The difference of scores alone is not enough: one huge score in a column that matters to nobody hides any other.
"""

ALONE: Final = 20
"""Rows that are asked one at a time."""

COMPANIES: Final = (2, 3, 5, 8, 16, 32, 64, 128)
"""Sizes of the small batches in which rows are asked again, each once."""

REMEDIES: Final = {
    "classes-match-labels": "correct the labels of the data",
    "answers-repeat": "switch the model's randomness off, and let no answer depend on the other rows of a batch",
    "decisions-agree-with-scores": "export the model with its true scores",
}
"""What to do when a control does not hold, by its name."""


def classes_match(labels: Labels, classes: Labels) -> Control:
    """Check that every label of the data is one of the model's, and that the data has two or more."""
    unknown = sorted(set(labels.tolist()) - set(classes.tolist()))
    distinct = len(np.unique(labels))
    if unknown:
        detail = f"labels {unknown[:5]} of the data are no classes of the model"
    else:
        detail = f"{distinct} labels, all among the model's {len(classes)} classes"
    return Control(name="classes-match-labels", held=not unknown and distinct > 1, detail=detail)


def decisions_agree(answers: Answers, classes: Labels) -> Control:
    """Check that the model's own decision is the class of its best score."""
    name = "decisions-agree-with-scores"
    if answers.labels is None:
        return Control(name=name, held=True, detail="the model gives scores only")
    differ, count = int(answers.contradict(classes).sum()), len(answers.scores)
    held = differ <= MAX_LABEL_DISAGREEMENT * count
    return Control(name=name, held=held, detail=f"{differ} of {count} decisions differ from the best score")


@dataclass(frozen=True, slots=True)
class Repetition:
    """How answers differ from earlier ones when the same rows are asked in one other way."""

    way: str
    asked: int
    changed: int
    difference: float

    @property
    def held(self) -> bool:
        """Tell whether the differences can be rounding."""
        return self.difference <= MAX_DIFFERENCE and self.changed <= 1 + MAX_CHANGED * self.asked


def ask_again(runner: Runner, x: Floats, first: Answers, *, rng: np.random.Generator) -> tuple[Repetition, ...]:
    """Ask rows again in another order and company, some one at a time, and some in small batches of many sizes.

    Raises:
        RunnerError: The model stopped answering as a classifier.
    """
    ways = {
        "in another order": np.array_split(rng.permutation(len(x)), 2),
        "one at a time": np.array_split(rng.permutation(len(x))[:ALONE], min(ALONE, len(x))),
        "in small batches": list(_companies(rng.permutation(len(x)))),
    }
    return tuple(_repetition(runner, x, first, way=way, parts=parts) for way, parts in ways.items())


def _companies(order: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    start = 0
    for size in COMPANIES:
        # Of few rows each is asked more than once, so that every size that they allow is tried.
        if size <= len(order):
            yield np.take(order, range(start, start + size), mode="wrap")
            start += size


def _repetition(runner: Runner, x: Floats, first: Answers, *, way: str, parts: list[NDArray[np.intp]]) -> Repetition:
    scale = max(1.0, float(np.abs(first.scores).max()))
    asked = changed = 0
    difference = 0.0
    for part in parts:
        if not len(part):
            continue
        again = runner.answers(x[part])
        before = Answers(first.scores[part], None if first.labels is None else first.labels[part])
        other = again.best(runner.classes) != before.best(runner.classes)
        other |= again.decided(runner.classes) != before.decided(runner.classes)
        asked, changed = asked + len(part), changed + int(other.sum())
        difference = max(difference, float(np.abs(again.scores - before.scores).max()) / scale)
    return Repetition(way=way, asked=asked, changed=changed, difference=difference)


def answers_repeat(repetitions: tuple[Repetition, ...], *, name: str = "answers-repeat") -> Control:
    """Check that the same rows got the same answers in every way in which they were asked."""
    doubtful = next((each for each in repetitions if not each.held), None)
    if doubtful is None:
        largest = max((each.difference for each in repetitions), default=0.0)
        return Control(name=name, held=True, detail=f"largest difference {largest:.2g}")
    detail = (
        f"asked {doubtful.way}, {doubtful.changed} of {doubtful.asked} rows are decided otherwise, and the largest "
        f"difference of a score is {doubtful.difference:.2g}"
    )
    return Control(name=name, held=False, detail=detail)


def doubts(path: str, controls: tuple[Control, ...], *, remedies: Mapping[str, str] = REMEDIES) -> list[Undecided]:
    """Return an undecided place for each control of a model file that did not hold, with what to do about it."""
    return [
        Undecided(
            location=path,
            reason=f"the control {control.name} did not hold: {control.detail}; {remedies[control.name]}",
        )
        for control in controls
        if not control.held
    ]
