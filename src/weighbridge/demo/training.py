"""Train the demo's model: a small classifier of the handwritten digits that scikit-learn ships.

The images are the test set of "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak, UCI Machine
Learning Repository, 1998), 1,797 pictures of 8 by 8 pixels.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    import numpy as np
    from sklearn.neural_network import MLPClassifier

PIXEL_MAX: Final = 16.0
"""Largest pixel value in the data set; inputs are divided by it and lie in [0, 1]."""

CLASSES: Final = 10
HIDDEN: Final = 64
ROUNDS: Final = 60
STEP: Final = 0.12
"""Digits, hidden units, rounds of training, and how far a picture is changed: a little more than the test's 0.1."""

LIBRARIES: Final = ("numpy", "onnxruntime", "scikit-learn", "skl2onnx")
"""What the model is trained and served with; their dependencies are found out."""


class Classifier(Protocol):
    """What the demo needs of a trained model."""

    def score(self, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], /) -> float:
        """Return the accuracy on labelled pictures."""


@dataclass(frozen=True, slots=True)
class Split:
    """Half of the pictures to train on, half to test with."""

    train_x: np.ndarray[Any, Any]
    train_y: np.ndarray[Any, Any]
    test_x: np.ndarray[Any, Any]
    test_y: np.ndarray[Any, Any]


def load_split(*, seed: int = 0) -> Split:
    """Load the digits, scaled to [0, 1], and split them evenly by the seed."""
    import numpy as np
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    pictures = (digits.data / PIXEL_MAX).astype(np.float32)
    train_x, test_x, train_y, test_y = train_test_split(
        pictures, digits.target, test_size=0.5, random_state=seed, stratify=digits.target
    )
    return Split(train_x, train_y, test_x, test_y)


def train(split: Split, *, seed: int = 0) -> Classifier:
    """Train a classifier on the pictures and on pictures changed against it, which makes it hard to fool.

    One step along the sign of the loss's gradient from a random start: Wong, Rice and Kolter, "Fast is better than
    free: revisiting adversarial training" (2020).
    """
    import numpy as np
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    random = np.random.default_rng(seed)
    model = MLPClassifier((HIDDEN,), learning_rate_init=2e-3, batch_size=64, random_state=seed)
    # One thread: beside a busy core, two threads of BLAS wait for each other most of the time.
    with threadpool_limits(1):
        model.partial_fit(split.train_x, split.train_y, classes=np.arange(CLASSES))
        for _ in range(ROUNDS):
            changed = _changed(model, split.train_x, split.train_y, random)
            model.partial_fit(np.concatenate([split.train_x, changed]), np.tile(split.train_y, 2))
    trained: Classifier = model
    return trained


def _changed(
    model: MLPClassifier, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], random: np.random.Generator
) -> np.ndarray[Any, Any]:
    import numpy as np

    start = np.clip(x + random.uniform(-STEP, STEP, x.shape), 0.0, 1.0)
    hidden = np.maximum(start @ model.coefs_[0] + model.intercepts_[0], 0.0)
    slope = model.predict_proba(start) - np.eye(CLASSES)[y]
    slope = (slope @ model.coefs_[1].T * (hidden > 0.0)) @ model.coefs_[0].T
    stepped = start + STEP * np.sign(slope)
    changed: np.ndarray[Any, Any] = np.clip(stepped, np.maximum(x - STEP, 0.0), np.minimum(x + STEP, 1.0))
    return changed.astype(x.dtype)


def export(model: Classifier, directory: Path) -> Path:
    """Write the model as ONNX and as a pickle into a directory."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    directory.mkdir(parents=True)
    graph = to_onnx(model, initial_types=[("x", FloatTensorType([None, 64]))], options={"zipmap": False})
    (directory / "digits.onnx").write_bytes(graph.SerializeToString())
    with (directory / "digits.pkl").open("wb") as stream:
        pickle.dump(model, stream, protocol=5)
    return directory


def write_examples(split: Split, directory: Path) -> None:
    """Write what the checks need: test pictures, members (trained on) and non-members (not)."""
    import numpy as np

    directory.mkdir(parents=True)
    # As pictures, so that the attack may change patches and the report can show them.
    np.savez(directory / "test.npz", x=split.test_x.reshape(-1, 8, 8), y=split.test_y)
    np.savez(directory / "members.npz", x=split.train_x.reshape(-1, 8, 8), y=split.train_y)
    np.savez(directory / "non-members.npz", x=split.test_x.reshape(-1, 8, 8), y=split.test_y)


def pinned_requirements() -> str:
    """Return the installed versions of the libraries and of everything they need, one pin a line."""
    pending, pins = list(LIBRARIES), dict[str, str]()
    while pending:
        name = canonicalize_name(pending.pop())
        if name in pins:
            continue
        distribution = metadata.distribution(name)
        pins[name] = distribution.version
        for line in distribution.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                pending.append(requirement.name)
    return "".join(f"{name}=={pins[name]}\n" for name in sorted(pins))
