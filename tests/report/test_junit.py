from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from tests.report import samples
from weighbridge.report import junit, sarif, whole_json
from weighbridge.report.interface import ReportInput


def parse(report: ReportInput) -> ElementTree.Element:
    return ElementTree.fromstring(junit.render(report).encode())


@pytest.mark.parametrize("sample", samples.SAMPLES)
def test_counts_agree_with_the_cases(sample: str) -> None:
    root = parse(samples.SAMPLES[sample]())
    for element in (root, *root.iter("testsuite")):
        for key, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert element.get(key) == str(len(list(element.iter(tag))))


def test_one_suite_a_check_with_evidence_or_requirement() -> None:
    names = [suite.get("name") for suite in parse(samples.undecided())]
    assert names == ["dependency-audit", "model-scan", "robustness", "leakage"]


def test_passed_verdict_is_green_although_a_waived_finding_exists() -> None:
    root = parse(samples.passed())
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert any("PYSEC-2026-1177" in str(case.get("name")) for case in root.iter("testcase"))


def test_finding_without_a_verdict_is_red() -> None:
    whole = samples.passed()
    root = parse(ReportInput(model="m", digest=samples.DIGEST, evidence=whole.evidence))
    assert root.get("failures") == "1"


def test_undecided_is_an_error_and_never_skipped() -> None:
    root = parse(samples.undecided())
    assert int(str(root.get("errors"))) >= 4
    assert not list(root.iter("skipped"))


def test_requirement_without_evidence_is_an_error() -> None:
    suite = next(suite for suite in parse(samples.undecided()) if suite.get("name") == "dependency-audit")
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")


def test_nothing_at_all_is_an_error() -> None:
    assert parse(ReportInput(model="m", digest=samples.DIGEST, evidence=())).get("errors") == "1"


def test_time_is_that_of_the_record_and_zero_when_it_cannot_be_read() -> None:
    assert parse(samples.passed())[0].get("time") == "38.000"
    assert parse(samples.hostile())[0].get("time") == "0.000"


def test_rejected_file_is_an_error_unless_the_verdict_passed_without_it() -> None:
    assert parse(samples.failed())[-1].get("errors") == "1"
    whole = samples.passed()
    root = parse(
        ReportInput(
            model="m",
            digest=samples.DIGEST,
            evidence=whole.evidence,
            verdict=whole.verdict,
            rejected=samples.failed().rejected,
        )
    )
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert "it is about dirHash:0000" in "".join(root.itertext())


def test_invalid_signature_is_an_error() -> None:
    suite = next(suite for suite in parse(samples.undecided()) if suite.get("name") == "leakage")
    assert any(str(case.get("name")).startswith("signature of") and case.find("error") is not None for case in suite)


def test_older_evidence_has_no_case_and_no_rule_in_any_format_for_programs() -> None:
    twice, once = samples.run_twice(), samples.passed()
    assert junit.render(twice) == junit.render(once)
    assert sarif.render(twice) == sarif.render(once)
    told = json.loads(whole_json.render(twice))
    assert [item["check"] for item in told["aside"]] == [
        *(view.record.check for view in once.evidence),
        "model-scan",
    ]
    assert "aside" not in json.loads(whole_json.render(once))
