"""Real data and real models for the tests of the robustness and leakage checks."""

from __future__ import annotations

import io
import pickle
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from weighbridge.checks.runners.entries import Safeguards
from weighbridge.checks.runners.unpickle import AllowedGlobals

Array = NDArray[Any]
Split = tuple[Array, Array, Array, Array]


@cache
def digits() -> Split:
    """Training rows, other rows and their labels: 8x8 digits in [0, 1]."""
    x, y = load_digits(return_X_y=True)
    inside, outside, known, unknown = train_test_split(x / 16.0, y, test_size=0.5, random_state=0, stratify=y)
    return inside, outside, known, unknown


@cache
def cancer() -> Split:
    """Training rows, other rows and their labels: 30 measurements scaled to [0, 1]."""
    x, y = load_breast_cancer(return_X_y=True)
    x = (x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0))
    inside, outside, known, unknown = train_test_split(x, y, test_size=0.3, random_state=0, stratify=y)
    return inside, outside, known, unknown


@cache
def digits_mlp() -> MLPClassifier:
    """Return a small network that knows the digits."""
    inside, _, known, _ = digits()
    return fitted(MLPClassifier((32,), random_state=0, max_iter=200, alpha=0.01), inside, known)


def fitted(model: Any, x: Array, y: Array) -> Any:
    """Return the model after fitting, without its remarks about convergence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(x, y)


def save_examples(path: Path, x: Array, y: Array, **more: Array) -> Path:
    """Write a data file and return its path."""
    arrays: dict[str, Any] = {"x": x, "y": y, **more}
    np.savez(path, **arrays)
    return path


def onnx_bytes(model: Any, features: int, **options: Any) -> bytes:
    """Return the model as ONNX; ``zipmap=False`` gives a plain table of scores."""
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        converted = skl2onnx.to_onnx(
            model,
            initial_types=[("x", FloatTensorType([None, features]))],
            options={id(model): options} if options else None,
        )
    return bytes(converted.SerializeToString())


def globals_of(content: bytes) -> AllowedGlobals:
    """Return the globals that a trusted pickle names, as an allow list for it."""
    found: set[tuple[str, str]] = set()

    class Recorder(pickle.Unpickler):
        def find_class(self, module: str, name: str, /) -> Any:
            found.add((module, name))
            return super().find_class(module, name)

    Recorder(io.BytesIO(content)).load()
    return frozenset(found)


def trusting(allowed: AllowedGlobals) -> Safeguards:
    """Return safeguards that hold, with this allow list."""

    def is_clean(name: str, content: bytes) -> bool:
        return bool(name and content)

    return Safeguards(confined=lambda: True, is_clean=is_clean, allowed=lambda: allowed)
