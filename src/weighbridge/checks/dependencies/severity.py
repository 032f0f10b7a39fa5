"""How bad a record says that it is."""

from __future__ import annotations

from typing import Final

import msgspec

from weighbridge.checks.dependencies.cvss3 import score_v3
from weighbridge.checks.dependencies.cvss4 import score_v4
from weighbridge.checks.dependencies.osv import Affected, Record
from weighbridge.evidence.record import Severity

MAX_VECTOR: Final = 512
"""Longest CVSS vector that is read, in characters."""

_WORDS: Final = {
    "LOW": Severity.LOW,
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "HIGH": Severity.HIGH,
    "CRITICAL": Severity.CRITICAL,
}


_RATINGS: Final = ((4.0, Severity.LOW), (7.0, Severity.MEDIUM), (9.0, Severity.HIGH))


class _Rated(msgspec.Struct, frozen=True):
    """The rating that GHSA records keep beside the schema."""

    severity: str | None = None


def severity_of(record: Record, entry: Affected) -> Severity:
    """Return the severity of a record for one affected package: the worst that its vectors score.

    A record without a vector that can be scored, and without the rating that GHSA writes, stays ``unknown``.
    """
    vectors = [*(record.severity or ()), *(entry.severity or ())]
    scores = [score for each in vectors if (score := base_score(each.score)) is not None]
    if scores:
        return rating(max(scores))
    try:
        rated = msgspec.json.decode(record.database_specific, type=_Rated | None)
    except (msgspec.DecodeError, RecursionError):
        return Severity.UNKNOWN
    return _WORDS.get((rated.severity or "").upper(), Severity.UNKNOWN) if rated else Severity.UNKNOWN


def base_score(vector: str) -> float | None:
    """Return the base score of a CVSS v3.0, v3.1 or v4.0 vector, or None when it is none or is malformed."""
    if len(vector) > MAX_VECTOR:
        return None
    version, *parts = vector.strip().rstrip("/").split("/")
    metrics: dict[str, str] = {}
    for part in parts:
        name, colon, value = part.partition(":")
        if not colon or not value or name in metrics:
            return None
        metrics[name] = value
    match version:
        case "CVSS:3.0" | "CVSS:3.1":
            return score_v3(metrics, minor=version[-1])
        case "CVSS:4.0":
            return score_v4(metrics)
        case _:
            return None


def rating(score: float) -> Severity:
    """Return the qualitative rating of a score; "none" (0.0) counts as low."""
    for limit, severity in _RATINGS:
        if score < limit:
            return severity
    return Severity.CRITICAL
