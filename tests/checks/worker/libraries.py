"""Honest work with the numerical libraries, to see that the confinement lets them."""

from __future__ import annotations

from pathlib import Path


def use_numpy() -> str:
    import numpy as np

    product = np.ones((256, 256)) @ np.ones((256, 256))
    return f"{product[0, 0]:.0f}"


def use_sklearn(path: str) -> str:
    import pickle

    import numpy as np
    from sklearn.ensemble import RandomForestClassifier  # noqa: F401 - what the pickle needs, and all it imports

    with open(Path(path, "model.pkl"), "rb") as stream:
        model = pickle.load(stream)
    return str(model.predict(np.zeros((1, 4)))[0])


def use_onnxruntime(path: str) -> str:
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(Path(path, "model.onnx"), providers=["CPUExecutionProvider"])
    (labels,) = session.run(["label"], {session.get_inputs()[0].name: np.zeros((1, 4), dtype=np.float32)})
    return str(labels[0])
