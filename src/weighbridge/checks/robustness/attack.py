"""A black-box attack that sees scores only, on all examples that still stand at once.

One step asks the model once for each standing example, so a step is a query an example, and predictions go in
batches. The first part of the budget goes to random patches, the rest to sweeps of flips until a sweep gains nothing
for anybody; then it starts again from another corner. The same seed gives the same queries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.robustness.proposals import Box, Generator, Image, flip, flip_groups, patch, start
from weighbridge.checks.runners.interface import Floats

NAME: Final = "patches-and-flips/v2"
"""Name and version of the attack, as evidence tells it."""

_PATCH_SHARE: Final = 0.3
"""Share of the budget for random patches before the first sweep."""

_RESTART_PATCHES: Final = 100
"""Random patches after each new start."""

_SWEEP_SHARE: Final = 0.5
"""Share of the budget that one sweep may take; inputs with more values are swept in groups."""

Margin = Callable[[Floats, NDArray[np.intp]], Floats]
"""Margins of candidates; the second argument tells which examples they belong to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack did to each example.

    ``fell_at`` is the query that broke it, 0 where it stands. Margins are the lowest seen: before, at half of the
    budget, at the end. ``asked`` counts the queries about an example.
    """

    fell_at: NDArray[np.int64]
    adversarial: Floats
    clean_margin: Floats
    half_margin: Floats
    margin: Floats
    asked: NDArray[np.int64]

    @property
    def standing(self) -> NDArray[np.bool_]:
        """Return which examples the attack did not break."""
        standing: NDArray[np.bool_] = self.fell_at == 0
        return standing

    @classmethod
    def joined(cls, parts: Sequence[Outcome]) -> Outcome:
        """Return the outcomes of consecutive blocks of examples as one."""
        if len(parts) == 1:
            return parts[0]
        return cls(**{each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)})


class _Search:
    """The state of one attack; every change goes through ``step``."""

    def __init__(
        self, margin: Margin, x: Floats, *, box: Box, image: Image | None, budget: int, rng: Generator
    ) -> None:
        count = len(x)
        self.ask, self.box, self.image, self.budget, self.rng = margin, box, image, budget, rng
        self.clean = margin(x, np.arange(count))
        self.current, self.current_margin = x.copy(), self.clean.copy()
        self.lowest_at, self.lowest, self.half = x.copy(), self.clean.copy(), self.clean.copy()
        self.fell_at = np.zeros(count, dtype=np.int64)
        self.asked = np.zeros(count, dtype=np.int64)
        self.query = 0

    def standing(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.fell_at == 0)

    def running(self) -> bool:
        return self.query < self.budget and bool((self.fell_at == 0).any())

    def step(self, candidates: Floats, rows: NDArray[np.intp]) -> bool:
        """Ask about one candidate for each row and keep those that lower the margin; tell whether any did."""
        self.query += 1
        answer = self.ask(candidates, rows)
        self.asked[rows] += 1
        better = answer < self.current_margin[rows]
        self.current[rows[better]] = candidates[better]
        self.current_margin[rows[better]] = answer[better]
        best = answer < self.lowest[rows]
        self.lowest_at[rows[best]] = candidates[best]
        self.lowest[rows[best]] = answer[best]
        self.fell_at[rows[answer < 0.0]] = self.query
        if 2 * self.query <= self.budget:
            self.half = self.lowest.copy()
        return bool(better.any())

    def patches(self, count: int) -> None:
        """Start from a new corner and try random patches."""
        if not self.running():
            return
        rows = self.standing()
        self.current_margin[rows] = np.inf
        self.step(start(self.box.take(rows), image=self.image, rng=self.rng), rows)
        for number in range(1, count):
            if not self.running():
                return
            rows = self.standing()
            box = self.box.take(rows)
            used = number / count
            self.step(patch(self.current[rows], box, image=self.image, used=used, rng=self.rng), rows)

    def sweep(self) -> bool:
        """Try to flip every value once; tell whether that helped anywhere."""
        most = max(1, int(self.budget * _SWEEP_SHARE))
        gained = False
        for group in flip_groups(self.current.shape[1], image=self.image, most=most, rng=self.rng):
            if not self.running():
                return False
            rows = self.standing()
            gained |= self.step(flip(self.current[rows], self.box.take(rows), group), rows)
        return gained


def attack(margin: Margin, x: Floats, *, box: Box, image: Image | None, budget: int, rng: Generator) -> Outcome:
    """Look for an input in each example's box whose margin is below zero, with at most ``budget`` queries each.

    The examples must be answered correctly as they are; the clean answer is not counted as a query.
    """
    search = _Search(margin, x, box=box, image=image, budget=budget, rng=rng)
    patches = max(1, int(budget * _PATCH_SHARE))
    while search.running():
        search.patches(patches)
        while search.sweep():
            pass
        patches = _RESTART_PATCHES
    return Outcome(
        fell_at=search.fell_at,
        adversarial=search.lowest_at,
        clean_margin=search.clean,
        half_margin=search.half,
        margin=search.lowest,
        asked=search.asked,
    )
