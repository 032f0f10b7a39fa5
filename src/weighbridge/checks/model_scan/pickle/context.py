"""What surrounds one pickle: where findings go, which globals are listed, what may still be spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from weighbridge.checks.model_scan.budget import Budget, check_depth
from weighbridge.checks.model_scan.pickle.attributes import Attributes
from weighbridge.checks.model_scan.pickle.rules.rule import Rule
from weighbridge.checks.model_scan.pickle.values import Value
from weighbridge.checks.model_scan.report import Notes
from weighbridge.checks.model_scan.source import Source

Rules = Mapping[tuple[str, str], Rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The surroundings of one pickle.

    ``persistent`` judges a persistent id and gives the value it stands for; without it every such id is refused.
    ``nested`` scans the bytes that are handed to a loader, such as ``torch.storage._load_from_bytes``.
    """

    notes: Notes
    location: str
    rules: Rules
    attributes: Attributes
    budget: Budget
    source: Source
    depth: int = 0
    persistent: Callable[[Value, int], Value] | None = None
    nested: Callable[[Context, Source], None] | None = None

    def inside(self, source: Source, *, location: str) -> Context:
        """Return the context of a pickle inside this one.

        Raises:
            UndecidedError: The nesting is too deep.
        """
        check_depth(self.depth + 1)
        return replace(self, source=source, location=location, depth=self.depth + 1, persistent=None)

    def finding(self, rule: str, message: str, *, offset: int, severity: str = "high", remedy: str = "") -> None:
        """Report something at an offset of this pickle."""
        place = f"{self.location}:{offset}"
        if remedy:
            self.notes.finding(rule, message, location=place, severity=severity, remedy=remedy)
        else:
            self.notes.finding(rule, message, location=place, severity=severity)
