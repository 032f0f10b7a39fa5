"""Rows inside a model's file: found where they are, never where they are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from tests.checks.runners.trained import cancer, digits, digits_mlp, fitted, onnx_bytes

from weighbridge.checks.interface import ModelFile
from weighbridge.checks.leakage.artifact import find_rows
from weighbridge.checks.leakage.object_arrays import contents_of
from weighbridge.checks.leakage.onnx_arrays import onnx_arrays
from weighbridge.checks.leakage.rows import RowIndex, common_rows, tables
from weighbridge.checks.runners.entries import Entry, Loaded
from weighbridge.checks.runners.interface import RunnerError
from weighbridge.checks.runners.sklearn_model import SklearnRunner


def share_in_object(model: Any, data: Any = cancer) -> tuple[float, int]:
    inside, outside, known, _ = data()
    model = fitted(model, inside, known)
    loaded = Loaded(SklearnRunner(model, name="m", features=inside.shape[1], threads=1), model)
    found = find_rows(Entry(ModelFile(name="m", size=0)), loaded, members=inside, non_members=outside)
    assert found.non_members == 0
    return found.members / len(inside), found.arrays


@pytest.mark.parametrize(
    "model",
    [
        KNeighborsClassifier(algorithm="brute"),
        KNeighborsClassifier(algorithm="kd_tree"),
        make_pipeline(StandardScaler(), KNeighborsClassifier()),
        make_pipeline(StandardScaler(), MinMaxScaler(), KNeighborsClassifier()),
        GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [3]}, cv=2),
        GaussianProcessClassifier(max_iter_predict=2, optimizer=None),
    ],
)
def test_models_that_keep_their_data_show_all_of_it(model: Any) -> None:
    assert share_in_object(model)[0] == 1.0


def test_support_vectors_are_part_of_the_data() -> None:
    inside, _, known, _ = cancer()
    support = len(fitted(SVC(), inside, known).support_)
    assert share_in_object(SVC())[0] == pytest.approx(support / len(inside))
    assert 0 < support < len(inside)


@pytest.mark.parametrize("model", [LogisticRegression(), RandomForestClassifier(10, random_state=0)])
def test_models_that_keep_parameters_show_nothing(model: Any) -> None:
    share, arrays = share_in_object(model)
    assert share == 0.0
    assert arrays > 0


def onnx_found(tmp_path: Path, content: bytes, members: Any, others: Any) -> Any:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    loaded = Loaded(SklearnRunner(digits_mlp(), name="unused", features=64, threads=1), None)
    return find_rows(
        Entry(ModelFile(name="m.onnx", size=len(content), path=str(path))), loaded, members=members, non_members=others
    )


def test_onnx_files_show_the_same(tmp_path: Path) -> None:
    inside, outside, known, _ = cancer()
    support = fitted(SVC(), inside, known)
    for model, wanted in (
        (KNeighborsClassifier(), len(inside)),
        (support, len(support.support_)),
        (LogisticRegression(), 0),
    ):
        found = onnx_found(tmp_path, onnx_bytes(fitted(model, inside, known), 30), inside, outside)
        assert (found.members, found.non_members) == (wanted, 0)


def tensor_file(array: Any, **options: Any) -> bytes:
    tensor = numpy_helper.from_array(array, "rows") if not options else helper.make_tensor("rows", **options)
    node = helper.make_node("Identity", ["x"], ["y"])
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    built = helper.make_graph(
        [node], "g", [value], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])], [tensor]
    )
    return bytes(helper.make_model(built).SerializeToString())


ROWS = np.linspace(0, 1, 12).reshape(4, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8, np.uint16, np.int32, np.int64])
def test_reads_raw_tensors_of_every_type(dtype: Any) -> None:
    array = (ROWS * 100).astype(dtype)
    (found,) = onnx_arrays(tensor_file(array))
    assert np.array_equal(found, array)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (TensorProto.FLOAT, ROWS.ravel()),
        (TensorProto.DOUBLE, ROWS.ravel()),
        (TensorProto.INT32, np.arange(-6, 6)),
        (TensorProto.INT64, np.arange(-6, 6)),
        (TensorProto.UINT8, np.arange(12)),
        (TensorProto.FLOAT16, ROWS.ravel()),
        (TensorProto.BFLOAT16, np.arange(12) / 2),
    ],
)
def test_reads_typed_tensors(kind: int, values: Any) -> None:
    (found,) = onnx_arrays(tensor_file(None, data_type=kind, dims=[4, 3], vals=values.tolist()))
    assert found.astype(float) == pytest.approx(values.reshape(4, 3), abs=1e-3)


def test_reads_tensors_in_attributes_and_branches() -> None:
    constant = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(ROWS, "inner"))
    branch = helper.make_graph([constant], "b", [], [helper.make_tensor_value_info("c", TensorProto.DOUBLE, [4, 3])])
    condition = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    built = helper.make_graph([condition], "g", [], [])
    found = onnx_arrays(helper.make_model(built).SerializeToString())
    assert len(found) == 2
    assert all(np.array_equal(array, ROWS) for array in found)


def with_external(**described: str) -> bytes:
    tensor = numpy_helper.from_array(ROWS, "rows")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in described.items():
        tensor.external_data.add(key=key, value=value)
    return bytes(helper.make_model(helper.make_graph([], "g", [], [], [tensor])).SerializeToString())


def beside(folder: Path, **contents: bytes) -> dict[str, ModelFile]:
    found = {}
    for name, content in contents.items():
        path = folder / name
        path.write_bytes(content)
        found[name] = ModelFile(name=name, size=len(content), path=str(path))
    return found


@pytest.mark.parametrize(
    ("described", "before"),
    [
        ({"location": "w"}, 0),
        ({"location": "./w", "offset": "0"}, 0),
        ({"location": "w", "offset": "64", "length": str(ROWS.nbytes)}, 64),
        ({"location": "w", "offset": "64"}, 64),
    ],
)
def test_reads_arrays_in_files_beside_the_model(tmp_path: Path, described: dict[str, str], before: int) -> None:
    files = beside(tmp_path, w=bytes(before) + ROWS.tobytes() + b"more")
    (found,) = onnx_arrays(with_external(**described), beside=files)
    assert np.array_equal(found, ROWS)


@pytest.mark.parametrize(
    ("described", "why"),
    [
        ({"location": "gone"}, "keeps arrays in 'gone', which the model does not have"),
        ({"location": "../w"}, "which the model does not have"),
        ({"location": "/etc/passwd"}, "which the model does not have"),
        ({}, "which the model does not have"),
        ({"location": "w", "offset": "8"}, "up to byte"),
        ({"location": "w", "offset": "-1"}, "expected a number"),
        ({"location": "w", "offset": "99999999999999999999"}, "expected a number"),
        ({"location": "w", "length": "²"}, "expected a number"),
        ({"location": "w", "length": "8"}, "1 values for an array of shape"),
        ({"location": "w", "length": "7"}, "ends within a value"),
    ],
)
def test_refuses_arrays_that_are_not_where_the_model_says(tmp_path: Path, described: dict[str, str], why: str) -> None:
    with pytest.raises(RunnerError, match=why):
        onnx_arrays(with_external(**described), beside=beside(tmp_path, w=ROWS.tobytes()))


def test_says_how_to_save_the_model_as_one_file(tmp_path: Path) -> None:
    with pytest.raises(RunnerError) as raised:
        onnx_arrays(with_external(location="w"))
    assert "external_data=False" in raised.value.remedy
    path = tmp_path / "m.onnx"
    path.write_bytes(with_external(location="w"))
    beside(tmp_path, w=ROWS.tobytes())
    onnx.save(onnx.load(path), tmp_path / "one.onnx")
    (found,) = onnx_arrays((tmp_path / "one.onnx").read_bytes())
    assert np.array_equal(found, ROWS)


def test_refuses_to_read_the_same_bytes_for_array_after_array(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.checks.leakage.external_data.FREE", 0)
    tensor = numpy_helper.from_array(ROWS, "rows")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="w")
    content = helper.make_model(helper.make_graph([], "g", [], [], [tensor] * 5)).SerializeToString()
    with pytest.raises(RunnerError, match="array after array"):
        onnx_arrays(content, beside=beside(tmp_path, w=ROWS.tobytes()))


def test_refuses_nesting_beyond_the_limit() -> None:
    built = helper.make_graph([], "g", [], [])
    for _ in range(20):
        built = helper.make_graph([helper.make_node("If", ["x"], [], then_branch=built)], "g", [], [])
    with pytest.raises(RunnerError, match="nests deeper"):
        onnx_arrays(helper.make_model(built).SerializeToString())


def test_refuses_more_arrays_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.checks.leakage.onnx_arrays.MAX_ARRAYS", 2)
    tensors = [numpy_helper.from_array(ROWS, str(number)) for number in range(3)]
    with pytest.raises(RunnerError, match="more than 2 arrays"):
        onnx_arrays(helper.make_model(helper.make_graph([], "g", [], [], tensors)).SerializeToString())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_onnx_is_refused_or_read_but_never_crashes(data: st.DataObject) -> None:
    content = bytearray(tensor_file(ROWS.astype(np.float32)))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        onnx_arrays(bytes(content[: data.draw(st.integers(0, len(content)))]))
    except RunnerError:
        return


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_read_but_never_crash(content: bytes) -> None:
    try:
        onnx_arrays(content)
    except RunnerError:
        return


def test_rows_are_found_as_rows_columns_pictures_and_flat() -> None:
    for array in (ROWS, ROWS.T, ROWS.reshape(4, 1, 3), ROWS.ravel(), ROWS.T.ravel(), ROWS.astype(np.float32)):
        assert RowIndex(ROWS).found_in([array]) == {0, 1, 2, 3}
    assert RowIndex(ROWS).found_in([ROWS.astype(np.float16)]) == {0, 1, 2, 3}
    assert RowIndex(ROWS).found_in([ROWS + 0.001, np.array(["a"]), np.zeros(2)]) == set()


def test_rows_of_one_value_prove_nothing() -> None:
    assert RowIndex(np.zeros((3, 5))).found_in([np.zeros((9, 5))]) == set()


def test_equal_rows_are_each_counted() -> None:
    twice = np.concatenate([ROWS, ROWS])
    assert RowIndex(twice).found_in([ROWS[:1]]) == {0, 4}


def test_common_rows_ignore_the_sign_of_zero_and_precision() -> None:
    assert common_rows(np.array([[0.0, 0.1]]), np.array([[-0.0, 0.1]], dtype=np.float32)) == 1
    assert common_rows(ROWS, ROWS + 1) == 0


def test_tables_need_whole_rows() -> None:
    assert list(tables(np.arange(7.0), 3)) == []
    assert list(tables(np.zeros((2, 4)), 3)) == []


def test_follows_loops_and_stops_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    loop: dict[str, Any] = {"rows": ROWS, "set": {1, 2}, "view": ROWS.data}
    loop["self"] = [loop, np.array([ROWS, None], dtype=object)]
    assert len(contents_of(loop).arrays) == 2
    monkeypatch.setattr("weighbridge.checks.leakage.object_arrays.MAX_OBJECTS", 2)
    with pytest.raises(RunnerError, match="more than 2 objects"):
        contents_of(loop)


def test_sparse_rows_are_written_out_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy import sparse  # type: ignore[import-untyped]

    assert RowIndex(ROWS).found_in(contents_of([sparse.csr_matrix(ROWS)]).arrays) == {0, 1, 2, 3}
    monkeypatch.setattr("weighbridge.checks.leakage.object_arrays.MAX_DENSE", 11)
    with pytest.raises(RunnerError, match="too large"):
        contents_of([sparse.csr_matrix(ROWS)])


def test_digits_in_nearest_neighbours_are_found_as_pictures() -> None:
    assert share_in_object(KNeighborsClassifier(), digits)[0] == 1.0
