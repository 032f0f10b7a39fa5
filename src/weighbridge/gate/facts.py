"""Judge what is a fact: of a scan or an audit the newest counts, but for a failure that it does not put an end to.

A newer examination knows more, so it ends an older one. It does not where the newer failure is by a key that has
ended since, or where the older audit asked newer advisories, or others of the same date: whoever may choose among
several bundles that all count would choose the one that says least.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from weighbridge.clock import format_instant, parse_instant
from weighbridge.evidence.measurements import DependencyAuditMeasurements
from weighbridge.gate.decision import Evidence, Problem, VerdictResult


def standing_fact(item: Evidence, reason: str, *, counted: tuple[Evidence, ...]) -> Iterator[Problem]:
    """Yield that another failing result of the same model stands, when nothing that counts is newer in what it knew."""
    if item.finished > max(each.finished for each in counted):
        # Of evidence by keys that are valid now the newest counts, so this is by one that has ended.
        why = f"{item.file} of {format_instant(item.finished)} is newer, though its key has ended since"
    else:
        asked = _advisories(item)
        known = [bundle for each in counted if (bundle := _advisories(each)) is not None]
        if asked is None or not known or asked in known or asked.built < max(bundle.built for bundle in known):
            return
        which = f"advisories of {format_instant(asked.built)}, sha256:{asked.sha256}"
        why = f"{item.file} was audited against {which}, and nothing since then against them or newer ones"
    yield Problem(
        VerdictResult.FAILED,
        f"another result of the same model stands: {why}, and says: {reason}",
        "run the check again, with current advisories",
    )


@dataclass(frozen=True, slots=True)
class _Bundle:
    built: datetime
    sha256: str


def _advisories(item: Evidence) -> _Bundle | None:
    measured = item.record.measurements
    if not isinstance(measured, DependencyAuditMeasurements):
        return None
    built = parse_instant(measured.database.built, what="the date of the advisories")
    return _Bundle(built, measured.database.sha256)
