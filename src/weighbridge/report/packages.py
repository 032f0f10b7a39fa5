"""What to do about each package that advisories speak of: one line a package, whatever their number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from packaging.version import InvalidVersion, Version

from weighbridge.evidence.record import Finding, Severity
from weighbridge.report.facts import count_severities

_FIXED: Final = re.compile(r"Update \S+ to (\S+) or later")
"""How an audit says in which version an advisory is fixed."""


@dataclass(frozen=True, slots=True)
class PackageAdvice:
    """One package: how many advisories of which severity, the version that fixes what can be, and what none fixes."""

    name: str
    version: str
    findings: tuple[Finding, ...]
    update_to: str
    unfixed: int

    @property
    def worst(self) -> Severity:
        """Return the worst severity."""
        return max((finding.severity for finding in self.findings), key=lambda severity: severity.rank)

    @property
    def counted(self) -> str:
        """Return how many there are of each severity, the worst first."""
        return ", ".join(f"{count} {severity}" for severity, count in count_severities(self.findings))

    @property
    def step(self) -> str:
        """Return the one step that helps against all that an update helps against."""
        left = f"{self.unfixed} without a fixed version" if self.unfixed else ""
        update = f"update to {self.update_to} or later" if self.update_to else ""
        return "; ".join(part for part in (update, left) if part)


def advise(findings: Iterable[Finding]) -> tuple[PackageAdvice, ...]:
    """Return a line for each package with advisories, the worst first."""
    packages: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        if finding.advisory is not None and finding.component is not None:
            packages.setdefault((finding.component.name, finding.component.version), []).append(finding)
    advice = [_advice(name, version, found) for (name, version), found in packages.items()]
    return tuple(sorted(advice, key=lambda one: (-one.worst.rank, -len(one.findings), one.name)))


def _advice(name: str, version: str, found: list[Finding]) -> PackageAdvice:
    fixed = []
    for finding in found:
        said = _FIXED.match(finding.remedy)
        try:
            fixed.append(Version(said[1]) if said is not None else None)
        except InvalidVersion:
            fixed.append(None)
    highest = max((one for one in fixed if one is not None), default=None)
    return PackageAdvice(name, version, tuple(found), "" if highest is None else str(highest), fixed.count(None))
