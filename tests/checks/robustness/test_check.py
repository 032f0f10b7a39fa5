"""The robustness check from request to output."""

from __future__ import annotations

import base64
import pickle
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.builders import request_for
from tests.checks.robustness.truth import FunctionRunner, setting_of
from tests.checks.runners.trained import (
    cancer,
    digits,
    digits_mlp,
    fitted,
    globals_of,
    onnx_bytes,
    save_examples,
    trusting,
)

from weighbridge.checks.interface import CheckOutput, RobustnessOptions
from weighbridge.checks.robustness import check
from weighbridge.checks.robustness.measure import measure
from weighbridge.checks.robustness.pictures import can_show, encode
from weighbridge.checks.runners.unmeasured import MAX_TEXT_BYTES
from weighbridge.evidence.measurements import RobustnessMeasurements


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a model directory with the network as ONNX and as a pickle."""
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "digits.onnx").write_bytes(onnx_bytes(digits_mlp(), 64, zipmap=False))
    (directory / "digits.pkl").write_bytes(pickle.dumps(digits_mlp()))
    (directory / "labels.txt").write_text("0-9")
    return directory


@pytest.fixture(autouse=True)
def _safeguards(monkeypatch: pytest.MonkeyPatch) -> None:
    safeguards = trusting(globals_of(pickle.dumps(digits_mlp())))
    monkeypatch.setattr(check, "worker_safeguards", lambda: safeguards)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return 200 digits as pictures."""
    _, outside, _, unknown = digits()
    return save_examples(tmp_path / "test.npz", outside[:250].reshape(-1, 8, 8), unknown[:250])


def run(model: Path, data: Path, **options: Any) -> CheckOutput:
    return check.run(request_for(model, RobustnessOptions(data=str(data), **options)))


def measured(output: CheckOutput) -> RobustnessMeasurements:
    assert isinstance(output.measurements, RobustnessMeasurements)
    return output.measurements


def test_measures_every_entry_alike(model: Path, data: Path) -> None:
    output = run(model, data)
    result = measured(output)
    assert output.undecided == ()
    assert output.findings == ()
    assert [(entry.path, entry.framework) for entry in result.entries] == [
        ("digits.onnx", "onnxruntime"),
        ("digits.pkl", "scikit-learn"),
    ]
    first, second = result.entries
    assert first.examples == second.examples == 200
    assert first.correct == second.correct
    assert abs(first.survived - second.survived) <= 3
    assert result.data.rows == 250
    assert result.data.name == "test.npz"
    assert result.queries_per_example == 1000


def test_output_survives_the_wire(model: Path, data: Path) -> None:
    output = run(model, data, queries=200)
    assert msgspec.json.decode(msgspec.json.encode(output), type=CheckOutput) == output


def test_shows_broken_pictures_within_epsilon(model: Path, data: Path) -> None:
    entry = measured(run(model, data, queries=200)).entries[0]
    assert len(entry.pictures) == 8
    for shown in entry.pictures:
        clean, changed = (np.frombuffer(base64.b64decode(each), np.uint8) for each in (shown.clean, shown.adversarial))
        assert len(clean) == shown.height * shown.width == 64
        assert np.abs(clean.astype(int) - changed).max() <= 0.1 * 255 + 1
        assert shown.clean_prediction == shown.label != shown.adversarial_prediction


def test_reports_a_limit_that_is_surely_missed(model: Path, data: Path) -> None:
    output = run(model / "digits.onnx", data, epsilon=0.2, at_least=0.6)
    assert [finding.rule for finding in output.findings] == ["accuracy-under-attack-below-limit"]
    assert output.findings[0].location == "digits.onnx"
    assert output.undecided == ()


@pytest.mark.parametrize("at_least", [None, 0.05])
def test_reports_no_finding_without_or_within_the_limit(model: Path, data: Path, at_least: float | None) -> None:
    assert run(model / "digits.onnx", data, queries=200, at_least=at_least).findings == ()


def test_finding_needs_the_whole_bound_below_the_limit(model: Path, data: Path) -> None:
    entry = measured(run(model / "digits.onnx", data)).entries[0]
    share = entry.survived / entry.examples
    assert run(model / "digits.onnx", data, at_least=share + 0.02).findings == ()
    assert len(run(model / "digits.onnx", data, at_least=share + 0.1).findings) == 1


def test_one_entry_that_cannot_be_loaded_makes_it_undecided_and_the_rest_is_measured(model: Path, data: Path) -> None:
    (model / "broken.onnx").write_bytes(b"nothing")
    output = run(model, data, queries=200)
    assert {doubt.location for doubt in output.undecided} >= {"broken.onnx"}
    assert len(measured(output).entries) == 2


def test_failed_control_is_undecided_at_its_entry(model: Path, data: Path) -> None:
    output = run(model / "digits.onnx", data, queries=50)
    assert [doubt.location for doubt in output.undecided] == ["digits.onnx"]
    assert "budget-covers-input" in output.undecided[0].reason
    assert measured(output).entries[0].examples == 0


def test_model_without_entry_and_unusable_data_are_undecided(tmp_path: Path, model: Path, data: Path) -> None:
    empty = tmp_path / "weights"
    empty.mkdir()
    (empty / "w.safetensors").write_bytes(b"x")
    for output in (run(empty, data), run(model, tmp_path / "absent.npz")):
        assert len(output.undecided) == 1
        assert output.measurements is None


@pytest.mark.parametrize("served", ["model.safetensors", "model.pt", "weights.bin", "digits.onnx.bak", "model.json"])
def test_a_robust_decoy_beside_what_is_served_is_not_the_model(model: Path, data: Path, served: str) -> None:
    (model / served).write_bytes((8).to_bytes(8, "little") + b'{"a":{}}')
    assert [(doubt.location, doubt.reason[:26]) for doubt in run(model, data).undecided] == [
        (served, "this file was not measured")
    ]


@pytest.mark.parametrize("size", [MAX_TEXT_BYTES, MAX_TEXT_BYTES + 1])
def test_text_beside_what_is_measured_is_no_model(model: Path, data: Path, size: int) -> None:
    (model / "tokenizer.json").write_text("ß" + ("a word " * size)[: size - 2], encoding="utf-8")
    (model / "settings.bin").write_text("a: 1\r\n\tb: 2\f")
    assert [doubt.location for doubt in run(model, data).undecided] == ["tokenizer.json"] * (size > MAX_TEXT_BYTES)


def test_tabular_data_has_no_pictures(tmp_path: Path) -> None:
    inside, outside, known, unknown = cancer()
    from sklearn.linear_model import LogisticRegression

    fit = fitted(LogisticRegression(), inside, known)
    (tmp_path / "m.onnx").write_bytes(onnx_bytes(fit, 30, zipmap=True))
    data = save_examples(tmp_path / "d.npz", outside, unknown)
    output = run(tmp_path / "m.onnx", data, epsilon=0.05, queries=300)
    assert output.undecided == ()
    assert measured(output).entries[0].pictures == ()
    assert 0 < measured(output).entries[0].survived < measured(output).entries[0].correct


def test_bounds_of_the_data_are_used(tmp_path: Path, model: Path) -> None:
    _, outside, _, unknown = digits()
    data = save_examples(tmp_path / "d.npz", outside[:100] - 0.5, unknown[:100], bounds=np.array([-0.5, 0.5]))
    result = measured(run(model / "digits.onnx", data, queries=200))
    assert result.bounds == (-0.5, 0.5)


def test_figures_do_not_depend_on_the_unit_of_the_inputs() -> None:
    _, outside, _, unknown = digits()
    x, y = outside[:80], unknown[:80]
    plain = FunctionRunner(digits_mlp().predict_proba, 10)
    wide = FunctionRunner(lambda batch: digits_mlp().predict_proba((batch + 8) / 16), 10)
    first = measure(plain, "m", setting_of(x, y, epsilon=0.125))
    second = measure(wide, "m", setting_of(x * 16 - 8, y, epsilon=2.0, bounds=(-8.0, 8.0)))
    assert (first.correct, first.survived) == (second.correct, second.survived)


def test_pictures_are_shown_only_when_grey_square_and_small() -> None:
    assert can_show((1, 64, 64))
    assert not can_show((3, 8, 8))
    assert not can_show((1, 8, 9))
    assert not can_show((1, 65, 65))
    assert not can_show(None)
    assert base64.b64decode(encode(np.array([-1.0, 0.0, 3.0]), (-1.0, 3.0))) == bytes([0, 64, 255])


def test_epsilon_is_a_share_of_the_range_of_the_inputs(tmp_path: Path) -> None:
    """The same network on pixels up to 255 is attacked as hard as on pixels up to 1."""
    from skl2onnx import to_onnx
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = load_digits(return_X_y=True)
    survived = {}
    for top in (1.0, 255.0):
        pixels = (x / 16 * top).astype(np.float32)
        directory = tmp_path / str(top)
        directory.mkdir()
        trained = make_pipeline(StandardScaler(), LogisticRegression()).fit(pixels[:800], y[:800])
        graph = to_onnx(trained, pixels[:1], options={"zipmap": False})
        (directory / "model.onnx").write_bytes(graph.SerializeToString())
        np.savez(tmp_path / f"{top}.npz", x=pixels[800:900], y=y[800:900], bounds=np.array([0.0, top]))
        found = measured(run(directory, tmp_path / f"{top}.npz", epsilon=0.05, queries=300, samples=100))
        survived[top] = found.entries[0].survived
        assert found.epsilon == 0.05
    assert 0 < survived[1.0] < 85
    assert abs(survived[1.0] - survived[255.0]) <= 3
