from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.report import samples
from weighbridge.checks.catalogue import rule_of
from weighbridge.evidence.record import CheckName, Finding, Severity, Undecided
from weighbridge.report import sarif
from weighbridge.report.facts import worst_first
from weighbridge.report.interface import Place, ReportInput
from weighbridge.report.sarif_places import Spot

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
    "properties": {
        "fullyQualifiedName": {"type": "string", "minLength": 1},
        "name": {"type": "string", "minLength": 1},
        "kind": {"const": "member"},
    },
}
LOCATION = {
    "type": "object",
    "additionalProperties": False,
    # Code scanning refuses the whole log for one result without an artifact's location.
    "required": ["physicalLocation"],
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
                        "uriBaseId": {"enum": ["MODEL", "%SRCROOT%"]},
                    },
                },
                "region": {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": False,
                    "properties": {
                        "startLine": {"type": "integer", "minimum": 1},
                        "byteOffset": {"type": "integer", "minimum": 0},
                        "byteLength": {"type": "integer", "minimum": 0},
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
RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id", "shortDescription", "help", "defaultConfiguration", "properties"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "name": {"type": "string", "pattern": "^([A-Z][a-z0-9]*)+$"},
        "shortDescription": TEXT,
        "fullDescription": TEXT,
        "help": {
            "type": "object",
            "required": ["text"],
            "additionalProperties": False,
            "properties": {"text": {"type": "string", "minLength": 1}, "markdown": {"type": "string", "minLength": 1}},
        },
        "helpUri": {"type": "string", "pattern": "^https://weighbridge\\.dev/docs/(?:rules|reasons)/[a-z0-9-]+$"},
        "defaultConfiguration": {
            "type": "object",
            "additionalProperties": False,
            "required": ["level"],
            "properties": {"level": {"enum": ["note", "warning", "error"]}},
        },
        "properties": {
            "type": "object",
            "additionalProperties": False,
            "required": ["tags"],
            "properties": {
                "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
                "security-severity": {"enum": ["3.0", "5.5", "8.0", "9.5"]},
            },
        },
    },
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
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name", "version", "informationUri", "rules"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "informationUri": {"const": "https://weighbridge.dev"},
                                    "rules": {"type": "array", "items": RULE},
                                },
                            }
                        },
                    },
                    "automationDetails": {"type": "object", "required": ["id"]},
                    "columnKind": {"const": "unicodeCodePoints"},
                    "originalUriBaseIds": {"type": "object", "additionalProperties": {"required": ["description"]}},
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
    place = location(text)
    assert place["physicalLocation"] == {"artifactLocation": {"uri": "m"}}
    assert place["logicalLocations"][0]["fullyQualifiedName"]


def test_undecided_place_is_open_and_not_a_result_without_level() -> None:
    results = render(samples.undecided())["runs"][1]["results"]
    assert [(item["ruleId"], item["kind"], item["level"]) for item in results] == [
        ("undecided/no-parser-hdf5", "open", "none")
    ]


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


def scanned(*findings: Finding, place: Place | None = None, model: str = "m") -> dict[str, Any]:
    """Return the run of a scan of the files of the sample with these findings."""
    record = samples.record(CheckName.MODEL_SCAN, samples.scan(state="refused"), findings=findings)
    view = samples.view(record, signer=None)
    run: dict[str, Any] = render(ReportInput(model=model, digest=samples.DIGEST, evidence=(view,), place=place))[
        "runs"
    ][0]
    return run


def prints(*findings: Finding, place: Place | None = None) -> dict[str, str]:
    """Return the fingerprint of each finding by what it is about and where it is."""
    results = scanned(*findings, place=place)["results"]
    assert len(results) == len(findings)
    ordered = worst_first(findings)
    return {
        f"{one.about} {one.location}": result["partialFingerprints"]["weighbridge/v2"]
        for one, result in zip(ordered, results, strict=True)
    }


def test_fingerprints_tell_findings_apart() -> None:
    twice = msgspec.structs.replace(samples.UNLISTED[0], location="weights.pt!weights/data.pkl:9000")
    assert len(set(prints(*samples.UNLISTED, samples.PAYLOAD, twice).values())) == 12
    audit = render(samples.failed())["runs"][2]["results"]
    assert len({result["partialFingerprints"]["weighbridge/v2"] for result in audit}) == 3


def test_fingerprints_stay_when_the_model_moves_the_order_changes_or_a_message_is_reworded() -> None:
    before = prints(*samples.UNLISTED)
    assert prints(*samples.UNLISTED, place=Place("other/place", "other/place")) == before
    assert prints(*reversed(samples.UNLISTED)) == before
    reworded = [msgspec.structs.replace(one, message="other words", remedy="another") for one in samples.UNLISTED]
    assert prints(*reworded) == before


def test_fingerprints_stay_when_bytes_are_put_before() -> None:
    same = [msgspec.structs.replace(samples.PAYLOAD, about="", location=f"classifier.pkl:{at}") for at in (9, 18, 100)]
    moved = [
        msgspec.structs.replace(samples.PAYLOAD, about="", location=f"classifier.pkl:{at}") for at in (19, 28, 110)
    ]
    assert list(prints(*same).values()) == list(prints(*moved).values())
    assert len(set(prints(*same).values())) == 3


def test_code_scanning_gets_the_fingerprint_that_it_follows_alerts_by() -> None:
    for result in scanned(*samples.UNLISTED)["results"]:
        mine = result["partialFingerprints"]
        assert mine["primaryLocationLineHash"] == f"{mine['weighbridge/v2'][:16]}:1"


def test_member_is_a_logical_location_and_the_uri_is_the_file() -> None:
    (result,) = scanned(samples.UNLISTED[0])["results"]
    (place,) = result["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "weights.pt", "uriBaseId": "MODEL"},
        "region": {"byteOffset": 0, "byteLength": 88_112_004},
    }
    assert place["logicalLocations"] == [
        {"name": "weights/data.pkl", "fullyQualifiedName": "weights.pt!weights/data.pkl", "kind": "member"}
    ]
    assert result["message"]["text"].startswith("weights/data.pkl, byte 100: the pickle imports shop.layers.Gate")


def test_path_is_relative_to_where_the_program_ran_when_the_model_lies_there() -> None:
    run = scanned(samples.PAYLOAD, place=Place("models/my digits", "models/my digits"))
    (place,) = run["results"][0]["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "models/my%20digits/classifier.pkl", "uriBaseId": "%SRCROOT%"},
        "region": {"byteOffset": 18},
    }
    assert list(run["originalUriBaseIds"]) == ["%SRCROOT%"]


def test_path_of_a_model_in_the_current_directory_has_no_folder() -> None:
    run = scanned(samples.PAYLOAD, place=Place("classifier.pkl", ""))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "classifier.pkl"


@pytest.mark.parametrize("base", ["../elsewhere", "/srv/models", "a\x1bb"])
def test_place_outside_is_not_believed(base: str) -> None:
    run = scanned(samples.PAYLOAD, place=Place(base, base))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {
        "uri": "classifier.pkl",
        "uriBaseId": "MODEL",
    }


@pytest.mark.parametrize(
    ("text", "spot"),
    [
        ("a!b.pkl:7", Spot("a!b.pkl", number=7)),
        ("a!b.pkl!c:7", Spot("a!b.pkl", "c", 7)),
        ("x:12", Spot("x:12")),
        ("x:12:3", Spot("x:12", number=3)),
        ("x:12!m!n:3", Spot("x:12", "m!n", 3)),
        ("worker", Spot("")),
    ],
)
def test_known_names_of_files_win_over_the_signs_that_separate(text: str, spot: Spot) -> None:
    assert Spot.parse(text, files={"a!b.pkl": 1, "x:12": 2}) == spot


def test_what_is_in_no_file_points_to_the_model_as_a_whole() -> None:
    died = Undecided(location="worker", reason="the worker was killed")
    view = samples.view(samples.record(CheckName.MODEL_SCAN, samples.scan(), undecided=(died,)), signer=None)
    place = Place("models/digits", "models/digits")
    run = render(ReportInput(model="digits", digest=samples.DIGEST, evidence=(view,), place=place))["runs"][0]
    assert run["results"][0]["locations"] == [
        {
            "physicalLocation": {"artifactLocation": {"uri": "models/digits", "uriBaseId": "%SRCROOT%"}},
            "logicalLocations": [{"fullyQualifiedName": "worker"}],
        }
    ]


@pytest.mark.parametrize("sample", samples.SAMPLES)
def test_every_result_has_a_file_for_code_scanning(sample: str) -> None:
    for run in render(samples.SAMPLES[sample]())["runs"]:
        for result in run["results"]:
            for place in result["locations"]:
                assert place["physicalLocation"]["artifactLocation"]["uri"]


def test_rule_is_explained_by_the_catalogue_and_not_by_a_finding() -> None:
    loud = msgspec.structs.replace(samples.UNLISTED[0], remedy="solely for Gate", message="solely Gate")
    (rule,) = scanned(loud)["tool"]["driver"]["rules"]
    known = rule_of("forbidden-global")
    assert known is not None
    assert "solely" not in json.dumps(rule["help"]) + rule["shortDescription"]["text"]
    assert rule["name"] == "ForbiddenGlobal"
    assert rule["fullDescription"]["text"] == known.meaning
    assert known.remedy in rule["help"]["text"]
    assert known.remedy in rule["help"]["markdown"]
    assert rule["helpUri"] == "https://weighbridge.dev/docs/rules/forbidden-global"
    assert rule["properties"]["tags"] == ["security", "model-scan", "external/cwe/cwe-502", "external/cwe/cwe-184"]


@pytest.mark.parametrize(
    ("findings", "score"), [((samples.UNLISTED[0],), "8.0"), ((samples.UNLISTED[0], samples.PAYLOAD), "9.5")]
)
def test_score_of_a_rule_is_the_worst_of_its_findings(findings: tuple[Finding, ...], score: str) -> None:
    (rule,) = scanned(*findings)["tool"]["driver"]["rules"]
    assert rule["properties"]["security-severity"] == score


def test_score_of_a_rule_is_never_milder_than_the_catalogue() -> None:
    mild = msgspec.structs.replace(samples.PAYLOAD, severity=Severity.LOW)
    (rule,) = scanned(mild)["tool"]["driver"]["rules"]
    assert rule["properties"]["security-severity"] == "8.0"
    assert rule["defaultConfiguration"]["level"] == "error"


def test_rule_of_a_newer_version_is_listed_without_an_explanation() -> None:
    (rule,) = scanned(msgspec.structs.replace(samples.PAYLOAD, rule="of-the-future"))["tool"]["driver"]["rules"]
    assert rule["id"] == "of-the-future"
    assert "helpUri" not in rule
    assert rule["properties"]["security-severity"] == "9.5"


def test_brackets_in_a_message_make_no_link() -> None:
    finding = Finding(rule="r", severity=Severity.LOW, message="[x](http://a)", location="a", remedy="x")
    view = samples.view(samples.record(CheckName.MODEL_SCAN, None, findings=(finding,)), signer=None)
    log = render(ReportInput(model="m", digest=samples.DIGEST, evidence=(view,)))
    assert log["runs"][0]["results"][0]["message"]["text"] == "\\[x\\](http://a)"


def test_output_is_ascii_whatever_the_evidence_says() -> None:
    assert sarif.render(samples.hostile()).isascii()
    assert "\x1b" not in sarif.render(samples.hostile())


PATHS = st.text(st.sampled_from("ab!:/.#%? \\1\n\x1b\u202e"), max_size=24)


@settings(max_examples=150)
@given(text=PATHS, base=PATHS, name=PATHS)
@example(text="1! ", base="", name="")
def test_whatever_a_record_says_the_uri_is_relative_and_stays_inside(text: str, base: str, name: str) -> None:
    finding = msgspec.structs.replace(samples.PAYLOAD, location=text)
    view = samples.view(samples.record(CheckName.MODEL_SCAN, None, findings=(finding,)), signer=None)
    log = render(ReportInput(model=name, digest=samples.DIGEST, evidence=(view,), place=Place(base, base)))
    jsonschema.Draft202012Validator(LOG).validate(log)
    uri = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert not uri.startswith("/")
    assert not {"", ".", ".."} & set(uri.split("/")[:1])
    assert ".." not in uri.split("/")
