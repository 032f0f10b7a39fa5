"""Both checks in the real worker: what a confined process can still load and run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tests.builders import request_for
from tests.checks.runners.trained import cancer, fitted, onnx_bytes, save_examples

from weighbridge.checks.interface import LIMITS, CheckOutput, LeakageOptions, Options, RobustnessOptions
from weighbridge.checks.worker.parent import examine
from weighbridge.evidence.measurements import LeakageMeasurements, RobustnessMeasurements

pytestmark = pytest.mark.landlock

MODELS: dict[str, Any] = {
    "forest.pkl": RandomForestClassifier(10, random_state=0, n_jobs=2),
    "boosting.pkl": HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "neighbours.joblib": make_pipeline(StandardScaler(), KNeighborsClassifier()),
    "vectors.pickle": SVC(),
    "linear.onnx": LogisticRegression(),
}


def write(path: Path, model: Any) -> None:
    if path.suffix == ".onnx":
        path.write_bytes(onnx_bytes(model, 30))
    elif path.suffix == ".joblib":
        joblib.dump(model, path)
    else:
        path.write_bytes(pickle.dumps(model))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Return a directory with one model of every kind and its data."""
    inside, outside, known, unknown = cancer()
    (tmp_path / "model").mkdir()
    for name, model in MODELS.items():
        write(tmp_path / "model" / name, fitted(model, inside, known))
    save_examples(tmp_path / "members.npz", inside, known)
    save_examples(tmp_path / "others.npz", outside, unknown)
    return tmp_path


def examined(directory: Path, options: Options) -> CheckOutput:
    request = request_for(directory / "model", options)
    return examine(request, limits=LIMITS[request.check], secrets=()).output


def test_every_kind_of_model_is_attacked(directory: Path) -> None:
    options = RobustnessOptions(data=str(directory / "others.npz"), epsilon=0.05, queries=100, samples=60)
    output = examined(directory, options)
    assert isinstance(output.measurements, RobustnessMeasurements)
    assert {entry.path for entry in output.measurements.entries} == set(MODELS)
    assert all(entry.correct > 50 for entry in output.measurements.entries)
    assert all("control" in doubt.reason for doubt in output.undecided)


def test_every_kind_of_model_is_examined_for_leaks(directory: Path) -> None:
    options = LeakageOptions(
        members=str(directory / "members.npz"), non_members=str(directory / "others.npz"), rates=(0.05,)
    )
    output = examined(directory, options)
    assert output.undecided == ()
    assert isinstance(output.measurements, LeakageMeasurements)
    rows = {entry.path: entry.verbatim_training_rows for entry in output.measurements.entries}
    assert rows["neighbours.joblib"] == len(cancer()[0])
    assert 0 < rows["vectors.pickle"] < len(cancer()[0])
    assert rows["forest.pkl"] == rows["boosting.pkl"] == rows["linear.onnx"] == 0


def test_hostile_pickle_is_not_run(directory: Path, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "touched",))

    (directory / "model" / "forest.pkl").write_bytes(pickle.dumps(Payload()))
    options = RobustnessOptions(data=str(directory / "others.npz"), epsilon=0.05, queries=60, samples=20)
    output = examined(directory, options)
    assert "did not find forest.pkl clean" in next(
        doubt.reason for doubt in output.undecided if doubt.location == "forest.pkl"
    )
    assert not (tmp_path / "touched").exists()
