"""Controls of a loaded model that every check needs before a figure about its answers means anything.

A check asks for scores, in batches. What is served is mostly a decision about one row. So a figure holds only when
the decision follows from the scores and when a row gets the same answer alone, in small company and in large.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from weighbridge.checks.runners.interface import Answers, Floats, Labels, Runner
from weighbridge.checks.runners.reasons import left_open
from weighbridge.checks.runners.rounding import Places, Rounding
from weighbridge.evidence.measurements import Control
from weighbridge.evidence.record import Undecided

MAX_LABEL_DISAGREEMENT: Final = 0.02
"""Share of examples whose decision may differ from the best score; scikit-learn's SVC differs on a few."""

MAX_CHANGED: Final = 0.02
"""Share of rows, beside one, whose decision may change when they are asked again: near a tie rounding decides."""

ALONE: Final = 20
"""Least rows that are asked in batches of each size, one at a time among them."""

EVERY_SIZE: Final = 128
"""Largest of the sizes of batches that are all tried."""

LARGER_SIZES: Final = 8
"""Sizes of larger batches that are tried as well; which ones follows from the seed."""

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
    """How answers differ from earlier ones when the same rows are asked in one other way.

    ``changed`` rows are decided otherwise, and ``moved`` rows have a score of their label that differs by more than
    rounding; ``difference`` is the largest of such a score.
    """

    way: str
    asked: int
    changed: int
    moved: int
    difference: float

    @property
    def held(self) -> bool:
        """Tell whether the differences can be rounding."""
        return not self.moved and self.changed <= 1 + MAX_CHANGED * self.asked


def ask_again(
    runner: Runner, x: Floats, first: Answers, *, columns: Places, rng: np.random.Generator
) -> tuple[Repetition, ...]:
    """Ask rows again in another order and company: one at a time, in batches of every small size and of some larger.

    ``columns`` are those of the rows' labels. That is some 8,500 rows in 180 calls, and up to eight times as many rows
    as there are.

    Raises:
        RunnerError: The model stopped answering as a classifier.
    """
    small = range(1, min(EVERY_SIZE, len(x)) + 1)
    larger = np.exp(rng.uniform(np.log(EVERY_SIZE + 1), np.log(max(len(x), EVERY_SIZE + 1)), LARGER_SIZES)).astype(int)
    sizes = [*small, *sorted({size for size in larger.tolist() if size <= len(x)})]
    ways = {"in another order": np.array_split(rng.permutation(len(x)), min(2, len(x)))}
    ways |= {_way(size): _batches(rng.permutation(len(x)), size) for size in sizes}
    rounding = Rounding.of(first.scores, columns)
    return tuple(_repetition(runner, x, first, way=way, parts=parts, rounding=rounding) for way, parts in ways.items())


def _way(size: int) -> str:
    return "one at a time" if size == 1 else f"in batches of {size}"


def _batches(order: Places, size: int) -> list[Places]:
    # One batch of two may differ in one row because of a tie; twenty rows may not differ in two. Of few rows each is
    # asked more than once.
    return [
        np.take(order, range(start, start + size), mode="wrap")
        for start in range(0, max(size, min(ALONE, len(order))), size)
    ]


def _repetition(
    runner: Runner, x: Floats, first: Answers, *, way: str, parts: list[Places], rounding: Rounding
) -> Repetition:
    asked = changed = moved = 0
    difference = 0.0
    for part in parts:
        again = runner.answers(x[part])
        before = Answers(first.scores[part], None if first.labels is None else first.labels[part])
        other = again.best(runner.classes) != before.best(runner.classes)
        other |= again.decided(runner.classes) != before.decided(runner.classes)
        apart, beyond = rounding.compare(again.scores, part)
        asked, changed, moved = asked + len(part), changed + int(other.sum()), moved + int(beyond.sum())
        difference = max(difference, float(apart.max()))
    return Repetition(way=way, asked=asked, changed=changed, moved=moved, difference=difference)


def answers_repeat(repetitions: tuple[Repetition, ...], *, name: str = "answers-repeat") -> Control:
    """Check that the same rows got the same answers in every way in which they were asked."""
    doubtful = next((each for each in repetitions if not each.held), None)
    if doubtful is None:
        largest = max((each.difference for each in repetitions), default=0.0)
        return Control(name=name, held=True, detail=f"largest difference {largest:.2g}")
    detail = (
        f"asked {doubtful.way}, {doubtful.changed} of {doubtful.asked} rows are decided otherwise, and the score of "
        f"{doubtful.moved} differs by more than rounding, by {doubtful.difference:.2g} at most"
    )
    return Control(name=name, held=False, detail=detail)


def doubts(path: str, controls: tuple[Control, ...], *, remedies: Mapping[str, str] = REMEDIES) -> list[Undecided]:
    """Return an undecided place for each control of a model file that did not hold, with what to do about it."""
    return [
        left_open(
            "control-not-held",
            f"the control {control.name} did not hold: {control.detail}",
            location=path,
            remedy=remedies[control.name],
        )
        for control in controls
        if not control.held
    ]
