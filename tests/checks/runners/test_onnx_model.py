"""ONNX Runtime as a runner: signatures that are accepted, answers that are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from tests.builders import request_for
from tests.checks.runners.trained import digits, digits_mlp, onnx_bytes, trusting

from weighbridge.checks.interface import ModelFile, ModelScanOptions
from weighbridge.checks.runners.entries import find_entries, load
from weighbridge.checks.runners.interface import Runner, RunnerError
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


def two_labels(shape: list[int] | None, axis: int = 0) -> bytes:
    """Build a classifier whose integer output joins the best class of a row with the worst, in any shape."""
    weight = np.arange(12, dtype=np.float32)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["s"]),
        helper.make_node("ArgMax", ["s"], ["a"], axis=1, keepdims=axis),
        helper.make_node("ArgMin", ["s"], ["b"], axis=1, keepdims=axis),
        helper.make_node("Concat", ["a", "b"], ["label" if shape is None else "c"], axis=axis),
    ]
    nodes += [] if shape is None else [helper.make_node("Reshape", ["c", "shape"], ["label"])]
    outputs = [
        helper.make_tensor_value_info("s", TensorProto.FLOAT, [None, 3]),
        helper.make_tensor_value_info("label", TensorProto.INT64, None),
    ]
    weights = [
        helper.make_tensor("w", TensorProto.FLOAT, [4, 3], weight),
        helper.make_tensor("shape", TensorProto.INT64, [len(shape or ())], shape or []),
    ]
    return graph([None, 4], nodes, outputs, weights=weights[: 1 if shape is None else 2])


@pytest.mark.parametrize("content", [two_labels([-1, 2]), two_labels([2, -1]), two_labels(None), two_labels(None, 1)])
def test_a_label_table_has_no_second_column_that_nobody_measures(tmp_path: Path, content: bytes) -> None:
    # Read flat and cut, the first half of the numbers would be the true decisions, and the rest another head.
    with pytest.raises(RunnerError, match="gave labels of shape"):
        opened(tmp_path / "m.onnx", content, features=4).answers(np.ones((5, 4)))


@pytest.mark.parametrize("keepdims", [0, 1])
def test_one_label_a_row_may_be_a_column(tmp_path: Path, keepdims: int) -> None:
    outputs = [
        helper.make_tensor_value_info("x2", TensorProto.FLOAT, [None, 4]),
        helper.make_tensor_value_info("label", TensorProto.INT64, None),
    ]
    nodes = [
        helper.make_node("Abs", ["x"], ["x2"]),
        helper.make_node("ArgMax", ["x2"], ["label"], axis=1, keepdims=keepdims),
    ]
    rows = np.eye(4)[[2, 0, 3]]
    for batch in (None, 2):
        labels = opened(tmp_path / "m.onnx", graph([batch, 4], nodes, outputs), features=4).labels(rows)
        assert labels is not None
        assert labels.tolist() == [2, 0, 3]


def test_more_rows_of_scores_than_were_asked_for_are_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("Neg", ["x"], ["n"]), helper.make_node("Concat", ["x", "n"], ["s"], axis=0)]
    content = graph([None, 4], nodes, [helper.make_tensor_value_info("s", TensorProto.FLOAT, [None, 4])])
    with pytest.raises(RunnerError, match="rows of scores"):
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


def with_external(locations: dict[str, tuple[int, int]], *, width: int = 64) -> bytes:
    """Build a linear classifier whose weights lie in other files: ``w`` and ``w2`` are added up."""
    tensors = []
    for number, (location, (offset, length)) in enumerate(locations.items()):
        tensor = TensorProto(name=f"w{number}", data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
        tensor.dims.extend([width, 3])
        for key, value in (("location", location), ("offset", str(offset)), ("length", str(length))):
            tensor.external_data.add(key=key, value=value)
        tensors.append(tensor)
    total = helper.make_node("Sum", [tensor.name for tensor in tensors], ["w"])
    return graph(
        [None, width],
        [total, helper.make_node("MatMul", ["x", "w"], ["s"])],
        [helper.make_tensor_value_info("s", TensorProto.FLOAT, [None, 3])],
        weights=tensors,
    )


WEIGHTS = np.random.default_rng(0).random((64, 3)).astype(np.float32)
SIZE = WEIGHTS.nbytes


def listed(directory: Path, contents: dict[str, bytes]) -> tuple[ModelFile, ...]:
    for name, content in contents.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    return request_for(directory, ModelScanOptions()).files


def loaded(files: tuple[ModelFile, ...], name: str) -> Runner:
    entry = next(entry for entry in find_entries(files) if entry.name == name)
    found = load(entry, features=64, threads=1, safeguards=trusting(frozenset()))
    assert set(found.beside) <= {file.name for file in files}
    return found.runner


def test_external_data_is_given_by_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the worker has it: the directory of the model is nowhere near."""
    content = with_external({"w.data": (4096, SIZE), "sub/more.bin": (0, SIZE)})
    pieces = {"m.onnx": content, "w.data": bytes(4096) + WEIGHTS.tobytes(), "sub/more.bin": WEIGHTS.tobytes()}
    files = listed(tmp_path, {f"deep/{name}": data for name, data in pieces.items()} | {"w.data": b"another"})
    monkeypatch.chdir("/")
    rows = np.random.default_rng(1).random((5, 64))
    assert loaded(files, "deep/m.onnx").scores(rows) == pytest.approx(rows @ (2 * WEIGHTS), rel=1e-5)


@pytest.mark.parametrize(
    ("location", "pieces", "why"),
    [
        ("w.data", {}, "which the model does not have"),
        ("w.data", {"w.data": b"short"}, "cannot be opened by ONNX Runtime"),
        ("w.data", {"w.data": b""}, "cannot be opened by ONNX Runtime"),
        ("../w.data", {"w.data": WEIGHTS.tobytes()}, "which is not inside the model"),
        ("/etc/hostname", {}, "which is not inside the model"),
    ],
    ids=["missing", "short", "empty", "outside", "absolute"],
)
def test_external_data_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str, pieces: dict[str, bytes], why: str
) -> None:
    files = listed(tmp_path / "model", {"m.onnx": with_external({location: (0, SIZE)}), **pieces})
    (tmp_path / "w.data").write_bytes(WEIGHTS.tobytes())
    monkeypatch.chdir(tmp_path)  # where the runtime would look
    with pytest.raises(RunnerError, match=rf"m\.onnx.*{why}"):
        loaded(files, "m.onnx")


def test_a_file_that_cannot_be_walked_is_not_left_to_the_runtime(tmp_path: Path) -> None:
    content = with_external({"w.data": (0, SIZE)}) + b"\xff"
    files = listed(tmp_path, {"m.onnx": content, "w.data": WEIGHTS.tobytes()})
    with pytest.raises(RunnerError, match=r"which other files m\.onnx needs cannot be told"):
        loaded(files, "m.onnx")


def test_a_runtime_that_may_take_external_data_from_elsewhere_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    files = listed(tmp_path, {"m.onnx": with_external({"w.data": (0, SIZE)}), "w.data": WEIGHTS.tobytes()})
    monkeypatch.setattr(onnxruntime, "__version__", "1.21.1")
    with pytest.raises(RunnerError, match=r"\(1\.21\.1\) may take from elsewhere"):
        loaded(files, "m.onnx")


def test_external_data_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    files = listed(tmp_path, {"m.onnx": with_external({"w.data": (0, SIZE)}), "w.data": WEIGHTS.tobytes()})
    (tmp_path / "w.data").unlink()
    with pytest.raises(RunnerError, match=r"external data of m\.onnx cannot be read: No such file"):
        loaded(files, "m.onnx")
