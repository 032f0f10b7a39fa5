from __future__ import annotations

from pathlib import Path

import pytest
from tests.attacks.dependencies import Json, ecosystem, record, write_bundle

from weighbridge.checks.dependencies.advisories import Advisories, load_advisories
from weighbridge.checks.dependencies.inventory import Pin
from weighbridge.checks.dependencies.judging import Judgement, judge_pin
from weighbridge.evidence.record import Severity

ALL = ecosystem({"introduced": "0"})
HIGH = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}]


def advisories(folder: Path, *records: Json) -> Advisories:
    return load_advisories(write_bundle(folder, *records))


def judge(folder: Path, *records: Json, version: str = "1.0", name: str = "demo") -> Judgement:
    return judge_pin(Pin(name=name, version=version, location="uv.lock:3"), advisories(folder, *records))


def test_reports_one_finding_for_every_record(tmp_path: Path) -> None:
    found = judge(tmp_path, record("demo", ALL, id="PYSEC-1"), record("demo", ALL, id="PYSEC-2"))
    assert [(one.rule, one.advisory) for one in found.findings] == [
        ("known-vulnerability", "PYSEC-1"),
        ("known-vulnerability", "PYSEC-2"),
    ]
    component = found.findings[0].component
    assert component is not None
    assert (component.name, component.version) == ("demo", "1.0")
    assert found.findings[0].location == "uv.lock:3"


@pytest.mark.parametrize("written", ["Jw.Util", "jw_util", "jw--util", "JW-util"])
def test_finds_a_record_however_its_database_writes_the_name(tmp_path: Path, written: str) -> None:
    assert judge(tmp_path, record(written, ALL), name="jw-util").findings


def test_passes_over_withdrawn_records_and_other_ecosystems(tmp_path: Path) -> None:
    found = judge(
        tmp_path,
        record("demo", ALL, id="A-1", withdrawn="2026-01-01T00:00:00Z"),
        record("demo", ALL, id="A-2", package="npm"),
        record("other", ALL, id="A-3"),
    )
    assert found == Judgement((), (), decided=True)


def test_reports_a_record_once_that_lists_a_package_twice(tmp_path: Path) -> None:
    twice = record("demo", ALL)
    twice["affected"] = [*twice["affected"], *record("Demo", ALL)["affected"]]
    assert len(judge(tmp_path, twice).findings) == 1


@pytest.mark.parametrize("version", ["1.0-custom-build", "", "latest", "1.0+", "2013-01-21T20:33:09+0100"])
def test_a_version_that_is_not_pep_440_is_undecided(tmp_path: Path, version: str) -> None:
    found = judge(tmp_path, record("other", ALL), version=version)
    assert not found.decided
    assert "PEP 440" in found.undecided[0].reason


def test_a_range_that_cannot_be_ordered_is_undecided(tmp_path: Path) -> None:
    found = judge(tmp_path, record("demo", ecosystem({"introduced": "0"}, {"fixed": "2018-04-22b"}), id="A-1"))
    assert found.decided
    assert not found.findings
    assert "A-1" in found.undecided[0].reason


def test_a_doubt_stays_beside_the_findings(tmp_path: Path) -> None:
    pin = Pin(name="demo", version="1.0", location="x", doubt="comes from git")
    found = judge_pin(pin, advisories(tmp_path, record("demo", ALL)))
    assert (len(found.findings), found.undecided[0].reason) == (1, "comes from git")


def test_keeps_all_ids_of_a_group_of_aliases(tmp_path: Path) -> None:
    # PYSEC-1 and GHSA-1 are connected through CVE-1, GHSA-1 and PYSEC-2 through CVE-2.
    found = judge(
        tmp_path,
        record("demo", ALL, id="PYSEC-1", aliases=["CVE-1"]),
        record("demo", ALL, id="PYSEC-2", aliases=["CVE-2"]),
        record("demo", ALL, id="GHSA-1", aliases=["CVE-1", "CVE-2"]),
        record("demo", ALL, id="PYSEC-3", aliases=["CVE-3"]),
    )
    whole = {"PYSEC-1", "PYSEC-2", "GHSA-1", "CVE-1", "CVE-2"}
    for finding in found.findings[:3]:
        assert {finding.advisory, *finding.aliases} == whole
    assert found.findings[3].aliases == ("CVE-3",)


@pytest.mark.parametrize(
    "one",
    [
        record("demo", ALL, id="MAL-2026-1"),
        record("demo", ALL, id="PYSEC-2026-999", aliases=["MAL-2026-1"]),
        record("demo", ALL, id="PYSEC-2024-154"),
    ],
)
def test_calls_malware_by_id_by_alias_and_by_the_curated_list(tmp_path: Path, one: Json) -> None:
    finding = judge(tmp_path, one).findings[0]
    assert (finding.rule, finding.severity) == ("malware", Severity.CRITICAL)
    assert "change the credentials" in finding.remedy


def test_does_not_call_malware_by_words(tmp_path: Path) -> None:
    one = record("demo", ALL, summary="A malicious backdoor exfiltrates credentials")
    assert judge(tmp_path, one).findings[0].rule == "known-vulnerability"


def test_prefers_the_narrower_malware_record_and_shows_both(tmp_path: Path) -> None:
    broad = record("demo", ALL, id="PYSEC-9", aliases=["MAL-9"])
    narrow = record("demo", id="MAL-9", versions=["1.0.1"])
    before = judge(tmp_path, broad, narrow, version="1.0.0").findings
    assert [(one.advisory, one.rule) for one in before] == [("PYSEC-9", "known-vulnerability")]
    hit = judge(tmp_path, broad, narrow, version="1.0.1").findings
    assert [(one.advisory, one.rule) for one in hit] == [("PYSEC-9", "malware"), ("MAL-9", "malware")]


def test_a_record_that_is_grouped_with_malware_is_malware(tmp_path: Path) -> None:
    # Only the MAL record says so; the other one is the same thing under its own id.
    found = judge(tmp_path, record("demo", ALL, id="PYSEC-9"), record("demo", ALL, id="MAL-9", aliases=["PYSEC-9"]))
    assert [one.rule for one in found.findings] == ["malware", "malware"]


def test_unknown_severity_stays_unknown(tmp_path: Path) -> None:
    unknown, high = judge(
        tmp_path, record("demo", ALL, id="A-1"), record("demo", ALL, id="A-2", severity=HIGH)
    ).findings
    assert (unknown.severity, high.severity) == (Severity.UNKNOWN, Severity.HIGH)


@pytest.mark.parametrize(
    ("events", "version", "remedy"),
    [
        ([{"introduced": "0"}, {"fixed": "1.5"}], "1.0", "Update demo to 1.5 or later"),
        (
            [{"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2"}, {"fixed": "2.5"}],
            "2.1",
            "Update demo to 2.5 or later",
        ),
        ([{"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2"}, {"fixed": "2.5"}], "1.0", "to 1.5 or later"),
        ([{"introduced": "0"}, {"last_affected": "1.5"}], "1.0", "names no fixed version above 1.0"),
        ([{"introduced": "0"}], "1.0", "names no fixed version above 1.0"),
    ],
)
def test_names_the_lowest_fixed_version_above_the_present_one(
    tmp_path: Path, events: list[Json], version: str, remedy: str
) -> None:
    assert remedy in judge(tmp_path, record("demo", ecosystem(*events)), version=version).findings[0].remedy


def test_never_names_a_fix_that_the_record_itself_flags(tmp_path: Path) -> None:
    one = record(
        "demo",
        ecosystem({"introduced": "0"}, {"fixed": "1.5"}),
        ecosystem({"introduced": "1.2"}, {"fixed": "1.8"}),
        versions=["1.5.0"],
    )
    assert "1.8" in judge(tmp_path, one, version="1.3").findings[0].remedy


def test_a_summary_cannot_forge_lines_or_colours(tmp_path: Path) -> None:
    one = record("demo", ALL, summary="bad\n\u001b[32mall good\u001b[0m\u202e\r" + "x" * 5000)
    message = judge(tmp_path, one).findings[0].message
    assert message.isprintable()
    assert len(message) < 800
