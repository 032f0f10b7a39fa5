"""Attack one loaded model and report what was left, with every control of the attack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.robustness import controls
from weighbridge.checks.robustness.attack import Margin, Outcome, attack
from weighbridge.checks.robustness.margin import margins, scale_of
from weighbridge.checks.robustness.pictures import MAX_PICTURES, can_show, picture
from weighbridge.checks.robustness.proposals import Box, Image
from weighbridge.checks.runners.interface import Floats, Labels, Runner
from weighbridge.evidence.measurements import Control, CurvePoint, Picture, RobustnessEntry

MAX_CURVE: Final = 64
"""Most points of a curve in evidence."""

CONTROL_EXAMPLES: Final = 50
"""Examples that the attack with the larger epsilon is tried on."""

LARGER: Final = 4.0
"""How many times larger the control's epsilon is, if that is more than ``LARGER_SHARE`` of the bounds' width."""

LARGER_SHARE: Final = 0.6
"""Least epsilon of the control, as a share of the bounds' width: over half, so that ends can change places."""

MAX_BLOCK: Final = 2**24
"""Most numbers of examples that are attacked at once, so that memory stays bounded."""

_STREAM_ATTACK: Final = 1
_STREAM_CONTROL: Final = 2
_STREAM_ORDER: Final = 3


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for every entry of a model."""

    x: Floats
    y: Labels
    image: Image | None
    bounds: tuple[float, float]
    epsilon: float  # in the units of the inputs
    queries: int
    seed: int

    def generator(self, *stream: int) -> np.random.Generator:
        """Return the random numbers of one purpose, the same for the same seed."""
        return np.random.default_rng([self.seed, *stream])


def measure(runner: Runner, path: str, setting: Setting) -> RobustnessEntry:
    """Return the accuracy under attack of one model file.

    When a control of the model itself does not hold, nothing is attacked and no count is given: there is no figure
    that could be misread.

    Raises:
        RunnerError: The model stopped answering as a classifier.
    """
    scores = runner.scores(setting.x)
    before = _controls_before(runner, scores, setting)
    if not all(control.held for control in before):
        return RobustnessEntry(
            path=path,
            framework=runner.framework,
            examples=0,
            correct=0,
            survived=0,
            queries=0,
            curve=(),
            controls=before,
            pictures=(),
        )
    columns = _columns(setting.y, runner.classes)
    correct = np.flatnonzero(scores.argmax(axis=1) == columns)
    outcome = _attack(runner, setting, correct, columns, epsilon=setting.epsilon, stream=_STREAM_ATTACK)
    after = _controls_after(runner, setting, outcome, correct, columns)
    return RobustnessEntry(
        path=path,
        framework=runner.framework,
        examples=len(setting.x),
        correct=len(correct),
        survived=int(outcome.standing.sum()),
        queries=int(outcome.asked.sum()),
        curve=curve_of(outcome.fell_at, examples=len(setting.x), budget=setting.queries),
        controls=(*before, *after),
        pictures=_pictures(runner, setting, outcome, correct),
    )


def _columns(labels: Labels, classes: Labels) -> NDArray[np.intp]:
    order = np.argsort(classes, kind="stable")
    return order[np.searchsorted(classes[order], labels)]


def _controls_before(runner: Runner, scores: Floats, setting: Setting) -> tuple[Control, ...]:
    match = controls.classes_match(setting.y, runner.classes)
    if not match.held:
        return (match,)
    order = setting.generator(_STREAM_ORDER).permutation(len(setting.x))
    again = np.empty_like(scores)
    half = len(order) // 2
    for part in (order[:half], order[half:]):
        if len(part):
            again[part] = runner.scores(setting.x[part])
    correct = int((runner.classes[scores.argmax(axis=1)] == setting.y).sum())
    return (
        match,
        controls.answers_repeat(scores, again),
        controls.decisions_agree(runner.labels(setting.x), scores, runner.classes),
        controls.above_chance(correct, setting.y),
        controls.budget_covers(setting.queries, setting.x.shape[1]),
    )


def _attack(
    runner: Runner,
    setting: Setting,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    *,
    epsilon: float,
    stream: int,
) -> Outcome:
    scale = scale_of(runner.scores(setting.x[rows]))
    size = max(1, MAX_BLOCK // setting.x.shape[1])
    parts: list[Outcome] = []
    for number, first in enumerate(range(0, len(rows), size)):
        block = rows[first : first + size]

        def margin(candidates: Floats, within: NDArray[np.intp], block: NDArray[np.intp] = block) -> Floats:
            return margins(runner.scores(candidates), columns[block[within]], scale=scale)

        ask: Margin = margin
        x = setting.x[block]
        box = Box.around(x, epsilon=epsilon, bounds=setting.bounds)
        rng = setting.generator(stream, number)
        parts.append(attack(ask, x, box=box, image=setting.image, budget=setting.queries, rng=rng))
    return Outcome.joined(parts)


def _controls_after(
    runner: Runner,
    setting: Setting,
    outcome: Outcome,
    correct: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> tuple[Control, ...]:
    broken = np.flatnonzero(~outcome.standing)
    again = np.zeros(0, dtype=np.bool_)
    if len(broken):
        again = runner.scores(outcome.adversarial[broken]).argmax(axis=1) != columns[correct[broken]]
    width = setting.bounds[1] - setting.bounds[0]
    larger = min(width, max(LARGER * setting.epsilon, LARGER_SHARE * width))
    few = correct[:CONTROL_EXAMPLES]
    positive = _attack(runner, setting, few, columns, epsilon=larger, stream=_STREAM_CONTROL)
    return (
        controls.falls_repeat(again, len(broken)),
        controls.saw_signal(outcome),
        controls.converged(outcome, budget=setting.queries),
        controls.nothing_in_sight(outcome),
        controls.larger_epsilon_breaks(positive, larger / width),
    )


def curve_of(fell_at: NDArray[np.int64], *, examples: int, budget: int) -> tuple[CurvePoint, ...]:
    """Return accuracy after at most so many queries, at few points that lie denser at the start."""
    points = np.unique(np.rint(np.geomspace(1, budget, MAX_CURVE - 1)).astype(np.int64))
    times = np.sort(fell_at[fell_at > 0])
    left = len(fell_at) - np.searchsorted(times, np.concatenate([[0], points]), side="right")
    return tuple(
        CurvePoint(queries=int(at), accuracy=int(count) / examples)
        for at, count in zip([0, *points.tolist()], left.tolist(), strict=True)
    )


def _pictures(runner: Runner, setting: Setting, outcome: Outcome, correct: NDArray[np.intp]) -> tuple[Picture, ...]:
    image = setting.image
    if image is None or not can_show(image) or not len(correct):
        return ()
    # Broken ones first, those that took longest in front: they lie nearest to what the model withstands.
    order = np.argsort(-outcome.fell_at, kind="stable")[:MAX_PICTURES]
    clean, changed = setting.x[correct[order]], outcome.adversarial[order]
    before = runner.classes[runner.scores(clean).argmax(axis=1)]
    after = runner.classes[runner.scores(changed).argmax(axis=1)]
    return tuple(
        picture(
            clean[place],
            changed[place],
            image=image,
            bounds=setting.bounds,
            label=int(setting.y[correct[order[place]]]),
            predicted=np.array([before[place], after[place]]),
        )
        for place in range(len(order))
    )
