"""The predicates that carry our records: existing in-toto types, with our record in a field of its own.

- test-result v0.1: https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md
- vulns v0.2: https://github.com/in-toto/attestation/blob/main/spec/predicates/vulns_02.md

Other tools read the standard fields; the gate reads the record, because only it has what limits are applied to.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from weighbridge import _json
from weighbridge._struct import Wire
from weighbridge.errors import VerificationError
from weighbridge.evidence.measurements import (
    DependencyAuditMeasurements,
    Input,
    LeakageMeasurements,
    ModelScanMeasurements,
    RobustnessMeasurements,
)
from weighbridge.evidence.record import CheckName, CheckRecord
from weighbridge.evidence.statement import Statement
from weighbridge.model.digest import Digest, ManifestDigest

TEST_RESULT: Final = "https://in-toto.io/attestation/test-result/v0.1"
VULNS: Final = "https://in-toto.io/attestation/vulns/v0.2"
CYCLONEDX: Final = "https://cyclonedx.org/bom"
RECORD_FIELD: Final = "weighbridge.dev/record/v1"
"""Name of the field that holds our record inside a predicate."""

_TOOL_URI: Final = "https://weighbridge.dev"


class ResourceDescriptor(Wire, omit_defaults=True):
    """A resource by name and digest, as in the in-toto specification."""

    name: str
    digest: dict[str, str]


class TestResult(Wire, omit_defaults=True):
    """The predicate of a scan, a robustness or a leakage test."""

    __test__ = False

    result: Literal["PASSED", "WARNED", "FAILED"]
    configuration: tuple[ResourceDescriptor, ...]
    record: CheckRecord = msgspec.field(name=RECORD_FIELD)
    passed_tests: tuple[str, ...] = ()
    warned_tests: tuple[str, ...] = ()
    failed_tests: tuple[str, ...] = ()


class Score(Wire):
    """A severity by one method."""

    method: str
    score: str


class Vulnerability(Wire):
    """One advisory that applies."""

    id: str
    severity: tuple[Score, ...]
    annotations: tuple[dict[str, str], ...]


class Database(Wire):
    """The advisories that were used."""

    uri: str
    version: str
    last_update: str


class Scanner(Wire, omit_defaults=True):
    """The auditor, its advisories and what it found."""

    uri: str
    version: str
    result: tuple[Vulnerability, ...]
    db: Database | None = None


class ScanTimes(Wire):
    """When the audit ran."""

    scan_started_on: str
    scan_finished_on: str


class Vulns(Wire):
    """The predicate of a dependency audit."""

    scanner: Scanner
    metadata: ScanTimes
    record: CheckRecord = msgspec.field(name=RECORD_FIELD)


_TYPES: Final[dict[CheckName, str]] = {
    CheckName.DEPENDENCY_AUDIT: VULNS,
    CheckName.MODEL_SCAN: TEST_RESULT,
    CheckName.ROBUSTNESS: TEST_RESULT,
    CheckName.LEAKAGE: TEST_RESULT,
}


def statement_of(record: CheckRecord, *, model: Digest, name: str, manifest: ManifestDigest | None = None) -> Statement:
    """Make the statement that says what a check established about a model."""
    predicate_type = _TYPES[record.check]
    predicate = _vulns(record) if predicate_type == VULNS else _test_result(record)
    return Statement.about(model, name=name, predicate_type=predicate_type, predicate=predicate, manifest=manifest)


def is_check_predicate(predicate_type: str) -> bool:
    """Tell whether statements of this type carry a record."""
    return predicate_type in (TEST_RESULT, VULNS)


def record_of(statement: Statement, *, what: str) -> CheckRecord:
    """Read the record that a statement carries.

    Raises:
        ParseError: When the predicate is not what its type says.
        VerificationError: When the predicate's type does not belong to the record's check.
    """
    if statement.predicate_type == VULNS:
        record = _json.convert(statement.predicate, Vulns, what=what).record
    else:
        record = _json.convert(statement.predicate, TestResult, what=what).record
    expected = _TYPES[record.check]
    if statement.predicate_type != expected:
        raise VerificationError(
            f"{record.check} stands in a predicate of type {statement.predicate_type}; expected {expected}",
            remedy="produce the evidence again with weighbridge",
        )
    return record


def _test_result(record: CheckRecord) -> TestResult:
    failed = tuple(sorted({finding.rule for finding in record.findings}))
    warned = tuple(sorted({item.location for item in record.undecided}))
    result: Literal["PASSED", "WARNED", "FAILED"] = "FAILED" if failed else "WARNED" if warned else "PASSED"
    return TestResult(
        result=result,
        configuration=_configuration(record),
        passed_tests=(record.check.value,) if result == "PASSED" else (),
        warned_tests=warned,
        failed_tests=failed,
        record=record,
    )


def _configuration(record: CheckRecord) -> tuple[ResourceDescriptor, ...]:
    match record.measurements:
        case ModelScanMeasurements(allow_lists=lists):
            return tuple(ResourceDescriptor(name=name, digest={"sha256": lists[name]}) for name in sorted(lists))
        case RobustnessMeasurements(data=data):
            return (_descriptor(data),)
        case LeakageMeasurements(members=members, non_members=others):
            return (_descriptor(members), _descriptor(others))
        case DependencyAuditMeasurements(sources=sources):
            return tuple(_descriptor(source) for source in sources)
        case None:
            return ()


def _descriptor(source: Input) -> ResourceDescriptor:
    return ResourceDescriptor(name=source.name, digest={"sha256": source.sha256})


def _vulns(record: CheckRecord) -> Vulns:
    database = None
    if isinstance(record.measurements, DependencyAuditMeasurements):
        used = record.measurements.database
        database = Database(uri=",".join(used.sources), version=f"sha256:{used.sha256}", last_update=used.built)
    result = tuple(
        Vulnerability(
            id=finding.advisory or finding.rule,
            severity=(Score(method="weighbridge", score=finding.severity.value),),
            annotations=({"component": f"{finding.component.name}=={finding.component.version}"},)
            if finding.component
            else (),
        )
        for finding in record.findings
    )
    return Vulns(
        scanner=Scanner(uri=_TOOL_URI, version=record.tool.version, db=database, result=result),
        metadata=ScanTimes(scan_started_on=record.started, scan_finished_on=record.finished),
        record=record,
    )
