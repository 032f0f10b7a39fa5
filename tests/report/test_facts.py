from __future__ import annotations

import msgspec
import pytest

from tests.report import samples
from weighbridge.evidence.measurements import LeakageMeasurements
from weighbridge.evidence.record import CheckName, Severity, Undecided
from weighbridge.report.facts import count_severities, is_waived, outcome_of, result_of, worst_first
from weighbridge.report.summary import headline_rate, interval, key_figure

LOST = (Undecided(location="a", reason="b"),)


def test_any_finding_fails_even_beside_undecided_places() -> None:
    record = samples.record(CheckName.MODEL_SCAN, samples.scan(), findings=(samples.PAYLOAD,), undecided=LOST)
    assert result_of(record) == "failed"


def test_undecided_place_is_undecided() -> None:
    assert result_of(samples.record(CheckName.MODEL_SCAN, samples.scan(), undecided=LOST)) == "undecided"


def test_no_measurement_is_undecided() -> None:
    assert result_of(samples.record(CheckName.MODEL_SCAN, None)) == "undecided"


def test_control_that_did_not_hold_is_undecided() -> None:
    assert result_of(samples.record(CheckName.ROBUSTNESS, samples.robustness(held=False))) == "undecided"


@pytest.mark.parametrize("check", [CheckName.ROBUSTNESS, CheckName.LEAKAGE])
def test_measurement_of_no_file_is_undecided(check: CheckName) -> None:
    full = samples.robustness() if check is CheckName.ROBUSTNESS else samples.leakage()
    assert result_of(samples.record(check, msgspec.structs.replace(full, entries=()))) == "undecided"


def test_clean_record_passes() -> None:
    record = samples.record(CheckName.MODEL_SCAN, samples.scan())
    assert (result_of(record), outcome_of(record)) == ("passed", "nothing found")


def test_worst_finding_comes_first_and_unknown_before_what_is_known_to_be_less() -> None:
    order = worst_first((samples.OLD_JINJA, samples.UNKNOWN, samples.PAYLOAD, samples.ADVISORY))
    assert [item.severity for item in order] == [Severity.CRITICAL, Severity.HIGH, Severity.UNKNOWN, Severity.MEDIUM]
    assert count_severities(order)[0] == (Severity.CRITICAL, 1)


def test_waiver_counts_by_advisory_or_alias_in_its_component_and_by_nothing_else() -> None:
    for name in ("PYSEC-2026-1177 in jinja2", "CVE-2026-27516 in jinja2"):
        requirement = samples.requirement(CheckName.DEPENDENCY_AUDIT, "satisfied", "", line=1, waived=(name,))
        assert is_waived(samples.OLD_JINJA, (requirement,))
    for name in (
        "PYSEC-2026-9 in jinja2",
        "PYSEC-2026-1177 in pillow",
        "PYSEC-2026-1177",
        "vulnerable-version in jinja2",
    ):
        other = samples.requirement(CheckName.DEPENDENCY_AUDIT, "satisfied", "", line=1, waived=(name,))
        assert not is_waived(samples.OLD_JINJA, (other,))
    assert not is_waived(samples.OLD_JINJA, ())


def test_figure_of_robustness_is_its_worst_file() -> None:
    strong, weak = samples.robustness(survived=190), samples.robustness(survived=20)
    both = msgspec.structs.replace(strong, entries=(*strong.entries, *weak.entries))
    assert key_figure(samples.record(CheckName.ROBUSTNESS, both)).startswith("10.0 % still right")


def test_figure_of_leakage_is_the_lowest_rate_at_our_confidence() -> None:
    rate = headline_rate(samples.leakage().entries[0])
    assert rate is not None
    assert (rate.fpr, rate.confidence) == (0.01, 0.95)


def test_figure_without_rates_says_so() -> None:
    full = samples.leakage()
    bare = msgspec.structs.replace(full, entries=(msgspec.structs.replace(full.entries[0], rates=()),))
    assert isinstance(bare, LeakageMeasurements)
    assert key_figure(samples.record(CheckName.LEAKAGE, bare)) == "no rate was measured"


def test_figure_of_nothing_says_so() -> None:
    assert key_figure(samples.record(CheckName.LEAKAGE, None)) == "nothing was measured"


def test_interval_holds_the_share_and_survives_impossible_counts() -> None:
    low, high = interval(142, 200)
    assert low < 0.71 < high
    assert interval(5, 2)[1] == 1.0


def test_claim_of_countless_examples_is_bounded_by_nothing_and_costs_nothing() -> None:
    assert interval(2**52, 2**53) == (0.0, 1.0)
