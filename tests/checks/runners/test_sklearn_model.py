"""scikit-learn as a runner, and loading it from pickles and joblib files under an allow list."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import SVC
from tests.builders import request_for
from tests.checks.runners.trained import cancer, digits, digits_mlp, fitted, globals_of, onnx_bytes, trusting

from weighbridge.checks.interface import ModelFile, ModelScanOptions
from weighbridge.checks.runners.entries import Entry, Safeguards, find_entries, load
from weighbridge.checks.runners.interface import RunnerError
from weighbridge.checks.runners.joblib_stream import is_joblib, load_joblib
from weighbridge.checks.runners.sklearn_model import SklearnRunner
from weighbridge.checks.runners.unpickle import load_pickle

JOBLIB_GLOBALS = {("numpy", "ndarray"), ("numpy", "dtype")}


def runner_of(model: object, *, features: int = 30) -> SklearnRunner:
    return SklearnRunner(model, name="m.pkl", features=features, threads=1)


def entry_of(path: Path, content: bytes) -> Entry:
    path.write_bytes(content)
    return Entry(ModelFile(name=path.name, size=len(content), path=str(path)))


def files_of(model: Path) -> tuple[ModelFile, ...]:
    return request_for(model, ModelScanOptions()).files


def joblib_bytes(model: object, **options: Any) -> bytes:
    stream = io.BytesIO()
    joblib.dump(model, stream, **options)
    return stream.getvalue()


def test_uses_probabilities_where_there_are_some() -> None:
    inside, outside, known, _ = cancer()
    model = fitted(LogisticRegression(), inside, known)
    assert runner_of(model).scores(outside) == pytest.approx(model.predict_proba(outside))


def test_makes_two_columns_of_a_binary_decision() -> None:
    inside, outside, known, _ = cancer()
    model = fitted(SVC(), inside, known)
    scores = runner_of(model).scores(outside)
    assert np.array_equal(scores[:, 1], model.decision_function(outside))
    assert np.array_equal(runner_of(model).classes[scores.argmax(axis=1)], model.predict(outside))


def test_keeps_labels_that_do_not_start_at_zero() -> None:
    inside, outside, known, _ = cancer()
    runner = runner_of(fitted(LogisticRegression(), inside, known * 5 - 3))
    assert runner.classes.tolist() == [-3, 2]
    assert set(runner.labels(outside).tolist()) == {-3, 2}  # type: ignore[union-attr]


def test_ignores_the_number_of_jobs_that_a_model_brings(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside, known, _ = cancer()
    model = fitted(RandomForestClassifier(5, n_jobs=8, random_state=0), inside, known)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a pool was opened")

    monkeypatch.setattr("joblib._parallel_backends.ThreadingBackend.configure", refuse)
    assert runner_of(model).scores(outside).shape == (len(outside), 2)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"not": "a model"}, "expected a scikit-learn classifier"),
        (LinearRegression(), "expected a scikit-learn classifier"),
        (LogisticRegression(), "fitted"),
    ],
)
def test_refuses_what_is_no_fitted_classifier(model: object, said: str) -> None:
    with pytest.raises(RunnerError, match=said):
        runner_of(model)


def test_refuses_other_number_of_features() -> None:
    inside, _, known, _ = cancer()
    with pytest.raises(RunnerError, match="wants 30 features"):
        runner_of(fitted(LogisticRegression(), inside, known), features=29)


@pytest.mark.parametrize("kind", [str, object])
def test_classes_that_are_text_are_numbered_in_the_order_of_their_columns(kind: type) -> None:
    inside, outside, known, _ = cancer()
    runner = runner_of(fitted(LogisticRegression(), inside, np.where(known, "good", "bad").astype(kind)))
    assert runner.names == ("bad", "good")
    assert runner.classes.tolist() == [0, 1]
    answers = runner.answers(outside)
    assert not answers.contradict(runner.classes).any()
    assert set(answers.decided(runner.classes).tolist()) == {0, 1}


def test_turns_what_a_broken_model_raises_into_a_runner_error() -> None:
    inside, outside, known, _ = cancer()
    model = fitted(LogisticRegression(), inside, known)
    runner = runner_of(model)
    del model.coef_
    with pytest.raises(RunnerError, match="failed while it was run"):
        runner.scores(outside)


def test_refuses_models_with_several_outputs_or_pairwise_scores() -> None:
    inside, _, known, _ = cancer()
    several = fitted(RandomForestClassifier(2, random_state=0), inside, np.stack([known, known], axis=1))
    with pytest.raises(RunnerError, match="classes"):
        runner_of(several)
    digits_in, digits_out, labels, _ = digits()
    pairwise = runner_of(fitted(SVC(decision_function_shape="ovo"), digits_in, labels), features=64)
    with pytest.raises(RunnerError, match="45 scores for 10 classes"):
        pairwise.scores(digits_out)


def test_turns_attributes_that_raise_into_a_runner_error() -> None:
    inside, _, known, _ = cancer()
    model = fitted(LogisticRegression(), inside, known)
    model.classes_ = [np.zeros(2), np.zeros(3)]
    with pytest.raises(RunnerError, match="cannot be examined"):
        runner_of(model)


def test_loads_a_pickle_that_asks_for_allowed_globals_only(tmp_path: Path) -> None:
    content = pickle.dumps(digits_mlp())
    loaded = load(
        entry_of(tmp_path / "m.pkl", content), features=64, threads=1, safeguards=trusting(globals_of(content))
    )
    rows = digits()[1][:20]
    assert loaded.runner.framework == "scikit-learn"
    assert np.array_equal(loaded.runner.scores(rows), digits_mlp().predict_proba(rows))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_loads_pickles_of_every_protocol_that_names_modules_by_either_name(protocol: int) -> None:
    content = pickle.dumps([{1, 2}, np.arange(3), np.float64(2)], protocol=protocol)
    wanted = globals_of(content) | {("__builtin__", "set"), ("_codecs", "encode")}
    if protocol == 2:
        assert b"__builtin__" in content
        with pytest.raises(RunnerError, match="__builtin__"):
            load_pickle(content, allowed=wanted - {("__builtin__", "set")})
    loaded = load_pickle(content, allowed=frozenset(wanted))
    assert isinstance(loaded, list)
    assert loaded[0] == {1, 2}
    assert loaded[1].tolist() == [0, 1, 2]


def test_refuses_one_global_that_is_not_allowed() -> None:
    content = pickle.dumps(digits_mlp())
    wanted = globals_of(content)
    for missing in sorted(wanted):
        with pytest.raises(RunnerError, match="not on the allow list"):
            load_pickle(content, allowed=wanted - {missing})


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("write", [pickle.dumps, joblib_bytes])
def test_never_calls_what_is_not_allowed(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "touched"
    content = write([np.zeros(3), Touch(path)])
    read = load_joblib if is_joblib(content) else load_pickle
    with pytest.raises(RunnerError, match="not on the allow list"):
        read(content, allowed=frozenset(JOBLIB_GLOBALS | {("numpy._core.numeric", "_frombuffer")}))
    assert not path.exists()


def test_refuses_a_dotted_name_even_where_it_is_listed() -> None:
    content = b"\x80\x04\x8c\x05numpy\x94\x8c\x0dndarray.dtype\x93."
    with pytest.raises(RunnerError, match="not on the allow list"):
        load_pickle(
            content,
            allowed=frozenset({("numpy", "ndarray.dtype")}),
        )


def test_refuses_a_pickle_in_a_process_that_is_not_confined(tmp_path: Path) -> None:
    content = pickle.dumps(digits_mlp())
    open_door = Safeguards(confined=lambda: False, is_clean=lambda *_: True, allowed=lambda: globals_of(content))
    with pytest.raises(RunnerError, match="not confined") as refusal:
        load(entry_of(tmp_path / "m.pkl", content), features=64, threads=1, safeguards=open_door)
    assert "Landlock" in refusal.value.remedy


def test_refuses_a_pickle_that_the_scan_does_not_find_clean(tmp_path: Path) -> None:
    content = pickle.dumps(digits_mlp())
    unclean = Safeguards(confined=lambda: True, is_clean=lambda *_: False, allowed=lambda: globals_of(content))
    with pytest.raises(RunnerError, match="did not find m"):
        load(entry_of(tmp_path / "m.pkl", content), features=64, threads=1, safeguards=unclean)


@pytest.mark.parametrize("model", [LogisticRegression(), RandomForestClassifier(3, random_state=0), SVC()])
def test_loads_joblib_files_as_joblib_does(tmp_path: Path, model: Any) -> None:
    inside, outside, known, _ = cancer()
    model = fitted(model, inside, known)
    content = joblib_bytes(model)
    assert is_joblib(content)
    allowed = globals_of(pickle.dumps(model)) | JOBLIB_GLOBALS
    entry = entry_of(tmp_path / "m.joblib", content)
    loaded = load(entry, features=30, threads=1, safeguards=trusting(frozenset(allowed)))
    theirs = joblib.load(entry.file.path)
    assert np.array_equal(loaded.runner.scores(outside), runner_of(theirs).scores(outside))


@pytest.mark.parametrize("array", [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.ones((3, 2))), np.zeros((0, 4))])
def test_reads_joblib_arrays_of_every_order(array: Any) -> None:
    found = load_joblib(joblib_bytes([array, 7]), allowed=frozenset(JOBLIB_GLOBALS))
    assert isinstance(found, list)
    assert np.array_equal(found[0], array)
    assert found[1] == 7


WITH_TEXT = frozenset({*JOBLIB_GLOBALS, *globals_of(pickle.dumps(np.array(["a"], dtype=object)))})


def test_reads_joblib_arrays_of_text_which_classes_from_a_data_frame_are() -> None:
    names = np.array(["benign", "malignant"], dtype=object)
    found: Any = load_joblib(joblib_bytes([names, 7]), allowed=WITH_TEXT)
    assert found[0].tolist() == names.tolist()
    assert found[1] == 7


def test_refuses_globals_within_joblib_arrays_of_text() -> None:
    content = joblib_bytes(np.array(["a", Path()], dtype=object))
    with pytest.raises(RunnerError, match=r"pathlib.*not on the allow list"):
        load_joblib(content, allowed=WITH_TEXT)


def test_refuses_joblib_object_arrays() -> None:
    content = joblib_bytes(np.array([{}, []], dtype=object))
    with pytest.raises(RunnerError, match="plain values or text"):
        load_joblib(content, allowed=WITH_TEXT)


def test_refuses_joblib_file_that_ends_within_an_array() -> None:
    with pytest.raises(RunnerError):
        load_joblib(joblib_bytes(np.arange(1000.0))[:4000], allowed=frozenset(JOBLIB_GLOBALS))


@pytest.mark.parametrize("read", [load_pickle, load_joblib])
def test_refuses_bytes_after_the_end(read: Any) -> None:
    with pytest.raises(RunnerError, match="bytes follow"):
        read(pickle.dumps([1]) + b"x", allowed=frozenset())


def test_refuses_compressed_joblib(tmp_path: Path) -> None:
    entry = entry_of(tmp_path / "m.joblib", joblib_bytes(np.zeros(4), compress=3))
    with pytest.raises(RunnerError, match="compressed"):
        load(entry, features=4, threads=1, safeguards=trusting(frozenset()))


@pytest.mark.parametrize("read", [load_pickle, load_joblib])
@pytest.mark.parametrize(
    "content",
    [
        # A memo number, a byte array, a text and a frame that promise gigabytes.
        b"\x80\x04]r\x00\xff\xff\x7f\x8c\x01a0.",
        b"\x80\x05\x96" + (2**36).to_bytes(8, "little") + b"abc.",
        b"\x80\x04\x8d" + (2**36).to_bytes(8, "little") + b"abc.",
        b"\x80\x04\x95" + (2**36).to_bytes(8, "little") + b"]x.",
    ],
)
def test_takes_no_memory_for_what_a_pickle_only_promises(read: Any, content: bytes) -> None:
    import tracemalloc

    tracemalloc.start()
    try:
        with contextlib.suppress(RunnerError):
            read(content, allowed=frozenset())
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_pickles_are_refused_or_loaded_but_never_reach_other_globals(data: st.DataObject) -> None:
    content = bytearray(joblib_bytes([np.arange(5), {"a": 1}, "text"]))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    for read in (load_pickle, load_joblib):
        try:
            read(bytes(content), allowed=frozenset(JOBLIB_GLOBALS))
        except RunnerError:
            continue


def test_finds_every_loadable_file_sorted(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.onnx", "a.PKL", "sub/c.pickle", "sub/d.joblib", "notes.txt", "weights.safetensors"):
        (tmp_path / name).write_bytes(b"x")
    assert [entry.name for entry in find_entries(files_of(tmp_path))] == [
        "a.PKL",
        "b.onnx",
        "sub/c.pickle",
        "sub/d.joblib",
    ]
    assert [entry.name for entry in find_entries(files_of(tmp_path / "b.onnx"))] == ["b.onnx"]


def test_refuses_model_without_loadable_file_or_with_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(RunnerError, match="no file that can be run"):
        find_entries(files_of(tmp_path))
    (tmp_path / "a.onnx").write_bytes(b"x")
    (tmp_path / "b.onnx").write_bytes(b"x")
    monkeypatch.setattr("weighbridge.checks.runners.entries.MAX_ENTRIES", 1)
    with pytest.raises(RunnerError, match="at most 1"):
        find_entries(files_of(tmp_path))


def test_reports_missing_libraries_as_undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    entry = entry_of(tmp_path / "m.onnx", onnx_bytes(digits_mlp(), 64))
    monkeypatch.delitem(sys.modules, "weighbridge.checks.runners.onnx_model", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(RunnerError, match="not installed") as refusal:
        load(entry, features=64, threads=1, safeguards=trusting(frozenset()))
    assert "weighbridge[onnx]" in refusal.value.remedy
