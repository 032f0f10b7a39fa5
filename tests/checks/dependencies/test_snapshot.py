"""The shipped snapshot: famous cases by name, and a sweep against an independent judge.

``benchmarks/bench_audit.py --sweep`` runs the same sweep over every record.
"""

from __future__ import annotations

import pytest
from tests.checks.dependencies.oracle import derived, expected, live_records

from weighbridge.checks.dependencies.advisories import Advisories, arrange, load_advisories, packaged_bundle
from weighbridge.checks.dependencies.bundle import Bundle, read_bundle
from weighbridge.checks.dependencies.inventory import Pin
from weighbridge.checks.dependencies.judging import Judgement, judge_pin
from weighbridge.evidence.record import Severity

STEP = 40
"""Every fortieth record is swept here."""


@pytest.fixture(scope="module")
def advisories() -> Advisories:
    return load_advisories(packaged_bundle())


def judge(advisories: Advisories, name: str, version: str) -> Judgement:
    return judge_pin(Pin(name=name, version=version, location="x"), advisories)


def found(judgement: Judgement, rule: str) -> set[str]:
    return {str(one.advisory) for one in judgement.findings if one.rule == rule}


@pytest.mark.parametrize(
    ("name", "version", "advisory"),
    [
        ("ctx", "0.2.6", "PYSEC-2022-199"),
        ("ctx", "0.1.2.post1", "PYSEC-2022-199"),
        ("ultralytics", "8.3.41", "PYSEC-2024-154"),
        ("ultralytics", "8.3.46", "PYSEC-2024-154"),
        ("litellm", "1.82.7", "PYSEC-2026-2"),
        ("litellm", "1.82.8", "PYSEC-2026-2"),
        ("telnyx", "4.87.1", "PYSEC-2026-3"),
        ("telnyx", "4.87.2", "PYSEC-2026-3"),
        ("num2words", "0.5.15", "PYSEC-2025-72"),
        ("num2words", "0.5.16", "PYSEC-2025-72"),
        ("guardrails-ai", "0.10.1", "PYSEC-2026-206"),
        ("durabletask", "1.4.2", "PYSEC-2026-207"),
        ("aiocpa", "0.1.13", "PYSEC-2024-152"),
        ("gratient", "0.5", "PYSEC-2024-1"),
        ("exotel", "0.1.6", "PYSEC-2022-250"),
        ("deep-translator", "1.8.5", "PYSEC-2022-252"),
        ("ensmallen", "0.8.101", "PYSEC-2026-232"),
    ],
)
def test_knows_famous_malware(advisories: Advisories, name: str, version: str, advisory: str) -> None:
    judgement = judge(advisories, name, version)
    assert advisory in found(judgement, "malware")
    assert all(one.severity is Severity.CRITICAL for one in judgement.findings if one.rule == "malware")


@pytest.mark.parametrize(
    ("name", "version"),
    [
        # The attacker replaced ctx 0.1.2 itself: no version can tell, only a hash.
        ("ctx", "0.1.2"),
        ("ultralytics", "8.3.40"),
        ("ultralytics", "8.3.47"),
        ("litellm", "1.82.6"),
        ("litellm", "1.82.9"),
        ("telnyx", "4.87.0"),
        ("num2words", "0.5.14"),
        # Known only to a database that is not in this bundle.
        ("lightning", "2.6.2"),
        ("torchtriton", "2.0.0"),
    ],
)
def test_does_not_call_a_neighbour_malware(advisories: Advisories, name: str, version: str) -> None:
    assert not found(judge(advisories, name, version), "malware")


def test_a_record_that_is_too_broad_is_malware_in_one_version_only(advisories: Advisories) -> None:
    judgement = judge(advisories, "guardrails-ai", "0.9.3")
    assert "PYSEC-2026-206" in found(judgement, "known-vulnerability")
    assert not found(judgement, "malware")


@pytest.mark.parametrize(("version", "affected"), [("2.5.1+cu124", True), ("2.6.0", True), ("2.7.0+cu128", False)])
def test_decides_about_torch_although_its_records_are_misspelt(
    advisories: Advisories, version: str, affected: bool
) -> None:
    judgement = judge(advisories, "torch", version)
    assert ("PYSEC-2025-192" in found(judgement, "known-vulnerability")) is affected
    assert not judgement.undecided


def test_records_that_contradict_themselves_count_for_both_sides(advisories: Advisories) -> None:
    # Their version lists go beyond their ranges; what either says is affected.
    assert "PYSEC-2023-61" in found(judge(advisories, "django", "3.2.18"), "known-vulnerability")


def test_agrees_with_the_oracle_on_a_sample() -> None:
    bundle = read_bundle(packaged_bundle())
    sample = {record["id"]: record for record in live_records(packaged_bundle())[::STEP]}
    advisories = arrange(Bundle(bundle.database, tuple(one for one in bundle.records if one.id in sample)))
    cases = hits = 0
    for record in sample.values():
        for name, version in set(derived(record)):
            judgement = judge(advisories, name, str(version))
            affected, undecidable = expected([record], name, version)
            named = {str(one.advisory) for one in judgement.findings}
            unsure = {one.reason.split()[0] for one in judgement.undecided}
            assert (record["id"] in named) is bool(affected), (record["id"], name, str(version))
            assert (record["id"] in unsure) is bool(undecidable), (record["id"], name, str(version))
            cases += 1
            hits += bool(affected)
    assert cases > 1_500
    assert hits > 700
