"""Limits that nothing can fail are no limits: they are refused, or somebody answers for them until a date.

The floors are not recommendations. Each lies far below what anybody would ask for on purpose, and above what lets every
model through.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from weighbridge.clock import parse_duration
from weighbridge.evidence.record import Severity
from weighbridge.policy.document import (
    DependencyAuditRequirement,
    LeakageRequirement,
    ModelScanRequirement,
    RequirementSpec,
    RobustnessRequirement,
)
from weighbridge.policy.limits import DependencyAuditLimits, LeakageLimits, RobustnessLimits

LONGEST: Final = timedelta(days=366)
"""Longest span after which evidence, advisories or a verdict may still count."""

LEAST_ACCURACY: Final = 0.05
"""Lowest accuracy under attack that may be asked for; guessing among ten classes has twice as much."""

LEAST_EPSILON: Final = 0.001
"""Smallest change that an attack may be held to; one step of an eight-bit pixel is four times as much."""

LEAST_EXAMPLES: Final = 20
"""Fewest examples that an attack may be held to."""

LEAST_QUERIES: Final = 100
"""Fewest queries an example that an attack may be held to."""

MOST_MEMBERSHIP: Final = 0.5
"""Highest rate at which members may be recognised, and highest false-positive rate at which that may be asked."""

MOST_ROWS: Final = 1_000
"""Most training rows that a file may be allowed to hold."""


def too_long(span: str) -> bool:
    """Say whether a span is so long that nothing ever becomes too old."""
    return parse_duration(span, what="a span") > LONGEST


def toothless(spec: RequirementSpec) -> Iterator[str]:
    """Yield in words every limit of a requirement that nothing, or hardly anything, can fail."""
    if too_long(spec.max_age):
        yield f"maxAge {spec.max_age} is longer than a year"
    match spec:
        case DependencyAuditRequirement(limits=audit):
            yield from _audit(audit)
        case ModelScanRequirement(limits=scan):
            if scan.severity is Severity.CRITICAL:
                yield "severity critical lets pass most of what a scan can find"
        case RobustnessRequirement(limits=robustness):
            yield from _robustness(robustness)
        case LeakageRequirement(limits=leakage):
            yield from _leakage(leakage)


def _audit(limits: DependencyAuditLimits) -> Iterator[str]:
    if limits.malware == "warn":
        yield "malware only warns"
    if limits.severity is Severity.CRITICAL and limits.unknown_severity == "warn":
        yield "nothing below critical fails, nor what has no severity, which is most records"
    if limits.database_max_age is not None and too_long(limits.database_max_age):
        yield f"databaseMaxAge {limits.database_max_age} is longer than a year"


def _robustness(limits: RobustnessLimits) -> Iterator[str]:
    if limits.accuracy_under_attack.at_least < LEAST_ACCURACY:
        yield f"atLeast {limits.accuracy_under_attack.at_least:g} is below {LEAST_ACCURACY:g}"
    if limits.epsilon < LEAST_EPSILON:
        yield f"epsilon {limits.epsilon:g} is below {LEAST_EPSILON:g}"
    if limits.examples < LEAST_EXAMPLES:
        yield f"{limits.examples} examples are fewer than {LEAST_EXAMPLES}"
    if limits.queries < LEAST_QUERIES:
        yield f"{limits.queries} queries an example are fewer than {LEAST_QUERIES}"


def _leakage(limits: LeakageLimits) -> Iterator[str]:
    if limits.membership.at_most > MOST_MEMBERSHIP:
        yield f"atMost {limits.membership.at_most:g} is above {MOST_MEMBERSHIP:g}"
    if limits.membership.tpr_at_fpr > MOST_MEMBERSHIP:
        yield f"tprAtFpr {limits.membership.tpr_at_fpr:g} is above {MOST_MEMBERSHIP:g}"
    if limits.verbatim_training_rows > MOST_ROWS:
        yield f"verbatimTrainingRows {limits.verbatim_training_rows} is above {MOST_ROWS}"
