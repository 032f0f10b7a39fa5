"""The JSON of one check, for programs: one type a check, so that each has a schema of its own."""

from __future__ import annotations

import json
from typing import Final, Literal

import msgspec

from weighbridge._struct import Wire
from weighbridge.evidence.measurements import (
    DependencyAuditMeasurements,
    LeakageMeasurements,
    Measurements,
    ModelScanMeasurements,
    RobustnessMeasurements,
)
from weighbridge.evidence.record import CheckName, CheckRecord, Finding, Instant, Text, Tool, Undecided
from weighbridge.model.digest import Digest
from weighbridge.report.facts import result_of
from weighbridge.report.interface import Result


class ModelDigest(Wire):
    """The digest of the model, by the name it has in an in-toto DigestSet."""

    dir_hash: str


class ReportSubject(Wire):
    """The model a report is about."""

    name: Text
    digest: ModelDigest


class CheckReport(Wire):
    """What one check established about one model.

    ``verdict`` is ``failed`` with any finding, ``undecided`` when something could not be judged, else ``passed``:
    what the command's exit code says. A policy's limits are applied by the gate, not here.
    """

    schema: str
    subject: ReportSubject
    verdict: Result
    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    measurements: Measurements | None
    tool: Tool
    started: Instant
    finished: Instant


class DependencyAuditReport(CheckReport):
    """The report of a dependency audit."""

    schema: Literal["weighbridge.dev/dependency-audit-report/v1"]
    measurements: DependencyAuditMeasurements | None


class ModelScanReport(CheckReport):
    """The report of a model scan."""

    schema: Literal["weighbridge.dev/model-scan-report/v1"]
    measurements: ModelScanMeasurements | None


class RobustnessReport(CheckReport):
    """The report of a robustness test."""

    schema: Literal["weighbridge.dev/robustness-report/v1"]
    measurements: RobustnessMeasurements | None


class LeakageReport(CheckReport):
    """The report of a leakage test."""

    schema: Literal["weighbridge.dev/leakage-report/v1"]
    measurements: LeakageMeasurements | None


class Unread(Wire):
    """A model that could not be examined, and why."""

    name: str
    reason: str
    remedy: str


class ScanReports(Wire):
    """The reports of several models that were scanned in one call; ``verdict`` is the worst of them.

    A model that could not be examined is undecided, and stands under ``unread``.
    """

    schema: Literal["weighbridge.dev/model-scan-reports/v1"]
    verdict: Result
    reports: tuple[ModelScanReport, ...]
    unread: tuple[Unread, ...]


TYPES: Final[dict[CheckName, type[CheckReport]]] = {
    CheckName.DEPENDENCY_AUDIT: DependencyAuditReport,
    CheckName.MODEL_SCAN: ModelScanReport,
    CheckName.ROBUSTNESS: RobustnessReport,
    CheckName.LEAKAGE: LeakageReport,
}
"""The type of each check's report."""


def check_report(record: CheckRecord, *, model: str, digest: Digest) -> CheckReport:
    """Make the report of one record about one model."""
    return TYPES[record.check](
        schema=f"weighbridge.dev/{record.check}-report/v1",
        subject=ReportSubject(name=model, digest=ModelDigest(dir_hash=digest.hex)),
        verdict=result_of(record),
        findings=record.findings,
        undecided=record.undecided,
        measurements=record.measurements,
        tool=record.tool,
        started=record.started,
        finished=record.finished,
    )


def write_json(value: Wire) -> str:
    """Write a value as indented JSON in ASCII, with a final newline.

    ASCII, because a text from evidence may hold terminal escapes, reordering characters or half a surrogate pair.
    """
    return json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=True) + "\n"
