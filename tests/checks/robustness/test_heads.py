"""What is served is a decision about one row: models whose scores in batches tell nothing of that are not believed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.checks.robustness.truth import FunctionRunner, setting_of

from weighbridge.checks.robustness.measure import Setting, measure
from weighbridge.checks.runners.onnx_model import OnnxRunner
from weighbridge.evidence.measurements import RobustnessEntry

FIRM = [-8.0, 8.0, 0.0, 0.0, -0.1, 0.1, -0.1, 0.1]
FRAGILE = [0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
REVERSED = [8.0, -8.0, *FIRM[2:]]


def failed(entry: RobustnessEntry) -> set[str]:
    return {control.name for control in entry.controls if not control.held}


def two_inputs() -> Setting:
    """Return examples of which column 0 tells the label from afar and column 1 by a hair."""
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    x = rng.uniform(0.2, 0.8, (200, 4))
    x[:, 0] = np.where(y, 0.85, 0.15) + rng.uniform(-0.05, 0.05, 200)
    x[:, 1] = np.where(y, 0.51, 0.49)
    return setting_of(x, y)


def weights(values: list[float]) -> Any:
    return np.array(values).reshape(4, 2)


def scores_of(values: list[float]) -> Callable[[Any], Any]:
    return lambda batch: (batch - 0.5) @ weights(values)


def tensor(name: str, values: list[float], shape: list[int] | None = None) -> Any:
    return helper.make_tensor(name, TensorProto.FLOAT, shape or [4, 2], values)


def onnx_runner(nodes: list[Any], *, numbers: list[Any], decides: bool) -> OnnxRunner:
    outputs = [helper.make_tensor_value_info("label", TensorProto.INT64, [None])] if decides else []
    outputs.append(helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, 2]))
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])], outputs, numbers
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return OnnxRunner(made.SerializeToString(), name="m.onnx", features=4, threads=1)


def test_a_model_whose_labels_fall_within_epsilon_does_not_stand() -> None:
    nodes = [
        helper.make_node("Sub", ["x", "h"], ["c"]),
        helper.make_node("MatMul", ["c", "l"], ["fragile"]),
        helper.make_node("ArgMax", ["fragile"], ["label"], axis=1, keepdims=0),
        helper.make_node("MatMul", ["c", "s"], ["firm"]),
        helper.make_node("Softmax", ["firm"], ["scores"], axis=1),
    ]
    numbers = [tensor("s", FIRM), tensor("l", FRAGILE), tensor("h", [0.5] * 4, [4])]
    entry = measure(onnx_runner(nodes, numbers=numbers, decides=True), "m", two_inputs())
    assert (entry.correct, entry.survived) == (200, 0)
    assert "decisions-agree-under-attack" in failed(entry)


def test_a_decision_that_costs_a_call_is_looked_at_too() -> None:
    runner = FunctionRunner(
        scores_of(FIRM), 2, decide=lambda batch: scores_of(FRAGILE)(batch).argmax(axis=1), decides_at_once=False
    )
    entry = measure(runner, "m", two_inputs())
    assert (entry.correct, entry.survived) == (200, 0)


def test_the_last_point_is_looked_at_even_if_no_step_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.checks.robustness.asking.DECIDE_EVERY", 10**6)
    runner = FunctionRunner(
        scores_of(FIRM), 2, decide=lambda batch: scores_of(FRAGILE)(batch).argmax(axis=1), decides_at_once=False
    )
    assert measure(runner, "m", two_inputs()).survived < 150, (
        "about half of the last points have column 1 at the wrong end"
    )


def test_a_decision_of_its_own_is_undecided_though_it_does_not_fall() -> None:
    # Firm about an input that the scores do not look at: an attack that follows the scores never looks there either.
    setting = two_inputs()
    setting.x[:, 1] = np.where(setting.y, 0.9, 0.1)
    entry = measure(FunctionRunner(scores_of(FIRM), 2, decide=lambda batch: batch[:, 1] > 0.5), "m", setting)
    assert failed(entry) == {"decisions-agree-under-attack"}


def test_a_tie_that_is_decided_wrongly_is_a_fall() -> None:
    def coarse(batch: Any) -> Any:
        return np.where((batch[:, :1] > 0.2) & (batch[:, :1] < 0.8), 0.5, scores_of(FIRM)(batch))

    setting = two_inputs()
    entry = measure(FunctionRunner(coarse, 2), "m", setting)
    assert entry.survived <= int((setting.y == 0).sum()), "a tie is decided for class 0"


def test_a_row_that_is_asked_alone_gets_the_same_answer() -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["n"], start=0, end=1),
        helper.make_node("Equal", ["n", "one"], ["alone"]),
        helper.make_node("Cast", ["alone"], ["a"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["unit", "a"], ["b"]),
        helper.make_node("Sub", ["x", "h"], ["c"]),
        helper.make_node("MatMul", ["c", "s"], ["firm"]),
        helper.make_node("MatMul", ["c", "l"], ["wrong"]),
        helper.make_node("Mul", ["firm", "b"], ["f"]),
        helper.make_node("Mul", ["wrong", "a"], ["w"]),
        helper.make_node("Add", ["f", "w"], ["sum"]),
        helper.make_node("Softmax", ["sum"], ["scores"], axis=1),
    ]
    one = helper.make_tensor("one", TensorProto.INT64, [1], [1])
    numbers = [tensor("s", FIRM), tensor("l", REVERSED), tensor("h", [0.5] * 4, [4]), one, tensor("unit", [1.0], [1])]
    entry = measure(onnx_runner(nodes, numbers=numbers, decides=False), "m", two_inputs())
    assert failed(entry) == {"answers-repeat"}
    assert entry.examples == 0


@pytest.mark.parametrize("sizes", [range(1, 2), range(2, 9), range(16, 17), range(60, 130)])
@pytest.mark.parametrize("huge", [0.0, -1e9])
def test_company_of_another_size_gets_the_same_answer(sizes: range, huge: float) -> None:
    # One huge score in a column that nobody looks at makes every difference small beside it.
    def answer(batch: Any) -> Any:
        found = scores_of(REVERSED if len(batch) in sizes else FIRM)(batch)
        return np.column_stack([found, np.full(len(batch), huge)]) if huge else found

    entry = measure(FunctionRunner(answer, 3 if huge else 2), "m", two_inputs())
    assert failed(entry) == {"answers-repeat"}


def test_an_attacked_row_that_is_asked_alone_gets_the_same_answer() -> None:
    clean = {row.tobytes() for row in two_inputs().x}

    def answer(batch: Any) -> Any:
        served = len(batch) == 1 and batch[0].tobytes() not in clean
        return scores_of(REVERSED if served else FIRM)(batch)

    entry = measure(FunctionRunner(answer, 2), "m", two_inputs())
    assert failed(entry) == {"answers-repeat-under-attack"}


def test_decisions_of_rows_alone_are_compared_as_well() -> None:
    def decide(batch: Any) -> Any:
        right = scores_of(FIRM)(batch).argmax(axis=1)
        return 1 - right if len(batch) == 1 else right

    assert failed(measure(FunctionRunner(scores_of(FIRM), 2, decide=decide), "m", two_inputs())) == {"answers-repeat"}
