"""What whoever calls a check says of the data counts only where the policy says the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.builders import NOW, Scene, make_record, measurements_of, seed_of
from tests.gate.test_inputs import LEAKAGE, OTHER, ROBUSTNESS, decide, other_input, outcome_of, text_with
from weighbridge.evidence.measurements import RobustnessMeasurements
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.run import RunInputs, plan
from weighbridge.policy import Policy

BOUND = f'{{sha256: ["{OTHER}"]}}'


def chosen(scene: Scene, parameters: dict[str, Any], **changes: Any) -> None:
    """Let robustness have been measured on data of which the caller said something."""
    other_input(scene, ROBUSTNESS, **changes)
    record = scene.records[ROBUSTNESS]
    scene.records[ROBUSTNESS] = msgspec.structs.replace(record, parameters={**record.parameters, **parameters})


@pytest.mark.parametrize(
    ("parameters", "changes", "said", "words"),
    [
        ({"label": "-1"}, {"label": "species"}, "label: species", "which column of the test data"),
        ({"label": "species"}, {"label": "species"}, "label: species", "is the label, species"),
        (
            {"bounds_low": 0.0, "bounds_high": 9.0},
            {"bounds": (0.0, 9.0)},
            "bounds: [0, 9]",
            "gave the bounds [0.0, 9.0] of the test data",
        ),
    ],
)
def test_counts_only_where_the_policy_says_the_same(
    scene: Scene, parameters: dict[str, Any], changes: dict[str, Any], said: str, words: str
) -> None:
    chosen(scene, parameters, **changes)
    result, reason = outcome_of(decide(scene, text=text_with("test", BOUND)), ROBUSTNESS)
    assert result is VerdictResult.UNDECIDED
    assert words in reason
    agreed = text_with("test", BOUND.replace("]}", f"], {said}}}"))
    assert decide(scene, text=agreed).result is VerdictResult.PASSED


def test_another_label_than_the_policys_does_not_count_however_it_came_about(scene: Scene) -> None:
    other_input(scene, ROBUSTNESS, label="shape")
    text = text_with("test", BOUND.replace("]}", "], label: species}"))
    result, reason = outcome_of(decide(scene, text=text), ROBUSTNESS)
    assert result is VerdictResult.UNDECIDED
    assert "was read with the label shape; the policy says species" in reason


def test_bounds_that_follow_from_the_rows_are_bound_with_them(scene: Scene) -> None:
    other_input(scene, ROBUSTNESS, bounds=(0.1, 7.9))
    assert decide(scene, text=text_with("test", BOUND)).result is VerdictResult.PASSED
    text = text_with("test", BOUND.replace("]}", "], bounds: [0, 8]}"))
    assert outcome_of(decide(scene, text=text), ROBUSTNESS)[0] is VerdictResult.UNDECIDED


def test_of_data_that_nothing_binds_the_caller_chose_every_byte_anyway(scene: Scene) -> None:
    chosen(scene, {"label": "species"}, label="species")
    decision = decide(scene, text=text_with("test", "unbound"))
    assert decision.result is VerdictResult.PASSED
    assert decision.weaknesses


def test_a_look_with_a_label_of_ones_own_is_a_try(scene: Scene) -> None:
    measured = measurements_of(ROBUSTNESS)
    assert isinstance(measured, RobustnessMeasurements)
    entries = tuple(msgspec.structs.replace(entry, survived=0) for entry in measured.entries)
    failing = msgspec.structs.replace(measured, entries=entries, seed=seed_of(ROBUSTNESS, measured.data).value)
    record = make_record(ROBUSTNESS, finished=NOW - timedelta(hours=2), nonce="f" * 32)
    looked = msgspec.structs.replace(record, measurements=failing, parameters={**record.parameters, "label": "shape"})
    decision = decide(scene, more=(StoredFile("look.sigstore.json", scene.sign(looked)),))
    (found,) = [item for item in decision.outcomes if item.check is ROBUSTNESS]
    assert "1 earlier tries that did not pass were seen here" in found.notes[0]


def test_a_run_asks_for_what_the_policy_says_of_the_data(scene: Scene) -> None:
    text = text_with("test", BOUND.replace("]}", "], label: species, bounds: [0, 9]}"))
    inputs = RunInputs(
        advisories=scene.model, locks=(scene.model,), data=scene.model, members=scene.model, non_members=scene.model
    )
    requests = plan(Policy.parse(text.encode(), name="p"), model=scene.model, inputs=inputs)
    asked = {request.check: request.options for request in requests}
    assert (asked[ROBUSTNESS].label, asked[ROBUSTNESS].bounds) == ("species", (0.0, 9.0))  # type: ignore[union-attr]
    assert (asked[LEAKAGE].label, asked[LEAKAGE].bounds) == (None, None)  # type: ignore[union-attr]
