"""What the scan says about one file, and the collector that its parts write to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from weighbridge.checks.model_scan.reasons import step_of
from weighbridge.checks.model_scan.rules import remedy_of
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import Coverage, FileCoverage
from weighbridge.evidence.record import MAX_TEXT, Finding, Severity, Undecided

MAX_NOTES: Final = 100
"""Most findings, and most undecided places, that one file may have before the scan of it stops."""


class RefusedError(InputError):
    """The bytes break a rule in a way after which the rest cannot be read."""

    def __init__(self, rule: str, message: str, *, offset: int | None = None, severity: str = "high") -> None:
        super().__init__(message)
        self.rule = rule
        self.offset = offset
        self.severity = severity


class UndecidedError(InputError):
    """The bytes cannot be judged: a budget is spent or a form is not known. ``code`` is of the catalogue of reasons."""

    def __init__(self, code: str, reason: str, *, offset: int | None = None) -> None:
        super().__init__(reason)
        self.code = code
        self.offset = offset


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was found in one file, and its line in the coverage."""

    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    coverage: FileCoverage


@dataclass(slots=True)
class Notes:
    """Collects findings and undecided places of one file."""

    findings: list[Finding] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)

    def finding(
        self, rule: str, message: str, *, location: str, severity: str = "high", remedy: str = "", about: str = ""
    ) -> None:
        """Add a finding; past the limit, add a last undecided line and stop the scan of this file.

        Without a remedy it has the rule's. ``about`` is the one name that the finding is about, where there is one.
        """
        self._stop_when_full()
        self.findings.append(
            Finding(
                rule=rule,
                severity=Severity(severity),
                message=clean_text(message),
                location=clean_text(location),
                remedy=clean_text(remedy or remedy_of(rule)),
                about=clean_text(about),
            )
        )

    def cannot_decide(self, code: str, reason: str, *, location: str, remedy: str = "") -> None:
        """Add an undecided place. Without a remedy it has that of its reason in the catalogue."""
        self._stop_when_full()
        self.undecided.append(
            Undecided(
                location=clean_text(location),
                reason=clean_text(reason),
                code=code,
                remedy=clean_text(remedy or step_of(code)),
            )
        )

    def error(self, error: RefusedError | UndecidedError, *, location: str) -> None:
        """Add what an error says, at its offset when it has one."""
        place = location if error.offset is None else f"{location}:{error.offset}"
        if isinstance(error, RefusedError):
            self.finding(error.rule, error.message, location=place, severity=error.severity)
        else:
            self.cannot_decide(error.code, error.message, location=place)

    @property
    def count(self) -> int:
        """Return how many there are of both."""
        return len(self.findings) + len(self.undecided)

    def close(
        self, *, path: str, size: int, kind: str, sha256: str | None, covered: Coverage | None = None
    ) -> FileReport:
        """Make the report: refused with any finding, else undecided with any undecided place, else clean."""
        state: Literal["clean", "refused", "undecided"]
        state = "refused" if self.findings else "undecided" if self.undecided else "clean"
        coverage = FileCoverage(path=path, format=kind, size=size, sha256=sha256, state=state, coverage=covered)
        return FileReport(findings=tuple(self.findings), undecided=tuple(self.undecided), coverage=coverage)

    def _stop_when_full(self) -> None:
        if len(self.findings) + len(self.undecided) >= MAX_NOTES:
            raise TooManyNotesError


class TooManyNotesError(InputError):
    """A file has so many findings that listing more helps nobody."""

    def __init__(self) -> None:
        super().__init__(f"more than {MAX_NOTES} findings; the rest of the file was not examined")


def clean_text(text: str) -> str:
    """Make text from a hostile file safe to show: printable characters only, and short."""
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text[:MAX_TEXT])
    return shown if len(shown) <= MAX_TEXT // 2 else shown[: MAX_TEXT // 2] + "..."
