"""A look applies the limits of the starter policy to what nobody signed; what is open stays open."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from tests.builders import MODEL_DIGEST, NOW, make_record, measurements_of, replace_measurement
from weighbridge.evidence.measurements import DependencyAuditMeasurements
from weighbridge.evidence.record import CheckName, CheckRecord, Finding, Severity, Undecided
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.look import look
from weighbridge.policy.starter import starter_for

SCAN, AUDIT = CheckName.MODEL_SCAN, CheckName.DEPENDENCY_AUDIT


def answer(record: CheckRecord) -> tuple[VerdictResult, str]:
    (seen,) = [
        item for item in look([record], policy=POLICY, model=MODEL_DIGEST, now=NOW) if item.check is record.check
    ]
    return seen.answer, "; ".join(problem.reason for problem in seen.problems)


POLICY = starter_for(set(CheckName))


def finding(severity: Severity) -> Finding:
    return Finding(rule="r", severity=severity, message="m", location="a.bin", remedy="")


def test_the_starter_policy_asks_for_what_it_is_told_to() -> None:
    assert [item.check for item in starter_for(set(CheckName)).requirements] == [
        SCAN, AUDIT, CheckName.ROBUSTNESS, CheckName.LEAKAGE,
    ]  # fmt: skip
    assert [item.check for item in starter_for({SCAN}).requirements] == [SCAN]
    assert [item.check for item in starter_for({SCAN, CheckName.LEAKAGE}).requirements] == [SCAN, CheckName.LEAKAGE]


def test_a_good_scan_passes() -> None:
    assert answer(make_record(SCAN)) == (VerdictResult.PASSED, "")


def test_a_check_that_did_not_run_is_undecided() -> None:
    answers = {item.check: item.answer for item in look([], policy=POLICY, model=MODEL_DIGEST, now=NOW)}
    assert set(answers.values()) == {VerdictResult.UNDECIDED}
    assert set(answers) == set(CheckName)


def test_what_is_open_says_its_own_next_step() -> None:
    place = Undecided(location="m.h5", reason="no parser", code="no-parser-hdf5", remedy="export it")
    record = make_record(SCAN, undecided=(place, msgspec.structs.replace(place, code="", remedy="")))
    (seen,) = (item for item in look([record], policy=POLICY, model=MODEL_DIGEST, now=NOW) if item.check is SCAN)
    said = [(problem.reason, problem.remedy) for problem in seen.problems]
    assert ("m.h5 [no-parser-hdf5]: no parser", "export it") in said
    assert ("m.h5: no parser", "resolve it and run the check again") in said


@pytest.mark.parametrize("severity", [Severity.UNKNOWN, Severity.HIGH, Severity.CRITICAL])
def test_a_finding_fails(severity: Severity) -> None:
    assert answer(make_record(SCAN, findings=(finding(severity),)))[0] is VerdictResult.FAILED


def test_a_finding_below_the_limit_of_an_audit_does_not() -> None:
    fresh = replace_measurement(make_record(AUDIT, findings=(finding(Severity.LOW),)))
    assert answer(fresh)[0] is answer(make_record(AUDIT))[0]


def test_what_could_not_be_judged_is_undecided_and_a_failure_outranks_it() -> None:
    place = (Undecided(location="b.bin", reason="no format"),)
    assert answer(make_record(SCAN, undecided=place))[0] is VerdictResult.UNDECIDED
    both = make_record(SCAN, undecided=place, findings=(finding(Severity.CRITICAL),))
    assert answer(both)[0] is VerdictResult.FAILED


def test_old_advisories_are_undecided() -> None:
    measured = measurements_of(AUDIT)
    assert isinstance(measured, DependencyAuditMeasurements)
    record = make_record(AUDIT)
    (seen,) = [
        item
        for item in look([record], policy=POLICY, model=MODEL_DIGEST, now=NOW + timedelta(days=400))
        if item.check is AUDIT
    ]
    assert seen.answer is VerdictResult.UNDECIDED
    assert any("older than" in problem.reason for problem in seen.problems)


def test_a_worker_that_was_not_confined_is_undecided() -> None:
    record = make_record(SCAN)
    loose = msgspec.structs.replace(
        record, confinement=msgspec.structs.replace(record.confinement, network=False, filesystem=False)
    )
    assert answer(loose)[0] is VerdictResult.UNDECIDED


def test_other_bytes_than_the_model_s_are_undecided() -> None:
    other = msgspec.structs.replace(make_record(SCAN), files=())
    assert answer(other)[0] is VerdictResult.UNDECIDED
