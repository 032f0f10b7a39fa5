"""Write model folders with scikit-learn and joblib alone; the tests run this one in their own environment."""

from __future__ import annotations

import os
import pickle
import sys
import venv
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


class Payload:
    """Runs a program when it is loaded; ``true`` does nothing."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def place(folder: Path, name: str) -> Path:
    """Make the folder of a model."""
    made = folder / name
    made.mkdir(parents=True)
    return made


def iris() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the measures, the classes as numbers and as names."""
    data = load_iris()
    return data.data, data.target, data.target_names[data.target]


def classifier(labels: np.ndarray) -> Pipeline:
    """Fit the model that everybody begins with."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(iris()[0], labels)


def main(folder: Path) -> None:
    """Write every folder of this environment."""
    _, numbers, names = iris()
    model = classifier(numbers)
    joblib.dump(model, place(folder, "sklearn-joblib") / "model.joblib")
    joblib.dump(model, place(folder, "sklearn-joblib-compressed") / "model.joblib", compress=3)
    joblib.dump(model, place(folder, "sklearn-without-ending") / "model")
    (place(folder, "sklearn-pickle") / "model.pkl").write_bytes(pickle.dumps(model))
    (place(folder, "sklearn-text-labels") / "model.pkl").write_bytes(pickle.dumps(classifier(names)))
    (place(folder, "hostile-sklearn-pickle") / "model.pkl").write_bytes(pickle.dumps([model, Payload()]))
    joblib.dump({"model": model, "note": Payload()}, place(folder, "hostile-joblib") / "model.joblib")
    made = place(folder, "with-a-virtual-environment")
    joblib.dump(model, made / "model.joblib")
    venv.create(made / ".venv", with_pip=False, symlinks=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
