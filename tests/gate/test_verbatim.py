"""The limit of training rows kept in a file, against the number of rows that were looked for at all."""

from __future__ import annotations

import msgspec
import pytest

from tests.builders import NOW, POLICY, Scene, make_record, measurements_of
from weighbridge.evidence.measurements import LeakageMeasurements
from weighbridge.evidence.record import CheckName
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.policy import Policy

MEMBERS = 500


def result(scene: Scene, *, found: int, limit: int, looked_up: int | None) -> VerdictResult:
    measured = measurements_of(CheckName.LEAKAGE)
    assert isinstance(measured, LeakageMeasurements)
    assert measured.members.rows == MEMBERS
    entry = msgspec.structs.replace(measured.entries[0], verbatim_training_rows=found, rows_looked_up=looked_up)
    changed = msgspec.structs.replace(measured, entries=(entry,))
    scene.records[CheckName.LEAKAGE] = make_record(CheckName.LEAKAGE, measurements=changed)
    text = POLICY.replace("verbatimTrainingRows: 0", f"verbatimTrainingRows: {limit}")
    policy = Policy.parse(text.encode(), name="policy.yaml")
    return judge(scene.digest, policy=policy, trust=scene.trust, files=scene.files(), now=NOW).result


def test_a_model_that_holds_every_member_does_not_pass(scene: Scene) -> None:
    assert result(scene, found=MEMBERS, limit=1000, looked_up=MEMBERS) is VerdictResult.UNDECIDED


@pytest.mark.parametrize("looked_up", [None, MEMBERS, 2 * MEMBERS])
def test_a_limit_that_no_number_of_found_rows_can_fail_is_undecided(scene: Scene, looked_up: int | None) -> None:
    assert result(scene, found=0, limit=MEMBERS, looked_up=looked_up) is VerdictResult.UNDECIDED
    assert result(scene, found=0, limit=MEMBERS - 1, looked_up=looked_up) is VerdictResult.PASSED
    assert result(scene, found=MEMBERS, limit=MEMBERS - 1, looked_up=looked_up) is VerdictResult.FAILED


@pytest.mark.parametrize(("looked_up", "expected"), [(0, VerdictResult.UNDECIDED), (1, VerdictResult.PASSED)])
def test_rows_that_were_not_looked_up_do_not_count(scene: Scene, looked_up: int, expected: VerdictResult) -> None:
    assert result(scene, found=0, limit=0, looked_up=looked_up) is expected
