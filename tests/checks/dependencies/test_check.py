from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tests.attacks.dependencies import Json, ecosystem, install, record, write_bundle

from weighbridge.checks.dependencies import check as module
from weighbridge.checks.dependencies.check import run
from weighbridge.checks.interface import CheckOutput, CheckRequest, DependencyAuditOptions, ModelScanOptions
from weighbridge.errors import UsageError
from weighbridge.evidence.measurements import AuditedComponent, DependencyAuditMeasurements

BAD = record("demo", ecosystem({"introduced": "0"}, {"fixed": "2.0"}), id="PYSEC-1")
UV = """version = 1
[[package]]
name = "demo"
version = "1.0"
source = { registry = "x" }
"""


def audit(folder: Path, *records: Json, **inputs: Path) -> CheckOutput:
    options = DependencyAuditOptions(
        advisories=str(write_bundle(folder, *(records or (BAD,)))),
        **{kind: (str(path),) for kind, path in inputs.items()},
    )
    output = run(CheckRequest(model=str(folder), options=options))
    # The parent parses the output as hostile input: what this check writes must pass.
    assert msgspec.json.decode(msgspec.json.encode(output), type=CheckOutput, strict=True) == output
    return output


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def measured(output: CheckOutput) -> DependencyAuditMeasurements:
    assert isinstance(output.measurements, DependencyAuditMeasurements)
    return output.measurements


def test_audits_every_kind_of_input(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    install(site, "demo", "1.1")
    output = audit(
        tmp_path,
        requirements=write(tmp_path, "requirements.txt", "demo==1.2\nfine==1.0\n"),
        locks=write(tmp_path, "uv.lock", UV),
        environments=site,
    )
    assert [(one.advisory, one.location) for one in output.findings] == [
        ("PYSEC-1", "requirements.txt:1"),
        ("PYSEC-1", "uv.lock:2"),
        ("PYSEC-1", "site-packages/demo-1.1.dist-info"),
    ]
    assert not output.undecided
    assert measured(output).components == (
        AuditedComponent(name="demo", version="1.0"),
        AuditedComponent(name="demo", version="1.1"),
        AuditedComponent(name="demo", version="1.2"),
        AuditedComponent(name="fine", version="1.0"),
    )
    assert [one.name for one in measured(output).sources] == ["requirements.txt", "uv.lock", "site-packages"]
    assert measured(output).database.built == "2026-01-02"


def test_never_names_a_place_of_the_machine(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    install(site, "demo", "1.1")
    (site / "x.pth").write_text("import os\n")
    output = audit(tmp_path, requirements=write(tmp_path, "r.txt", "demo==1\nx\n-r y.txt\n"), environments=site)
    assert str(tmp_path) not in msgspec.json.encode(output).decode()


def test_nothing_to_audit_is_undecided(tmp_path: Path) -> None:
    output = audit(tmp_path)
    assert "nothing to audit" in output.undecided[0].reason
    assert measured(output).components == ()


@pytest.mark.parametrize(
    ("kind", "name", "text", "why"),
    [
        ("requirements", "r.txt", "", "names no package"),
        ("requirements", "r.txt", "# nothing\n", "names no package"),
        ("requirements", "r.txt", "demo==1; sys_platform == 'elsewhere'\n", "no package was judged"),
        ("locks", "uv.lock", "version = 1\n", "names no package"),
        ("locks", "uv.lock", "version = 9\n", "format 9"),
        ("locks", "Pipfile.lock", "{}", "no lock format"),
        ("locks", "poetry.lock", "nonsense", "not TOML"),
        ("requirements", "r.txt", "demo>=1\n", "not pinned"),
        ("requirements", "r.txt", "demo===1.0-weird\n", "PEP 440"),
    ],
)
def test_an_input_that_cannot_be_judged_is_undecided(tmp_path: Path, kind: str, name: str, text: str, why: str) -> None:
    output = audit(tmp_path, **{kind: write(tmp_path, name, text)})
    assert any(why in one.reason for one in output.undecided)
    assert not output.findings


@pytest.mark.parametrize("kind", ["requirements", "locks", "environments"])
def test_an_input_that_is_missing_is_undecided(tmp_path: Path, kind: str) -> None:
    output = audit(tmp_path, **{kind: tmp_path / "uv.lock"})
    assert "cannot be read" in output.undecided[0].reason


def test_a_bad_input_does_not_hide_the_findings_of_another(tmp_path: Path) -> None:
    output = audit(tmp_path, requirements=write(tmp_path, "r.txt", "demo==1\n"), locks=tmp_path / "uv.lock")
    assert len(output.findings) == 1
    assert len(output.undecided) == 1


@pytest.mark.parametrize("data", [b"", b"garbage", b"\x1f\x8b"])
def test_a_bad_bundle_leaves_everything_undecided(tmp_path: Path, data: bytes) -> None:
    bundle = tmp_path / "bad.jsonl"
    bundle.write_bytes(data)
    requirements = write(tmp_path, "r.txt", "demo==1\n")
    options = DependencyAuditOptions(advisories=str(bundle), requirements=(str(requirements),))
    output = run(CheckRequest(model=str(tmp_path), options=options))
    assert (output.findings, output.measurements) == ((), None)
    assert output.undecided[0].location == bundle.name


def test_a_record_that_breaks_the_schema_leaves_everything_undecided(tmp_path: Path) -> None:
    broken = record("demo", ecosystem({"introduced": "0", "fixed": "1"}))
    output = audit(tmp_path, broken, requirements=write(tmp_path, "r.txt", "demo==1\n"))
    assert output.measurements is None
    assert "exactly one thing" in output.undecided[0].reason


def test_too_many_findings_are_cut_to_the_worst_and_undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FINDINGS", 3)
    records = [record("demo", ecosystem({"introduced": "0"}), id=f"PYSEC-{number}") for number in range(5)]
    malware = record("demo", ecosystem({"introduced": "0"}), id="MAL-1")
    lines = "demo==1\n" + "open\n" * 5
    output = audit(tmp_path, *records, malware, requirements=write(tmp_path, "r.txt", lines))
    assert len(output.findings) == 3
    assert output.findings[0].rule == "malware"
    assert "6 findings" in output.undecided[0].reason
    assert len(output.undecided) == 3
    assert output.undecided[-1].reason == "4 more places are undecided"


def test_refuses_the_options_of_another_check(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        run(CheckRequest(model=str(tmp_path), options=ModelScanOptions()))


def test_foreign_text_in_versions_and_names_is_harmless(tmp_path: Path) -> None:
    text = 'version = 1\n[[package]]\nname = "demo"\nversion = "1.0\\u001b[2J"\nsource = { registry = "x" }\n'
    output = audit(tmp_path, locks=write(tmp_path, "uv.lock", text))
    assert all(one.reason.isprintable() for one in output.undecided)
