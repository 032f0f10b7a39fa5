"""Findings and undecided places by kind, so that a report says each thing once.

A file with ten names that are not listed is one row with ten names, and not ten rows with one remedy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from weighbridge.evidence.record import Finding, Severity, Undecided
from weighbridge.report._text import cut
from weighbridge.report.facts import worst_first
from weighbridge.report.rules import described
from weighbridge.report.words import plainly

MAX_OFFSETS: Final = 4
"""Offsets or lines of one file or member that are written behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Findings of one kind: of one rule, severity and advisory, about one component, with one remedy.

    There is at least one, and they are in the order in which the check reported them.
    """

    findings: tuple[Finding, ...]

    @property
    def first(self) -> Finding:
        """Return the finding that stands for what all have in common."""
        return self.findings[0]

    @property
    def name(self) -> str:
        """Return the advisory, or else the rule."""
        return self.first.advisory or self.first.rule

    @property
    def count(self) -> int:
        """Return how many findings there are."""
        return len(self.findings)

    @property
    def severity(self) -> Severity:
        """Return the severity of all of them."""
        return self.first.severity

    @property
    def remedy(self) -> str:
        """Return what to do about all of them."""
        return self.first.remedy

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the findings are about by name, each once, if all say so."""
        return once(finding.about for finding in self.findings) if all(one.about for one in self.findings) else ()

    @property
    def messages(self) -> tuple[str, ...]:
        """Return what is wrong: every message once, or what the rule means when the names say the rest."""
        messages = once(finding.message for finding in self.findings)
        rule = described(self.first.rule)
        return (rule.title,) if len(messages) > 1 and self.names and rule else messages

    @property
    def places(self) -> tuple[str, ...]:
        """Return where it was found, one text a file or member, with its offsets or lines behind a colon."""
        return folded(finding.location for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGroup:
    """Places that could not be judged for one reason."""

    code: str
    reason: str
    remedy: str
    places: tuple[str, ...]


def group_findings(findings: tuple[Finding, ...]) -> tuple[Group, ...]:
    """Return the findings by kind, worst first, else by the first of each kind as the check reported it."""
    kinds: dict[tuple[object, ...], list[Finding]] = {}
    for one in worst_first(findings):
        component = (one.component.name, one.component.version) if one.component else None
        key = (one.severity, one.rule, one.advisory, component, one.remedy)
        kinds.setdefault(key, []).append(one)
    return tuple(Group(findings=tuple(found)) for found in kinds.values())


def group_undecided(places: tuple[Undecided, ...]) -> tuple[OpenGroup, ...]:
    """Return the undecided places by reason, as the check reported the first of each."""
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for item in places:
        reasons.setdefault((item.code, plainly(item.reason), item.remedy), []).append(item.location)
    return tuple(
        OpenGroup(code=code, reason=reason, remedy=remedy, places=tuple(found))
        for (code, reason, remedy), found in reasons.items()
    )


def counted(text: str, count: int) -> str:
    """Return a text with how often it holds: ``forbidden-global ×10``."""
    return f"{text} ×{count}" if count > 1 else text


def once(texts: Iterable[str]) -> tuple[str, ...]:
    """Return every text that says something once, in order."""
    return tuple(dict.fromkeys(text for text in texts if text))


def folded(places: Iterable[str]) -> tuple[str, ...]:
    """Return places with those of one file or member as one text: ``a.pt!data.pkl:18, 44 and 7 more``."""
    numbers: dict[str, list[str]] = {}
    for place in once(places):
        path, colon, number = place.rpartition(":")
        if colon and path and number.isdecimal():
            numbers.setdefault(path, []).append(number)
        else:
            numbers.setdefault(place, [])
    return tuple(f"{path}:{listed(tuple(of), limit=MAX_OFFSETS)}" if of else path for path, of in numbers.items())


def listed(texts: tuple[str, ...], *, limit: int, each: int = 160, between: str = ", ") -> str:
    """Return the first texts as one, each cut, saying how many more there are."""
    shown = between.join(cut(text, limit=each) for text in texts[:limit])
    joint = between if between.endswith("\n") else " "
    return f"{shown}{joint}and {len(texts) - limit} more" if len(texts) > limit else shown
