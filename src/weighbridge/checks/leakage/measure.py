"""Measure what one loaded model tells about its training rows, with the controls that such a figure needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.data.examples import Examples
from weighbridge.checks.data.labels import classes_of
from weighbridge.checks.interface import LeakageOptions
from weighbridge.checks.leakage.artifact import Verbatim, find_rows
from weighbridge.checks.leakage.label_gap import Seen, strongest_rate_at
from weighbridge.checks.leakage.membership import auc, membership_scores, roc
from weighbridge.checks.runners import controls
from weighbridge.checks.runners.entries import Entry, Loaded
from weighbridge.checks.runners.interface import Answers, Floats, Labels, Runner, RunnerError
from weighbridge.evidence.measurements import Control, LeakageEntry

ATTACK: Final = "loss-threshold+label-gap/v2"
"""Name and version of the attacks, as evidence tells them."""

MAX_REPEATED: Final = 1_000
"""Most rows of each side that are asked again in other ways."""


def measure(
    entry: Entry, loaded: Loaded, *, members: Examples, non_members: Examples, options: LeakageOptions
) -> tuple[LeakageEntry, Verbatim]:
    """Return the figures of one model file with their controls, and the rows that were found in it.

    A leak that was measured is one even when a control did not hold; what was not is then undecided.

    Raises:
        RunnerError: A label is no class of the model, the model stopped answering, or its arrays cannot be examined.
    """
    runner = loaded.runner
    labels = classes_of((members.y, non_members.y), classes=runner.classes, names=loaded.names)
    sides = (Side(members.x, labels[0]), Side(non_members.x, labels[1]))
    answers = (_answers(runner, sides[0]), _answers(runner, sides[1]))
    inside, outside = _seen(runner, sides[0], answers[0]), _seen(runner, sides[1], answers[1])
    verbatim = find_rows(entry, loaded, members=members.x, non_members=non_members.x)
    result = LeakageEntry(
        path=entry.name,
        framework=runner.framework,
        attack=ATTACK,
        auc=auc(inside.scores, outside.scores),
        rates=tuple(
            strongest_rate_at(inside, outside, fpr=rate, confidence=confidence)
            for rate in options.rates
            for confidence in options.confidences
        ),
        roc=roc(inside.scores, outside.scores),
        verbatim_training_rows=verbatim.members,
        arrays_examined=verbatim.arrays,
        rows_looked_up=verbatim.looked_up,
        controls=_controls(runner, sides, answers, options=options),
    )
    return result, verbatim


@dataclass(frozen=True, slots=True)
class Side:
    """Rows of one side, with their labels as classes of the model."""

    x: Floats
    y: Labels


def _answers(runner: Runner, examples: Side) -> Answers:
    unknown = sorted(set(examples.y.tolist()) - set(runner.classes.tolist()))
    if unknown:
        raise RunnerError(f"labels {unknown[:5]} of the data are no classes of the model")
    return runner.answers(examples.x)


def _seen(runner: Runner, examples: Side, answers: Answers) -> Seen:
    return Seen(
        scores=membership_scores(answers.scores, _columns(examples.y, runner.classes)),
        right=answers.decided(runner.classes) == examples.y,
    )


def _columns(labels: Labels, classes: Labels) -> NDArray[np.intp]:
    order = np.argsort(classes, kind="stable")
    return order[np.searchsorted(classes[order], labels)]


def _controls(
    runner: Runner, sides: tuple[Side, Side], answers: tuple[Answers, Answers], *, options: LeakageOptions
) -> tuple[Control, ...]:
    rng = np.random.default_rng(options.seed or 0)
    some = [rng.permutation(len(side.x))[:MAX_REPEATED] for side in sides]
    # Both sides in one company, so that an answer that follows from who else is asked shows.
    x = np.concatenate([side.x[rows] for side, rows in zip(sides, some, strict=True)])
    y = np.concatenate([side.y[rows] for side, rows in zip(sides, some, strict=True)])
    repetitions = controls.ask_again(runner, x, _joined(answers, some), columns=_columns(y, runner.classes), rng=rng)
    every = [np.arange(len(side.x)) for side in sides]
    return (
        controls.classes_match(np.concatenate([side.y for side in sides]), runner.classes),
        controls.answers_repeat(repetitions),
        controls.decisions_agree(_joined(answers, every), runner.classes),
    )


def _joined(answers: tuple[Answers, Answers], rows: list[NDArray[np.intp]]) -> Answers:
    scores = np.concatenate([each.scores[chosen] for each, chosen in zip(answers, rows, strict=True)])
    labels = [each.labels[chosen] for each, chosen in zip(answers, rows, strict=True) if each.labels is not None]
    return Answers(scores, np.concatenate(labels) if labels else None)
