from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from tests.report import samples
from weighbridge import _json
from weighbridge.report import schemas, whole_json
from weighbridge.report.check_json import TYPES, check_report, write_json

DIRECTORY = Path(__file__).parents[2] / "docs" / "schemas"


def load(name: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((DIRECTORY / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", schemas.FILES)
def test_published_schema_is_current(name: str) -> None:
    assert (DIRECTORY / name).read_text(encoding="utf-8") == schemas.schema_of(schemas.FILES[name], file=name)


@pytest.mark.parametrize("name", schemas.FILES)
def test_published_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(load(name))


@pytest.mark.parametrize("sample", samples.SAMPLES)
def test_reports_are_what_the_schemas_say(sample: str) -> None:
    report = samples.SAMPLES[sample]()
    jsonschema.Draft202012Validator(load("report-v1.json")).validate(json.loads(whole_json.render(report)))
    for view in report.evidence:
        text = write_json(check_report(view.record, model=report.model, digest=report.digest))
        schema = load(f"{view.record.check}-report-v1.json")
        jsonschema.Draft202012Validator(schema).validate(json.loads(text))


def test_schema_refuses_another_check_and_unknown_fields() -> None:
    report = samples.passed()
    plain = json.loads(write_json(check_report(report.evidence[0].record, model="m", digest=report.digest)))
    good = jsonschema.Draft202012Validator(load("model-scan-report-v1.json"))
    assert good.is_valid(plain)
    assert not good.is_valid({**plain, "extra": 1})
    assert not good.is_valid({**plain, "verdict": "fine"})
    assert not jsonschema.Draft202012Validator(load("leakage-report-v1.json")).is_valid(plain)


def test_report_of_a_check_has_the_fields_of_the_contract() -> None:
    report = samples.failed()
    plain = msgspec.to_builtins(check_report(report.evidence[1].record, model="digits", digest=report.digest))
    assert list(plain) == [
        "schema",
        "subject",
        "verdict",
        "findings",
        "undecided",
        "measurements",
        "tool",
        "started",
        "finished",
    ]
    assert plain["schema"] == "weighbridge.dev/dependency-audit-report/v1"
    assert plain["subject"] == {"name": "digits", "digest": {"dirHash": report.digest.hex}}
    assert plain["findings"][1]["advisory"] == "PYSEC-2026-4242"
    assert plain["findings"][1]["component"]["name"] == "pillow"


@pytest.mark.parametrize("sample", ["passed", "failed", "undecided"])
def test_report_can_be_read_back(sample: str) -> None:
    report = samples.SAMPLES[sample]()
    for view in report.evidence:
        value = check_report(view.record, model=report.model, digest=report.digest)
        kind = TYPES[view.record.check]
        assert _json.parse(write_json(value).encode(), kind, what="the report") == value


def test_json_is_ascii_whatever_the_evidence_says() -> None:
    assert whole_json.render(samples.hostile()).isascii()


def test_program_writes_every_schema(tmp_path: Path) -> None:
    assert schemas.main([str(tmp_path / "new")]) == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(schemas.FILES)


def test_program_without_a_directory_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert schemas.main([]) == 2
    assert "usage" in capsys.readouterr().err
