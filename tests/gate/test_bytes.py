"""The gate computes the model's digest from every record: what a subject says is not enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.builders import FILES, NOW, VIEW, Scene, make_record, measurements_of
from weighbridge.evidence.measurements import ModelScanMeasurements
from weighbridge.evidence.record import CheckName, CheckRecord, View, ViewKind
from weighbridge.gate.bytes import PRIVATE_VIEWS, bytes_problems
from weighbridge.gate.decision import Outcome, VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.model.digest import Digest, combine

SCAN, AUDIT = CheckName.MODEL_SCAN, CheckName.DEPENDENCY_AUDIT
MODEL = combine([(file.path, file.sha256) for file in FILES])
OTHER = Digest("1" * 64)


def reasons(record: CheckRecord, *, model: Digest = MODEL, **options: Any) -> list[str]:
    found = list(bytes_problems(record, model=model, **options))
    assert all(problem.result is VerdictResult.UNDECIDED and problem.remedy for problem in found)
    return [problem.reason for problem in found]


def with_files(check: CheckName, files: Any, **changes: Any) -> CheckRecord:
    return msgspec.structs.replace(make_record(check), files=files, **changes)


@pytest.mark.parametrize("check", CheckName)
def test_files_of_the_model_count(check: CheckName) -> None:
    assert reasons(make_record(check)) == []
    assert reasons(with_files(check, FILES[::-1])) == []


@pytest.mark.parametrize("check", CheckName)
def test_files_of_another_model_do_not(check: CheckName) -> None:
    assert "are not the files of the model" in reasons(make_record(check), model=OTHER)[0]


ONE = FILES[0]
WRONG: dict[str, Callable[[], Any]] = {
    "one missing": lambda: FILES[:1],
    "one more": lambda: (*FILES, msgspec.structs.replace(ONE, path="z")),
    "one twice": lambda: (*FILES, ONE),
    "other bytes": lambda: (msgspec.structs.replace(ONE, sha256="2" * 64), *FILES[1:]),
    "another name": lambda: (msgspec.structs.replace(ONE, path="a.bim"), *FILES[1:]),
    "two lines in one name": lambda: (
        msgspec.structs.replace(ONE, path=f"{ONE.path}\n{FILES[1].sha256}  {FILES[1].path}"),
    ),
}


@pytest.mark.parametrize("check", CheckName)
@pytest.mark.parametrize("wrong", WRONG)
def test_other_files_do_not_count(check: CheckName, wrong: str) -> None:
    assert any("are not the files of the model" in reason for reason in reasons(with_files(check, WRONG[wrong]())))


@pytest.mark.parametrize("check", [check for check in CheckName if check is not SCAN])
def test_evidence_that_does_not_say_which_bytes_does_not_count(check: CheckName) -> None:
    assert reasons(with_files(check, (), view=None)) == [
        f"the evidence of {check} does not say which bytes were examined"
    ]


def test_a_scan_of_the_first_release_counts_by_its_coverage() -> None:
    assert reasons(with_files(SCAN, (), view=None)) == []
    assert reasons(with_files(SCAN, (), view=None, measurements=None)) != []
    assert reasons(with_files(SCAN, ())) != []


def test_a_scan_must_have_covered_what_it_was_given() -> None:
    measured = measurements_of(SCAN)
    assert isinstance(measured, ModelScanMeasurements)
    fewer = msgspec.structs.replace(measured, files=measured.files[:1])
    other = msgspec.structs.replace(
        measured, files=(msgspec.structs.replace(measured.files[0], sha256=None), *measured.files[1:])
    )
    for changed in (fewer, other):
        assert reasons(make_record(SCAN, measurements=changed)) == [
            "the files that the scan covered are not the files that it was given"
        ]


@pytest.mark.parametrize("kind", ViewKind)
def test_a_view_counts_when_the_policy_accepts_it(kind: ViewKind) -> None:
    record = with_files(AUDIT, FILES, view=View(kind=kind, summary="how it was"))
    assert reasons(record, accepted_views=frozenset(ViewKind)) == []
    found = reasons(record)
    if kind in PRIVATE_VIEWS:
        assert found == []
    else:
        assert found == ["the dependency-audit read the model under a view that is watched, not private (how it was)"]


def test_files_without_a_view_do_not_count() -> None:
    assert reasons(with_files(AUDIT, FILES, view=None), accepted_views=frozenset(ViewKind)) == [
        "the evidence of dependency-audit does not say how the bytes were held while it read them"
    ]


def outcome(scene: Scene, check: CheckName) -> Outcome:
    decision = judge(scene.digest, policy=scene.policy, trust=scene.trust, files=scene.files(), now=NOW)
    return next(item for item in decision.outcomes if item.check is check)


@pytest.mark.parametrize("check", CheckName)
def test_the_gate_asks_it_of_every_check(scene: Scene, check: CheckName) -> None:
    assert outcome(scene, check).result is VerdictResult.PASSED
    for files, view in ((FILES[:1], VIEW), (FILES, View(kind=ViewKind.WATCHED, summary="how it was"))):
        scene.records[check] = with_files(check, files, view=view)
        assert outcome(scene, check).result is VerdictResult.UNDECIDED
