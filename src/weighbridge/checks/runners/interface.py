"""What a loaded model offers to a check: scores and decisions for a batch, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from weighbridge.errors import InputError

Floats: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]

MAX_CLASSES: Final = 100_000
"""Most score columns that are believed; a model that answers with more is not run."""


class RunnerError(InputError):
    """A model cannot be loaded, or does not answer as a classifier answers. Makes the entry undecided."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model says of a batch: its scores, and its own decisions where it gives them (else None)."""

    scores: Floats
    labels: Labels | None

    def best(self, classes: Labels) -> Labels:
        """Return the class of each row's best score."""
        found: Labels = classes[self.scores.argmax(axis=1)]
        return found

    def decided(self, classes: Labels) -> Labels:
        """Return what is decided of each row: the model's own decision, or else the class of its best score."""
        return self.best(classes) if self.labels is None else self.labels

    def wrong(self, labels: Labels, classes: Labels) -> NDArray[np.bool_]:
        """Tell which rows have a best score or a decision that is not their label: either may be what is served."""
        wrong: NDArray[np.bool_] = (self.best(classes) != labels) | (self.decided(classes) != labels)
        return wrong

    def contradict(self, classes: Labels) -> NDArray[np.bool_]:
        """Tell which rows have a decision that is not the class of their best score."""
        differ: NDArray[np.bool_] = self.best(classes) != self.decided(classes)
        return differ


class Runner(Protocol):
    """One loaded classifier.

    Rows are flat: ``(n, features)``. A runner gives them the shape that its model wants. Scores are probabilities
    or margins, higher for the likelier class; column ``i`` belongs to the label ``classes[i]``.
    """

    @property
    def framework(self) -> str:
        """Name the library that runs the model."""

    @property
    def classes(self) -> Labels:
        """Return the label of every score column."""

    def scores(self, batch: Floats, /) -> Floats:
        """Return finite scores ``(n, classes)``.

        Raises:
            RunnerError: The model raised, or answered something that is not a table of finite scores.
        """

    def labels(self, batch: Floats, /) -> Labels | None:
        """Return the model's own decisions where it gives them beside scores, else None.

        Raises:
            RunnerError: As ``scores``.
        """

    def answers(self, batch: Floats, /) -> Answers:
        """Return scores and decisions of the same rows.

        Raises:
            RunnerError: As ``scores``.
        """

    @property
    def decides_at_once(self) -> bool:
        """Tell whether scores and decisions come from one call, so that decisions cost nothing."""


def checked_scores(answer: object, *, rows: int, what: str) -> Floats:
    """Give a model's answer its type, or refuse it.

    Raises:
        RunnerError: The answer is not a finite numeric table with one row for each example and two or more columns.
    """
    try:
        scores = np.asarray(answer)
    except ValueError as error:
        raise RunnerError(f"{what} did not answer with a table: {error}") from None
    if scores.dtype.kind not in "fiu":
        raise RunnerError(f"{what} answered with {scores.dtype}, expected numeric scores")
    if scores.ndim != 2 or scores.shape[0] != rows or not 2 <= scores.shape[1] <= MAX_CLASSES:  # noqa: PLR2004
        raise RunnerError(f"{what} answered with shape {scores.shape}, expected ({rows}, two or more classes)")
    table = scores.astype(np.float64)
    if not np.isfinite(table).all():
        raise RunnerError(f"{what} answered with scores that are not finite")
    return table
