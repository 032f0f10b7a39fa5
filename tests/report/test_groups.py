from __future__ import annotations

import msgspec
import pytest

from tests.report import samples
from weighbridge.evidence.record import Component, Finding, Severity, Undecided
from weighbridge.report.groups import folded, group_findings, group_undecided
from weighbridge.report.packages import advise


def test_order_is_worst_first_and_every_finding_is_in_one_group() -> None:
    findings = (*samples.UNLISTED[:5], samples.PAYLOAD, *samples.UNLISTED[5:])
    groups = group_findings(findings)
    assert [(group.severity, group.count) for group in groups] == [(Severity.CRITICAL, 1), (Severity.HIGH, 10)]
    assert sorted(one.message for group in groups for one in group.findings) == sorted(one.message for one in findings)


@pytest.mark.parametrize(
    "other",
    [
        {"severity": Severity.LOW},
        {"rule": "another-rule"},
        {"remedy": "do something else"},
        {"advisory": "PYSEC-2026-1"},
        {"component": Component(name="pillow", version="9.5.1")},
    ],
    ids=lambda other: next(iter(other)),
)
def test_findings_that_differ_in_what_a_row_says_once_are_two_rows(other: dict[str, object]) -> None:
    assert len(group_findings((samples.ADVISORY, msgspec.structs.replace(samples.ADVISORY, **other)))) == 2


def test_message_of_one_finding_is_kept_and_of_many_is_what_the_rule_means() -> None:
    (alone,) = group_findings(samples.UNLISTED[:1])
    assert alone.messages == (samples.UNLISTED[0].message,)
    (many,) = group_findings(samples.UNLISTED)
    assert many.messages == ("a pickle imports a name that is not on the allow list",)
    assert many.names[0] == "shop.layers.Gate"


def test_messages_stay_when_the_findings_name_nothing_or_the_rule_is_not_known() -> None:
    nameless = tuple(msgspec.structs.replace(one, about="") for one in samples.UNLISTED)
    assert len(group_findings(nameless)[0].messages) == 10
    unknown = tuple(msgspec.structs.replace(one, rule="of-the-future") for one in samples.UNLISTED)
    assert len(group_findings(unknown)[0].messages) == 10


def test_offsets_of_one_member_are_folded() -> None:
    assert folded(("a:1", "a:2", "b", "c!d:7", "a:3", "a:4", "a:5", "a:1")) == ("a:1, 2, 3, 4 and 1 more", "b", "c!d:7")


def test_undecided_places_are_grouped_by_reason() -> None:
    places = [Undecided(location="a", reason="x"), Undecided(location="b", reason="y")]
    groups = group_undecided((*places, Undecided(location="c", reason="x")))
    assert [(group.reason, group.places) for group in groups] == [("x", ("a", "c")), ("y", ("b",))]


def _advisory(name: str, version: str, step: str, severity: Severity = Severity.HIGH) -> Finding:
    return Finding(
        rule="vulnerable-component",
        severity=severity,
        message="m",
        location="l",
        remedy=step,
        advisory="A-1",
        component=Component(name=name, version=version),
    )


def test_a_package_has_one_line_with_the_version_that_mends_all_that_can_be() -> None:
    found = [
        _advisory("pillow", "9.5.0", "Update pillow to 10.2.0 or later, the lowest version.", Severity.MEDIUM),
        _advisory("idna", "2.10", "Update idna to 3.15 or later, the lowest version."),
        _advisory("pillow", "9.5.0", "Update pillow to 9.10 or later, the lowest version.", Severity.CRITICAL),
        _advisory("pillow", "9.5.0", "A-3 names no fixed version above 9.5.0: replace pillow."),
        _advisory("pillow", "9.5.0", "Update pillow to no-version or later."),
    ]
    first, second = advise(found)
    assert (first.name, first.counted) == ("pillow", "1 critical, 2 high, 1 medium")
    assert first.step == "update to 10.2.0 or later; 2 without a fixed version"
    assert (second.name, second.step) == ("idna", "update to 3.15 or later")
    assert advise([]) == ()
