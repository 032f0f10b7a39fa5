"""A model whose classes are text, on data whose labels are text: both checks, in the real worker."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from tests.builders import request_for
from tests.checks.data.formats import picture, picture_folder
from tests.checks.runners.trained import cancer, digits, digits_mlp, fitted, onnx_bytes

from weighbridge.checks.interface import LIMITS, CheckOutput, LeakageOptions, Options, RobustnessOptions
from weighbridge.checks.worker.parent import examine
from weighbridge.evidence.measurements import LeakageMeasurements, RobustnessMeasurements

pytestmark = pytest.mark.landlock

NAMES = np.array(["malignant", "benign"])


def csv(path: Path, x: Any, y: Any) -> Path:
    head = ",".join([*(f"f{place}" for place in range(x.shape[1])), "diagnosis"])
    lines = [",".join([*map(str, row), name]) for row, name in zip(x.tolist(), y.tolist(), strict=True)]
    path.write_text("\n".join([head, *lines]) + "\n")
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a directory with a forest and a linear model that say their classes in words, and rows as CSV."""
    inside, outside, known, unknown = cancer()
    (tmp_path / "model").mkdir()
    forest = fitted(RandomForestClassifier(10, random_state=0), inside, NAMES[known])
    (tmp_path / "model" / "forest.pkl").write_bytes(pickle.dumps(forest))
    linear = fitted(LogisticRegression(), inside, NAMES[known])
    (tmp_path / "model" / "linear.onnx").write_bytes(onnx_bytes(linear, 30))
    csv(tmp_path / "members", inside, NAMES[known])
    csv(tmp_path / "others", outside, NAMES[unknown])
    return tmp_path


def examined(model: Path, options: Options) -> CheckOutput:
    request = request_for(model, options)
    return examine(request, limits=LIMITS[request.check], secrets=()).output


def test_robustness(site: Path) -> None:
    options = RobustnessOptions(data=str(site / "others"), epsilon=0.05, queries=100, samples=60, label="diagnosis")
    output = examined(site / "model", options)
    assert isinstance(output.measurements, RobustnessMeasurements)
    assert {entry.path: entry.correct > 50 for entry in output.measurements.entries} == {
        "forest.pkl": True,
        "linear.onnx": True,
    }
    assert output.measurements.data.label == "diagnosis"


def test_leakage(site: Path) -> None:
    options = LeakageOptions(members=str(site / "members"), non_members=str(site / "others"), rates=(0.05,), label="-1")
    output = examined(site / "model", options)
    assert output.undecided == ()
    assert isinstance(output.measurements, LeakageMeasurements)
    areas = {entry.path: entry.auc for entry in output.measurements.entries}
    assert areas["forest.pkl"] > areas["linear.onnx"] > 0.4


def test_labels_that_the_model_does_not_know_make_it_undecided(site: Path) -> None:
    _, outside, _, unknown = cancer()
    path = csv(site / "other", outside, np.array(["ill", "well"])[unknown])
    output = examined(site / "model", RobustnessOptions(data=str(path), label="diagnosis"))
    reasons = [doubt.reason for doubt in output.undecided]
    assert len(reasons) == 2
    assert all("ill, well of the data are no classes of the model, which knows benign, malignant" in r for r in reasons)


def test_an_onnx_that_names_classes_beside_a_plain_table_is_undecided(site: Path) -> None:
    inside, _, known, _ = cancer()
    linear = fitted(LogisticRegression(), inside, NAMES[known])
    (site / "model" / "linear.onnx").write_bytes(onnx_bytes(linear, 30, zipmap=False))
    output = examined(site / "model", RobustnessOptions(data=str(site / "others"), label="-1", queries=70, samples=60))
    assert any("which score belongs to which name cannot be told" in doubt.reason for doubt in output.undecided)


def test_a_folder_of_pictures_tests_a_model_that_numbers_its_classes(tmp_path: Path) -> None:
    _, outside, _, unknown = digits()
    pictures = {
        f"{label}/{place}.png": picture(np.round(row.reshape(8, 8) * 255))
        for place, (row, label) in enumerate(zip(outside[:120], unknown[:120], strict=True))
    }
    picture_folder(tmp_path / "pictures", pictures)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "m.onnx").write_bytes(onnx_bytes(digits_mlp(), 64, zipmap=False))
    options = RobustnessOptions(data=str(tmp_path / "pictures"), epsilon=0.05, queries=130, samples=100)
    output = examined(tmp_path / "model", options)
    assert isinstance(output.measurements, RobustnessMeasurements)
    assert output.measurements.entries[0].correct > 85
    assert output.measurements.data.kind == "pictures"
