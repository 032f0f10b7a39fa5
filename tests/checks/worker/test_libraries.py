"""The numerical libraries that the checks use still work under the confinement, with real small models."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from tests.checks.worker.answers import told
from tests.checks.worker.conftest import Attempt
from weighbridge.checks.interface import Limits

pytestmark = pytest.mark.landlock

ROOMY = Limits(seconds=120, cpu_seconds=120, memory=16 * 1024**3)


@pytest.fixture(scope="module")
def forest() -> Any:
    """Return a small trained classifier of four features."""
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier

    x = np.random.default_rng(0).normal(size=(200, 4)) - np.arange(4)
    return RandomForestClassifier(n_estimators=5, random_state=0).fit(x, (x[:, 0] > 0) + 7)


def test_numpy_multiplies_matrices(attempt: Attempt) -> None:
    examination = attempt("use_numpy", limits=ROOMY)
    assert examination.confinement.filesystem
    assert told(examination) == "256"


def test_scikit_learn_predicts(attempt: Attempt, model: Path, forest: Any) -> None:
    (model / "model.pkl").write_bytes(pickle.dumps(forest))
    examination = attempt("use_sklearn", model, limits=ROOMY)
    assert examination.confinement.filesystem
    assert told(examination) == str(forest.predict([[0.0] * 4])[0])


def test_onnx_runtime_predicts(attempt: Attempt, model: Path, forest: Any) -> None:
    import numpy as np
    from skl2onnx import to_onnx

    exported = to_onnx(forest, np.zeros((1, 4), dtype=np.float32), options={"zipmap": False})
    graph = exported.SerializeToString()
    (model / "model.onnx").write_bytes(graph)
    examination = attempt("use_onnxruntime", model, limits=ROOMY)
    assert examination.confinement.filesystem
    assert told(examination) in {str(forest.predict([[0.0] * 4])[0])}
