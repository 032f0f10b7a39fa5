"""The state of one file's scan: its notes, its budget, how deep it is, and what it refers to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from weighbridge.checks.model_scan.account import Account, covered
from weighbridge.checks.model_scan.budget import Budget, check_depth
from weighbridge.checks.model_scan.report import Notes, RefusedError, TooManyNotesError, UndecidedError, clean_text
from weighbridge.checks.model_scan.source import Source
from weighbridge.evidence.measurements import Coverage


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
    accounts: list[Account] = field(default_factory=list)

    @classmethod
    def start(cls) -> Scan:
        """Begin the scan of a file."""
        return cls(Notes(), Budget())

    def account(self, *, location: str, size: int) -> Account:
        """Open the account of one more content; the first of a scan is that of the file itself."""
        made = self.unlisted(location=location, size=size)
        self.accounts.append(made)
        return made

    def unlisted(self, *, location: str, size: int) -> Account:
        """Open an account that is not part of the report before it is added to the others."""
        member = location.removeprefix(self.accounts[0].location).lstrip("!") if self.accounts else ""
        return Account(location, clean_text(member), size)

    def coverage(self, most: int) -> Coverage | None:
        """Say what became of every byte of the file, in about ``most`` ranges; None when nothing was read of it."""
        return covered(self.accounts, most) if self.accounts else None

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
        except RecursionError:
            self.notes.cannot_decide("nests-too-deep", "the content nests too deeply to be judged", location=location)
