"""Attack one loaded model and report what was left, with every control of the attack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.robustness import controls
from weighbridge.checks.robustness.asking import Asking
from weighbridge.checks.robustness.attack import Outcome, attack
from weighbridge.checks.robustness.margin import scale_of
from weighbridge.checks.robustness.pictures import MAX_PICTURES, can_show, picture
from weighbridge.checks.robustness.proposals import Box, Image
from weighbridge.checks.runners import controls as shared
from weighbridge.checks.runners.interface import Answers, Floats, Labels, Runner
from weighbridge.evidence.measurements import Control, CurvePoint, Picture, RobustnessEntry

MAX_CURVE: Final = 64
"""Most points of a curve in evidence."""

CONTROL_EXAMPLES: Final = 50
"""Examples that the attack with the larger epsilon is tried on."""

LARGER: Final = 4.0
"""How many times larger the control's epsilon is, if that is more than ``LARGER_SHARE`` of the bounds' width."""

LARGER_SHARE: Final = 0.6
"""Least epsilon of the control, as a share of the bounds' width: over half, so that ends can change places."""

MAX_REPEATED: Final = 1_000
"""Most standing examples whose attacked points are asked again in other ways."""

MAX_BLOCK: Final = 2**24
"""Most numbers of examples that are attacked at once, so that memory stays bounded."""

_STREAM_ATTACK: Final = 1
_STREAM_CONTROL: Final = 2
_STREAM_ORDER: Final = 3
_STREAM_ATTACKED_ORDER: Final = 4


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
    clean = runner.answers(setting.x)
    before = _controls_before(runner, clean, setting)
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
    correct = np.flatnonzero(~clean.wrong(setting.y, runner.classes))
    attacked = _Attacked(runner, setting, columns=columns, clean=clean)
    outcome = attacked.outcome(correct, epsilon=setting.epsilon, stream=_STREAM_ATTACK)
    after = _controls_after(attacked, outcome, correct)
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


def _controls_before(runner: Runner, clean: Answers, setting: Setting) -> tuple[Control, ...]:
    match = shared.classes_match(setting.y, runner.classes)
    if not match.held:
        return (match,)
    columns = _columns(setting.y, runner.classes)
    repetitions = shared.ask_again(runner, setting.x, clean, columns=columns, rng=setting.generator(_STREAM_ORDER))
    correct = int((~clean.wrong(setting.y, runner.classes)).sum())
    return (
        match,
        shared.answers_repeat(repetitions),
        shared.decisions_agree(clean, runner.classes),
        controls.above_chance(correct, setting.y),
        controls.budget_covers(setting.queries, setting.x.shape[1]),
    )


@dataclass(frozen=True, slots=True)
class _Attacked:
    """A model under attack: what is the same for the attack itself and for the one with the larger epsilon."""

    runner: Runner
    setting: Setting
    columns: NDArray[np.intp]
    clean: Answers

    def outcome(self, rows: NDArray[np.intp], *, epsilon: float, stream: int) -> Outcome:
        """Attack some examples, in blocks that fit the memory."""
        setting, budget = self.setting, self.setting.queries
        scale = scale_of(self.clean.scores[rows])
        doubted = bool(self.clean.contradict(self.runner.classes).any())
        size = max(1, MAX_BLOCK // setting.x.shape[1])
        parts: list[Outcome] = []
        for number, first in enumerate(range(0, len(rows), size)):
            block = rows[first : first + size]
            asking = Asking(self.runner, setting.y[block], self.columns[block], scale=scale, doubted=doubted)
            box = Box.around(setting.x[block], epsilon=epsilon, bounds=setting.bounds)
            rng = setting.generator(stream, number)
            found = attack(asking.margin, setting.x[block], box=box, image=setting.image, budget=budget, rng=rng)
            parts.append(asking.settled(found, budget=budget))
            doubted = asking.doubted
        return Outcome.joined(parts)


def _controls_after(attacked: _Attacked, outcome: Outcome, correct: NDArray[np.intp]) -> tuple[Control, ...]:
    runner, setting = attacked.runner, attacked.setting
    width = setting.bounds[1] - setting.bounds[0]
    larger = min(width, max(LARGER * setting.epsilon, LARGER_SHARE * width))
    few = correct[:CONTROL_EXAMPLES]
    positive = attacked.outcome(few, epsilon=larger, stream=_STREAM_CONTROL)
    fallen = _answers_at(runner, outcome, ~outcome.standing)
    again = np.zeros(0, dtype=np.bool_)
    if fallen is not None:
        again = fallen.wrong(setting.y[correct[~outcome.standing]], runner.classes)
    return (
        controls.falls_repeat(again, len(again)),
        _repeat_under_attack(runner, setting, outcome, correct),
        controls.decisions_agree_under_attack(_answers_at(runner, positive, ~positive.standing), runner.classes),
        controls.saw_signal(outcome),
        controls.converged(outcome, budget=setting.queries),
        controls.nothing_in_sight(outcome),
        controls.larger_epsilon_breaks(positive, larger / width),
    )


def _answers_at(runner: Runner, outcome: Outcome, which: NDArray[np.bool_]) -> Answers | None:
    # The points at which an attack ended; a runner is not asked about no rows at all.
    return runner.answers(outcome.adversarial[which]) if which.any() else None


def _repeat_under_attack(runner: Runner, setting: Setting, outcome: Outcome, correct: NDArray[np.intp]) -> Control:
    name = "answers-repeat-under-attack"
    standing = np.flatnonzero(outcome.standing)[:MAX_REPEATED]
    if not len(standing):
        return Control(name=name, held=True, detail="no example is left standing")
    points = outcome.adversarial[standing]
    first = runner.answers(points)
    wrong = int(first.wrong(setting.y[correct[standing]], runner.classes).sum())
    once_more = shared.Repetition(way="once more", asked=len(standing), changed=wrong, moved=0, difference=0.0)
    columns = _columns(setting.y[correct[standing]], runner.classes)
    others = shared.ask_again(runner, points, first, columns=columns, rng=setting.generator(_STREAM_ATTACKED_ORDER))
    return shared.answers_repeat((once_more, *others), name=name)


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
    labels = setting.y[correct[order]]
    before, after = (_shown(runner.answers(rows), labels, runner.classes) for rows in (clean, changed))
    return tuple(
        picture(
            clean[place],
            changed[place],
            image=image,
            bounds=setting.bounds,
            label=int(labels[place]),
            predicted=np.array([before[place], after[place]]),
        )
        for place in range(len(order))
    )


def _shown(answers: Answers, labels: Labels, classes: Labels) -> Labels:
    # Of decision and best score the one that is wrong, if either is.
    decided = answers.decided(classes)
    return np.where(decided != labels, decided, answers.best(classes))
