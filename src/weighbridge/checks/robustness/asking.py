"""Ask a model about the candidates of an attack: how far each is from being answered wrongly.

Wrong is a best score *or* a decision that is not the example's label, since either may be what is served: a file with
two heads could give firm scores beside a fragile decision.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.robustness.attack import Outcome
from weighbridge.checks.robustness.margin import ScoreScale, margins
from weighbridge.checks.runners.interface import Answers, Floats, Labels, Runner

DECIDE_EVERY: Final = 16
"""Where a decision costs a call of its own, it is asked for at every so many steps, until one differs from scores."""

_LEAST: Final = float(np.finfo(np.float64).tiny)
"""Margin, with a minus, of a candidate that is wrong though its scores alone do not say so."""


@dataclass(slots=True)
class Asking:
    """A model and the examples that are attacked.

    ``doubted`` says that some decision has differed from the best score. From then on every candidate's decision is
    asked for; until then the decision of a model that needs two calls is taken to be its best score on most steps.
    """

    runner: Runner
    labels: Labels
    columns: NDArray[np.intp]
    scale: ScoreScale
    doubted: bool
    steps: int = 0

    def margin(self, candidates: Floats, rows: NDArray[np.intp]) -> Floats:
        """Return the margin of each candidate, below zero exactly when its best score or its decision is wrong.

        Raises:
            RunnerError: The model stopped answering as a classifier.
        """
        self.steps += 1
        decides = self.runner.decides_at_once or self.doubted or self.steps % DECIDE_EVERY == 0
        answers = self.runner.answers(candidates) if decides else Answers(self.runner.scores(candidates), None)
        return self._judged(answers, rows)

    def settled(self, outcome: Outcome, *, budget: int) -> Outcome:
        """Return an outcome in which the decision at the last point kept of each standing example was looked at too.

        Raises:
            RunnerError: The model stopped answering as a classifier.
        """
        standing = np.flatnonzero(outcome.standing)
        if self.runner.decides_at_once or not len(standing):
            return outcome
        margin = self._judged(self.runner.answers(outcome.adversarial[standing]), standing)
        fell_at = outcome.fell_at.copy()
        fell_at[standing[margin < 0.0]] = budget
        return replace(outcome, fell_at=fell_at)

    def _judged(self, answers: Answers, rows: NDArray[np.intp]) -> Floats:
        found = margins(answers.scores, self.columns[rows], scale=self.scale)
        # As ``Answers.wrong`` and ``contradict``, with one search for the best score: this runs at every step.
        best = answers.scores.argmax(axis=1)
        wrong = best != self.columns[rows]
        if answers.labels is not None:
            self.doubted |= bool((self.runner.classes[best] != answers.labels).any())
            wrong |= answers.labels != self.labels[rows]
        found[wrong & (found >= 0.0)] = -_LEAST
        return found
