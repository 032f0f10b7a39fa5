from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from tests.report import samples
from weighbridge.evidence.record import CheckName, Finding, Severity
from weighbridge.report import sarif
from weighbridge.report.interface import ReportInput

TEXT = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"type": "string", "minLength": 1}},
}
LOGICAL = {
    "type": "object",
    "additionalProperties": False,
    "required": ["fullyQualifiedName"],
    "properties": {"fullyQualifiedName": {"type": "string", "minLength": 1}},
}
LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {
        "logicalLocations": {"type": "array", "items": LOGICAL, "minItems": 1},
        "physicalLocation": {
            "type": "object",
            "additionalProperties": False,
            "required": ["artifactLocation"],
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["uri"],
                    "properties": {
                        "uri": {"type": "string", "pattern": r"^(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+$"},
                        "uriBaseId": {"const": "MODEL"},
                    },
                },
                "region": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": False,
                    "properties": {
                        "startLine": {"type": "integer", "minimum": 1},
                        "byteOffset": {"type": "integer", "minimum": 0},
                    },
                },
            },
        },
    },
}
RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["ruleId", "ruleIndex", "kind", "level", "message", "locations"],
    "properties": {
        "ruleId": {"type": "string", "minLength": 1},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "kind": {"enum": ["pass", "open", "fail"]},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": {"type": "array", "minItems": 1, "items": LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": {"type": "object"},
        "suppressions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kind"],
                "additionalProperties": False,
                "properties": {
                    "kind": {"const": "external"},
                    "status": {"const": "accepted"},
                    "justification": {"type": "string"},
                },
            },
        },
    },
    # SARIF 3.27.10: a level other than none belongs to the kind fail only.
    "if": {"properties": {"kind": {"const": "fail"}}},
    "then": {"properties": {"level": {"not": {"const": "none"}}}},
    "else": {"properties": {"level": {"const": "none"}}},
}
LOG = {
    "type": "object",
    "additionalProperties": False,
    "required": ["$schema", "version", "runs"],
    "properties": {
        "$schema": {"const": sarif.SCHEMA},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["tool", "results"],
                "properties": {
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {"driver": {"type": "object", "required": ["name"]}},
                    },
                    "automationDetails": {"type": "object", "required": ["id"]},
                    "columnKind": {"const": "unicodeCodePoints"},
                    "results": {"type": "array", "items": RESULT},
                    "invocations": {"type": "array", "items": {"type": "object", "required": ["executionSuccessful"]}},
                    "properties": {"type": "object"},
                },
            },
        },
    },
}
"""The part of SARIF 2.1.0 that is written here, more strictly than the whole, in our own words."""


def render(report: ReportInput) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(sarif.render(report))
    return log


def location(text: str, *, check: CheckName = CheckName.MODEL_SCAN) -> dict[str, Any]:
    finding = Finding(rule="r", severity=Severity.LOW, message="m", location=text, remedy="x")
    view = samples.view(samples.record(check, None, findings=(finding,)), signer=None)
    log = render(ReportInput(model="m", digest=samples.DIGEST, evidence=(view,)))
    place: dict[str, Any] = log["runs"][0]["results"][0]["locations"][0]
    return place


@pytest.mark.parametrize("sample", samples.SAMPLES)
def test_log_is_sarif(sample: str) -> None:
    log = render(samples.SAMPLES[sample]())
    jsonschema.Draft202012Validator(LOG).validate(log)
    for run in log["runs"]:
        rules = run["tool"]["driver"]["rules"]
        assert len({rule["id"] for rule in rules}) == len(rules)
        assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])


def test_one_run_a_check_and_one_for_the_gate() -> None:
    names = [run["tool"]["driver"]["name"] for run in render(samples.passed())["runs"]]
    assert names == ["weighbridge gate", *(f"weighbridge {item.record.check}" for item in samples.passed().evidence)]


def test_severities_are_mapped_and_unknown_is_an_error_without_a_score() -> None:
    run = render(samples.failed())["runs"][2]
    assert [result["level"] for result in run["results"]] == ["error", "error", "warning"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert rule["properties"]["security-severity"] == "8.0"


def test_offset_of_a_scan_is_bytes_and_number_of_an_audit_is_a_line() -> None:
    assert location("a/b.pkl:18")["physicalLocation"]["region"] == {"byteOffset": 18}
    audit = location("requirements.lock:27", check=CheckName.DEPENDENCY_AUDIT)
    assert audit["physicalLocation"] == {"artifactLocation": {"uri": "requirements.lock"}, "region": {"startLine": 27}}


def test_line_zero_is_left_out() -> None:
    assert "region" not in location("requirements.lock:0", check=CheckName.DEPENDENCY_AUDIT)["physicalLocation"]


def test_path_is_written_as_a_uri() -> None:
    place = location("weights/a b#c:d%.bin")["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "weights/a%20b%23c%3Ad%25.bin"


@pytest.mark.parametrize(
    "text", ["/etc/passwd:1", "../x", "a/../../x", "..", "./x", "http://x.invalid/a", "", "a\x00b", "\u202ea", "a/.."]
)
def test_refuses_to_point_outside_the_model(text: str) -> None:
    assert "physicalLocation" not in location(text)


def test_undecided_place_is_open_and_not_a_result_without_level() -> None:
    results = render(samples.undecided())["runs"][1]["results"]
    assert [(item["ruleId"], item["kind"], item["level"]) for item in results] == [("undecided", "open", "none")]


def test_check_that_measured_nothing_reports_a_failed_execution() -> None:
    invocation = render(samples.undecided())["runs"][3]["invocations"][0]
    assert invocation["executionSuccessful"] is False
    assert "killed after 900 seconds" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_invalid_signature_is_a_failure() -> None:
    results = render(samples.undecided())["runs"][3]["results"]
    assert any(item["ruleId"] == "signature-invalid" and item["kind"] == "fail" for item in results)


def test_waived_finding_is_suppressed_and_others_are_not() -> None:
    results = render(samples.failed())["runs"][2]["results"]
    assert [result["properties"]["advisory"] for result in results if "suppressions" in result] == ["PYSEC-2026-1177"]


def test_fingerprint_tells_findings_apart_and_stays() -> None:
    def prints() -> list[str]:
        return [
            item["partialFingerprints"]["weighbridge/v1"] for item in render(samples.failed())["runs"][2]["results"]
        ]

    assert len(set(prints())) == 3
    assert prints() == prints()


def test_brackets_in_a_message_make_no_link() -> None:
    finding = Finding(rule="r", severity=Severity.LOW, message="[x](http://a)", location="a", remedy="x")
    view = samples.view(samples.record(CheckName.MODEL_SCAN, None, findings=(finding,)), signer=None)
    log = render(ReportInput(model="m", digest=samples.DIGEST, evidence=(view,)))
    assert log["runs"][0]["results"][0]["message"]["text"] == "\\[x\\](http://a)"


def test_output_is_ascii_whatever_the_evidence_says() -> None:
    assert sarif.render(samples.hostile()).isascii()
    assert "\x1b" not in sarif.render(samples.hostile())
