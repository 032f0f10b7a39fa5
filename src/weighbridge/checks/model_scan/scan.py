"""The state of one file's scan: its notes, its budget, how deep it is, and what it refers to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from weighbridge.checks.model_scan.budget import Budget, check_depth
from weighbridge.checks.model_scan.report import Notes, RefusedError, TooManyNotesError, UndecidedError
from weighbridge.checks.model_scan.source import Source


@dataclass(frozen=True, slots=True)
class Reference:
    """A range of another file of the model that this file uses as raw numbers."""

    path: str
    end: int
    location: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What everything that is found inside one file shares."""

    notes: Notes
    budget: Budget
    depth: int = 0
    references: list[Reference] = field(default_factory=list)

    @classmethod
    def start(cls) -> Scan:
        """Begin the scan of a file."""
        return cls(Notes(), Budget())

    def deeper(self) -> Scan:
        """Return the same scan one level further inside.

        Raises:
            UndecidedError: That is too deep.
        """
        check_depth(self.depth + 1)
        return replace(self, depth=self.depth + 1)

    def guard(self, examine: Callable[[Scan, Source, str], None], source: Source, location: str) -> None:
        """Run one examination; what it raises on purpose becomes a finding or an undecided place."""
        try:
            examine(self, source, location)
        except TooManyNotesError:
            raise
        except (RefusedError, UndecidedError) as error:
            self.notes.error(error, location=location)
