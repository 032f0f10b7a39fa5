"""Tests of the attack itself: a model that still stands after an attack that failed proves nothing.

The order and the idea follow Carlini et al., "On evaluating adversarial robustness" (2019), and Athalye, Carlini and
Wagner, "Obfuscated gradients give a false sense of security" (ICML 2018): look for constant or random answers and
saturated scores, see that more queries no longer help, and that a larger epsilon does break the model.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge._binomial import lower_bound, upper_bound
from weighbridge.checks.robustness.attack import Outcome
from weighbridge.checks.runners.interface import Floats, Labels
from weighbridge.evidence.measurements import Control

CONTROL_CONFIDENCE: Final = 0.95
"""Confidence of every bound in a control."""

MAX_LABEL_DISAGREEMENT: Final = 0.02
"""Share of examples whose decision may differ from the best score; scikit-learn's SVC differs on a few."""

MAX_UNREPEATED: Final = 0.02
"""Share of broken examples, beside one, that may be right when asked again: single precision rounds by batch."""

QUERIES_A_FEATURE: Final = 2
"""Fewer queries than this for each number of an input cannot try both ends of each."""

MIN_MOVED: Final = 0.95
"""Share of standing examples whose margin the attack must have lowered at all.

Measured on digits: 1.0 for networks and support vectors, 0.02-0.9 once scores are rounded or saturated.
"""

MAX_LATE_LOSS: Final = 0.05
"""Share of the attacked that the second half of the budget may have broken, as an upper bound."""

MAX_PROJECTED_LOSS: Final = 0.10
"""Share of the attacked that would fall if margins kept sinking for four times the budget, as an upper bound."""

PROJECTED_DOUBLINGS: Final = 2
"""How many doublings of the budget the projection looks ahead; one doubling is what the second half was."""

MIN_BROKEN_BY_LARGER: Final = 0.9
"""Share of examples that the attack must break once epsilon is much larger."""

REMEDIES: Final = {
    "classes-match-labels": "correct the labels of the data",
    "answers-repeat": "switch the model's randomness off",
    "decisions-agree-with-scores": "export the model with its true scores",
    "clean-accuracy-above-chance": "check the scaling of the inputs and the labels",
    "budget-covers-input": "raise --queries",
    "falls-repeat": "switch the model's randomness off",
    "attack-saw-signal": "export unrounded scores, or raise --epsilon",
    "attack-converged": "raise --queries, and give 200 examples or more",
    "larger-budget-not-needed": "raise --queries",
    "larger-epsilon-breaks": "this attack does not suit the model, so it says nothing about it",
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


def answers_repeat(first: Floats, second: Floats) -> Control:
    """Check that the same rows in another order and company get the same scores."""
    scale = max(1.0, float(np.abs(first).max()))
    difference = float(np.abs(first - second).max()) / scale
    # Batches of other sizes go through other code paths of BLAS, which round differently in single precision.
    return Control(name="answers-repeat", held=difference <= 1e-4, detail=f"largest difference {difference:.2g}")  # noqa: PLR2004


def decisions_agree(decided: Labels | None, scores: Floats, classes: Labels) -> Control:
    """Check that the model's own decision is the class of its best score."""
    name = "decisions-agree-with-scores"
    if decided is None:
        return Control(name=name, held=True, detail="the model gives scores only")
    differ = int((decided != classes[scores.argmax(axis=1)]).sum())
    held = differ <= MAX_LABEL_DISAGREEMENT * len(scores)
    return Control(name=name, held=held, detail=f"{differ} of {len(scores)} decisions differ from the best score")


def above_chance(correct: int, labels: Labels) -> Control:
    """Check that clean accuracy is surely better than naming the commonest label."""
    examples = len(labels)
    commonest = int(np.unique(labels, return_counts=True)[1].max()) / examples
    low = lower_bound(correct, examples, confidence=CONTROL_CONFIDENCE)
    detail = f"{correct} of {examples} correct, at least {low:.3f}; the commonest label alone gives {commonest:.3f}"
    return Control(name="clean-accuracy-above-chance", held=low > commonest, detail=detail)


def budget_covers(queries: int, features: int) -> Control:
    """Check that the budget is enough to try every number of an input."""
    needed = QUERIES_A_FEATURE * features
    detail = f"{queries} queries an example for {features} numbers; at least {needed} are needed"
    return Control(name="budget-covers-input", held=queries >= needed, detail=detail)


def saw_signal(outcome: Outcome) -> Control:
    """Check that scores moved under the attack: on a flat score it is blind, and standing means nothing."""
    standing = outcome.standing
    count = int(standing.sum())
    moved = int((standing & (outcome.margin < outcome.clean_margin)).sum())
    detail = f"the margin of {moved} of {count} standing examples could be lowered"
    return Control(name="attack-saw-signal", held=moved >= MIN_MOVED * count, detail=detail)


def converged(outcome: Outcome, *, budget: int) -> Control:
    """Check that the second half of the budget broke hardly anything."""
    attacked = len(outcome.fell_at)
    late = int((2 * outcome.fell_at > budget).sum())
    high = upper_bound(late, attacked, confidence=CONTROL_CONFIDENCE)
    detail = f"the second half of the budget broke {late} of {attacked}, at most {high:.3f} of them"
    return Control(name="attack-converged", held=high <= MAX_LATE_LOSS, detail=detail)


def nothing_in_sight(outcome: Outcome) -> Control:
    """Check that margins no longer sink so fast that a larger budget would break many more.

    In high dimensions a weak attack breaks nothing for long while every margin sinks; counting falls alone calls
    that converged.
    """
    attacked = len(outcome.fell_at)
    gain = outcome.half_margin - outcome.margin
    falling: NDArray[np.bool_] = outcome.standing & (outcome.margin < PROJECTED_DOUBLINGS * gain)
    count = int(falling.sum())
    high = upper_bound(count, attacked, confidence=CONTROL_CONFIDENCE)
    detail = f"{count} of {attacked} would fall within four times the budget at this pace, at most {high:.3f} of them"
    return Control(name="larger-budget-not-needed", held=high <= MAX_PROJECTED_LOSS, detail=detail)


def larger_epsilon_breaks(outcome: Outcome, epsilon: float) -> Control:
    """Check that the same attack breaks the model when epsilon is much larger."""
    attacked = len(outcome.fell_at)
    broken = int((~outcome.standing).sum())
    detail = f"with epsilon {epsilon:g} the attack breaks {broken} of {attacked}"
    held = attacked > 0 and broken >= MIN_BROKEN_BY_LARGER * attacked
    return Control(name="larger-epsilon-breaks", held=held, detail=detail)


def falls_repeat(again: NDArray[np.bool_], broken: int) -> Control:
    """Check that inputs that broke the model still do when asked once more, in other company."""
    repeated = int(again.sum())
    detail = f"{repeated} of {broken} broken examples are wrong again"
    return Control(name="falls-repeat", held=broken - repeated <= 1 + MAX_UNREPEATED * broken, detail=detail)
