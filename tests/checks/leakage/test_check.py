"""The leakage check from request to output."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from onnx import TensorProto, helper
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from tests.builders import request_for
from tests.checks.runners.trained import digits, digits_mlp, fitted, globals_of, onnx_bytes, save_examples, trusting

from weighbridge.checks.interface import CheckOutput, LeakageOptions
from weighbridge.checks.leakage import check
from weighbridge.checks.runners.controls import REMEDIES
from weighbridge.evidence.measurements import LeakageMeasurements


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with members, non-members and an empty model directory."""
    inside, outside, known, unknown = digits()
    (tmp_path / "model").mkdir()
    save_examples(tmp_path / "members.npz", inside, known)
    save_examples(tmp_path / "others.npz", outside, unknown)
    return tmp_path


def put(directory: Path, name: str, model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    content = pickle.dumps(model)
    (directory / "model" / name).write_bytes(content)
    safeguards = trusting(globals_of(content))
    monkeypatch.setattr(check, "worker_safeguards", lambda: safeguards)


def run(directory: Path, **options: Any) -> CheckOutput:
    paths = {"members": str(directory / "members.npz"), "non_members": str(directory / "others.npz")}
    return check.run(request_for(directory / "model", LeakageOptions(**(paths | options))))


def measured(output: CheckOutput) -> LeakageMeasurements:
    assert isinstance(output.measurements, LeakageMeasurements)
    return output.measurements


def test_honest_network_leaks_little(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(directory, "m.pkl", digits_mlp(), monkeypatch)
    (directory / "model" / "m.onnx").write_bytes(onnx_bytes(digits_mlp(), 64, zipmap=False))
    output = run(directory)
    assert output.findings == ()
    assert output.undecided == ()
    first, second = measured(output).entries
    assert (first.path, second.path) == ("m.onnx", "m.pkl")
    assert first.auc == pytest.approx(second.auc, abs=1e-3)
    assert [(rate.fpr, rate.confidence) for rate in first.rates] == [
        (fpr, confidence) for fpr in (0.01, 0.05, 0.1) for confidence in (0.9, 0.95, 0.99)
    ]
    assert all(rate.upper < rate.fpr + 0.12 for rate in first.rates)
    assert first.verbatim_training_rows == 0
    assert first.arrays_examined > 3
    assert first.rows_looked_up == len(digits()[0])
    assert [(control.name, control.held) for control in first.controls] == [
        ("classes-match-labels", True),
        ("answers-repeat", True),
        ("decisions-agree-with-scores", True),
    ]
    assert measured(output).members.rows == len(digits()[0])


def test_output_survives_the_wire(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(directory, "m.pkl", digits_mlp(), monkeypatch)
    output = run(directory)
    assert msgspec.json.decode(msgspec.json.encode(output), type=CheckOutput) == output


def test_model_that_knows_its_rows_by_heart_is_seen(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, _, known, _ = digits()
    noisy = np.random.default_rng(0).permutation(known)
    save_examples(directory / "members.npz", inside, noisy)
    model = fitted(RandomForestClassifier(30, bootstrap=False, random_state=0), inside, noisy)
    put(directory, "m.pkl", model, monkeypatch)
    entry = measured(run(directory)).entries[0]
    assert entry.auc > 0.95
    assert min(rate.lower for rate in entry.rates) > 0.5


def test_nearest_neighbours_keep_every_row(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, _, known, _ = digits()
    put(directory, "m.pkl", fitted(KNeighborsClassifier(), inside, known), monkeypatch)
    output = run(directory)
    assert [finding.rule for finding in output.findings] == ["training-rows-in-artifact"]
    assert measured(output).entries[0].verbatim_training_rows == len(inside)
    assert output.undecided == ()


def test_rows_beside_what_is_measured_are_not_passed_over(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(directory, "model.pkl", digits_mlp(), monkeypatch)
    np.save(directory / "model" / "train.npy", np.zeros((3, 2)))
    assert "train.npy" in [doubt.location for doubt in run(directory).undecided]


def test_training_rows_in_a_text_of_the_model_are_undecided(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(directory, "model.pkl", digits_mlp(), monkeypatch)
    np.savetxt(directory / "model" / "train.csv", digits()[0][:5], delimiter=",", fmt="%.4f")
    assert "train.csv" in [doubt.location for doubt in run(directory).undecided]


def test_non_members_inside_the_file_are_undecided(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside, known, unknown = digits()
    everything = fitted(KNeighborsClassifier(), np.concatenate([inside, outside]), np.concatenate([known, unknown]))
    put(directory, "m.pkl", everything, monkeypatch)
    output = run(directory)
    assert len(output.undecided) == 1
    assert "non-members lie inside" in output.undecided[0].reason


def test_overlap_is_undecided(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(directory, "m.pkl", digits_mlp(), monkeypatch)
    inside, outside, known, unknown = digits()
    # One row of the other side, and as single instead of double.
    save_examples(
        directory / "others.npz",
        np.concatenate([outside, inside[5:6]]).astype(np.float32),
        np.concatenate([unknown, known[5:6]]),
    )
    output = run(directory)
    assert output.measurements is None
    assert "1 of the" in output.undecided[0].reason


@pytest.mark.parametrize(
    ("count", "rates", "said"),
    [(99, (0.01,), "too few for a false-positive rate"), (19, (0.1,), "are too few; at least")],
)
def test_too_few_rows_are_undecided(
    directory: Path, monkeypatch: pytest.MonkeyPatch, count: int, rates: tuple[float, ...], said: str
) -> None:
    put(directory, "m.pkl", digits_mlp(), monkeypatch)
    _, outside, _, unknown = digits()
    save_examples(directory / "others.npz", outside[:count], unknown[:count])
    output = run(directory, rates=rates)
    assert output.measurements is None
    assert said in output.undecided[0].reason


def test_other_number_of_features_is_undecided(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(directory, "m.pkl", digits_mlp(), monkeypatch)
    _, outside, _, unknown = digits()
    save_examples(directory / "others.npz", outside[:, :60], unknown)
    assert "64 numbers" in run(directory).undecided[0].reason


def test_labels_that_are_no_classes_and_broken_files_are_undecided(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(directory, "m.pkl", digits_mlp(), monkeypatch)
    (directory / "model" / "broken.onnx").write_bytes(b"nothing")
    _, outside, _, unknown = digits()
    save_examples(directory / "others.npz", outside, unknown + 10)
    output = run(directory)
    assert {doubt.location for doubt in output.undecided} == {"broken.onnx", "m.pkl"}
    assert measured(output).entries == ()


def test_model_without_entry_is_undecided(directory: Path) -> None:
    output = run(directory)
    assert "no file that can be run" in output.undecided[0].reason
    assert output.measurements is None


def two_heads(*, scores: list[float], alone: bool = False) -> bytes:
    """Return a model whose label is true of the first four inputs, and whose scores come from other weights.

    With ``alone`` the scores of a row that is asked alone are reversed.
    """
    sign = helper.make_tensor("sign", TensorProto.FLOAT, [1], [-1.0 if alone else 1.0])
    numbers = [
        helper.make_tensor("w", TensorProto.FLOAT, [6, 2], [1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0]),
        helper.make_tensor("s", TensorProto.FLOAT, [6, 2], scores),
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("unit", TensorProto.FLOAT, [1], [1.0]),
        sign,
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["true"]),
        helper.make_node("ArgMax", ["true"], ["label"], axis=1, keepdims=0),
        helper.make_node("Shape", ["x"], ["n"], start=0, end=1),
        helper.make_node("Equal", ["n", "one"], ["single"]),
        helper.make_node("Where", ["single", "sign", "unit"], ["factor"]),
        helper.make_node("MatMul", ["x", "s"], ["other"]),
        helper.make_node("Mul", ["other", "factor"], ["scaled"]),
        helper.make_node("Softmax", ["scaled"], ["scores"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 6])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [None, 2]),
        ],
        numbers,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = made.SerializeToString()
    return content


@pytest.fixture
def remembered(tmp_path: Path) -> Path:
    """Return a directory in which the label of ``two_heads`` is right on every member and wrong on every other row."""
    rng = np.random.default_rng(0)
    for name in ("members", "others"):
        x = rng.uniform(0, 1, (3000, 6)).astype(np.float32)
        y = (x[:, [0, 2]].sum(axis=1) < x[:, [1, 3]].sum(axis=1)).astype(np.int64)
        save_examples(tmp_path / f"{name}.npz", x, y if name == "members" else 1 - y)
    (tmp_path / "model").mkdir()
    return tmp_path


def test_leakage_of_a_model_whose_scores_say_nothing_is_undecided(remembered: Path) -> None:
    (remembered / "model" / "m.onnx").write_bytes(two_heads(scores=[0.0] * 8 + [1.0, 0.0, 0.0, 1.0]))
    output = run(remembered)
    entry = measured(output).entries[0]
    assert [control.name for control in entry.controls if not control.held] == ["decisions-agree-with-scores"]
    assert output.undecided[0].remedy == REMEDIES["decisions-agree-with-scores"]
    assert min(rate.lower for rate in entry.rates) > 0.99, "labels alone tell all there is"


def test_an_answer_that_depends_on_the_company_of_a_row_is_undecided(remembered: Path) -> None:
    (remembered / "model" / "m.onnx").write_bytes(two_heads(scores=[1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0], alone=True))
    entry = measured(run(remembered)).entries[0]
    assert [control.name for control in entry.controls if not control.held] == ["answers-repeat"]


def test_rows_of_one_value_are_not_looked_up(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(directory, "m.pkl", digits_mlp(), monkeypatch)
    inside, _, known, _ = digits()
    save_examples(directory / "members.npz", np.concatenate([inside, np.zeros((1, 64))]), np.append(known, 0))
    assert measured(run(directory)).entries[0].rows_looked_up == len(inside)
