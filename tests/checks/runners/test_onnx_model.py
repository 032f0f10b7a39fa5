"""ONNX Runtime as a runner: signatures that are accepted, answers that are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.checks.runners.trained import digits, digits_mlp, onnx_bytes

from weighbridge.checks.runners.interface import RunnerError
from weighbridge.checks.runners.onnx_model import OnnxRunner


def opened(path: Path, content: bytes, *, features: int = 64) -> OnnxRunner:
    return OnnxRunner(content, name=path.name, features=features, threads=1)


def graph(
    shape: list[Any], nodes: list[Any], outputs: list[Any], *, kind: int = TensorProto.FLOAT, weights: Any = ()
) -> bytes:
    """Build an ONNX file with one input ``x``."""
    built = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", kind, shape)], outputs, list(weights))
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def flat_linear(shape: list[Any], features: int, classes: int = 3) -> bytes:
    """Build a linear classifier over an input of any shape; weight (i, j) is i * (j + 1) / 100."""
    weight = np.outer(np.arange(features), np.arange(1, classes + 1)).astype(np.float32) / 100
    return graph(
        shape,
        [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["s"])],
        [helper.make_tensor_value_info("s", TensorProto.FLOAT, [None, classes])],
        weights=[helper.make_tensor("w", TensorProto.FLOAT, weight.shape, weight.ravel())],
    )


@pytest.mark.parametrize("zipmap", [False, True])
def test_scores_equal_those_of_the_exported_model(tmp_path: Path, zipmap: bool) -> None:
    model, rows = digits_mlp(), digits()[1][:50]
    runner = opened(tmp_path / "m.onnx", onnx_bytes(model, 64, zipmap=zipmap))
    assert runner.scores(rows) == pytest.approx(model.predict_proba(rows), abs=1e-5)
    assert runner.classes.tolist() == list(range(10))
    labels = runner.labels(rows)
    assert labels is not None
    assert labels.tolist() == model.predict(rows).tolist()


@pytest.mark.parametrize("shape", [[None, 64], ["n", 1, 8, 8], ["n", 8, 8], [None, 1, None, 8], [None, None]])
def test_gives_rows_the_shape_that_the_model_wants(tmp_path: Path, shape: list[Any]) -> None:
    rows = digits()[1][:5]
    runner = opened(tmp_path / "m.onnx", flat_linear(shape, 64))
    weight = np.outer(np.arange(64), np.arange(1, 4)) / 100
    assert runner.scores(rows) == pytest.approx(rows @ weight, rel=1e-5)
    assert runner.labels(rows) is None


def test_fills_up_a_fixed_batch(tmp_path: Path) -> None:
    rows = digits()[1][:10]
    free = opened(tmp_path / "a.onnx", flat_linear([None, 64], 64)).scores(rows)
    assert opened(tmp_path / "b.onnx", flat_linear([4, 64], 64)).scores(rows) == pytest.approx(free)


def test_cuts_large_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = opened(tmp_path / "a.onnx", flat_linear([None, 64], 64))
    rows = digits()[1][:10]
    whole = runner.scores(rows)
    monkeypatch.setattr("weighbridge.checks.runners.onnx_model.MAX_ROWS_A_CALL", 3)
    assert np.array_equal(runner.scores(rows), whole)


@pytest.mark.parametrize("shape", [[None, 63], [None, 1, 9, 7], [None, None, None]])
def test_refuses_inputs_that_do_not_fit(tmp_path: Path, shape: list[Any]) -> None:
    with pytest.raises(RunnerError, match="the data has 64 numbers"):
        opened(tmp_path / "m.onnx", flat_linear(shape, 63))


def test_refuses_input_without_rows(tmp_path: Path) -> None:
    content = graph(
        [4], [helper.make_node("Abs", ["x"], ["s"])], [helper.make_tensor_value_info("s", TensorProto.FLOAT, [4])]
    )
    with pytest.raises(RunnerError, match="expected rows first"):
        opened(tmp_path / "m.onnx", content, features=4)


def test_refuses_integer_input(tmp_path: Path) -> None:
    content = graph(
        [None, 4],
        [helper.make_node("Cast", ["x"], ["s"], to=TensorProto.FLOAT)],
        [helper.make_tensor_value_info("s", TensorProto.FLOAT, [None, 4])],
        kind=TensorProto.INT64,
    )
    with pytest.raises(RunnerError, match="wants tensor"):
        opened(tmp_path / "m.onnx", content, features=4)


def test_refuses_labels_only(tmp_path: Path) -> None:
    content = graph(
        [None, 4],
        [helper.make_node("ArgMax", ["x"], ["s"], axis=1, keepdims=0)],
        [helper.make_tensor_value_info("s", TensorProto.INT64, [None])],
    )
    with pytest.raises(RunnerError, match="expected one table of scores"):
        opened(tmp_path / "m.onnx", content, features=4)


@pytest.mark.parametrize("operator", ["Log", "Reciprocal"])
def test_refuses_scores_that_are_not_finite(tmp_path: Path, operator: str) -> None:
    content = graph(
        [None, 4],
        [helper.make_node(operator, ["x"], ["s"])],
        [helper.make_tensor_value_info("s", TensorProto.FLOAT, [None, 4])],
    )
    with pytest.raises(RunnerError, match="not finite"):
        opened(tmp_path / "m.onnx", content, features=4)


def test_refuses_one_column_of_scores(tmp_path: Path) -> None:
    with pytest.raises(RunnerError, match="two or more classes"):
        opened(tmp_path / "m.onnx", flat_linear([None, 4], 4, classes=1), features=4)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07" * 50])
def test_refuses_what_is_no_onnx(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RunnerError, match="cannot be opened") as refusal:
        opened(tmp_path / "m.onnx", content)
    assert str(tmp_path) not in refusal.value.message
