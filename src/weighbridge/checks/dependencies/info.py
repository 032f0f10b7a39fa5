"""Tell what an advisory bundle holds."""

from __future__ import annotations

from dataclasses import dataclass

from weighbridge import _json
from weighbridge.checks.dependencies.advisories import arrange
from weighbridge.checks.dependencies.bundle import parse_bundle, unpack_lines
from weighbridge.checks.dependencies.malware import CURATED, PREFIX
from weighbridge.checks.dependencies.matching import ordered_points
from weighbridge.checks.dependencies.osv import Record
from weighbridge.checks.dependencies.severity import severity_of
from weighbridge.evidence.measurements import AdvisoryDatabase
from weighbridge.evidence.record import Severity


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What a bundle holds, for a person who decides whether to use it.

    ``without_severity`` counts records in force that no vector or rating gives a severity; ``unorderable`` and
    ``without_versions`` are the ids of records that cannot be matched in part or at all: a version that PEP 440 does
    not order, and neither versions nor ranges.
    """

    database: AdvisoryDatabase
    packages: int
    malware: int
    without_severity: int
    unorderable: tuple[str, ...]
    without_versions: tuple[str, ...]


def describe_bundle(packed: bytes, *, name: str) -> BundleInfo:
    """Read a bundle's bytes with every check that there is, duplicate JSON keys included, and count what it holds.

    Raises:
        InputError: When it is not acceptable.
    """
    bundle = parse_bundle(packed, name=name)
    for number, line in unpack_lines(packed, name=name):
        _json.loads(line, what=f"line {number} of {name}")
    live = [record for record in bundle.records if record.withdrawn is None]
    return BundleInfo(
        database=bundle.database,
        packages=len(list(arrange(bundle).names())),
        malware=sum(_names_malware(record) for record in live),
        without_severity=sum(_unrated(record) for record in live),
        unorderable=tuple(record.id for record in live if _unorderable(record)),
        without_versions=tuple(record.id for record in live if _unmatchable(record)),
    )


def _names_malware(record: Record) -> bool:

    ids = (record.id, *(record.aliases or ()))
    return record.id in CURATED or any(one.startswith(PREFIX) for one in ids)


def _unrated(record: Record) -> bool:

    return all(severity_of(record, entry) is Severity.UNKNOWN for entry in record.affected)


def _unorderable(record: Record) -> bool:

    return any(
        each.type == "ECOSYSTEM" and ordered_points(each) is None for entry in record.affected for each in entry.ranges
    )


def _unmatchable(record: Record) -> bool:
    return all(not entry.listed() and all(each.type == "GIT" for each in entry.ranges) for entry in record.affected)
