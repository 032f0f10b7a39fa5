"""Judge what is a fact: of a scan or an audit the newest counts, but for a failure that it does not put an end to.

A newer examination knows more, so it ends an older one. It does not where the newer failure is by a key that has
ended since, where the older one was done by a newer version of the tool, or where the older audit asked newer
advisories, or others of the same date: whoever may choose among several versions or bundles that all count would
choose the one that says least.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from packaging.version import InvalidVersion, Version

from weighbridge.clock import format_instant, parse_instant
from weighbridge.evidence.measurements import DependencyAuditMeasurements
from weighbridge.gate.decision import Evidence, Problem, VerdictResult


def standing_fact(
    item: Evidence, reason: str, *, counted: tuple[Evidence, ...], uncounted: tuple[Problem, ...]
) -> Iterator[Problem]:
    """Yield that another failing result of the same model stands, when nothing that counts is newer in what it knew.

    ``uncounted`` is what whoever asked could arrange so that it does not count: then nobody knows, and it is open.
    """
    if item.finished >= max(each.finished for each in counted):
        # Of evidence by keys that are valid now the newest counts, so this is by one that has ended.
        why = f"{item.file} of {format_instant(item.finished)} is as new or newer, though its key has ended since"
    elif _is_by_newer_tool(item, counted):
        tool = item.record.tool
        why = f"{item.file} is by {tool.name} {tool.version}, and nothing since then by that version or a newer one"
    else:
        asked = _advisories(item)
        known = [bundle for each in counted if (bundle := _advisories(each)) is not None]
        if asked is None or not known or asked in known or asked.built < max(bundle.built for bundle in known):
            return
        which = f"advisories of {format_instant(asked.built)}, sha256:{asked.sha256}"
        why = f"{item.file} was audited against {which}, and nothing since then against them or newer ones"
    doubt = f"; it does not count by itself, since {uncounted[0].reason}" if uncounted else ""
    yield Problem(
        VerdictResult.UNDECIDED if uncounted else VerdictResult.FAILED,
        f"another result of the same model stands: {why}, and says: {reason}{doubt}",
        "run the check again, with this version of weighbridge or a newer one and current advisories",
    )


def _is_by_newer_tool(item: Evidence, counted: tuple[Evidence, ...]) -> bool:
    version = _version(item)
    known = [_version(each) for each in counted]
    return version is not None and all(each is not None and each < version for each in known)


def _version(item: Evidence) -> Version | None:
    try:
        return Version(item.record.tool.version)
    except InvalidVersion:
        return None


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
