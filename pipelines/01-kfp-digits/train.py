"""Train a classifier of handwritten digits, inside a task of Kubeflow Pipelines.

Takes the executor input as its only argument and writes the artifacts ``model`` (a directory), ``requirements``,
``members`` (rows that were trained on), ``non_members`` (rows that were not) and ``test`` (rows to attack).
"""

import json
import pickle
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

message = json.loads(sys.argv[1])
outputs = {name: found["artifacts"][0] for name, found in message["outputs"]["artifacts"].items()}


def place(name: str) -> Path:
    """Return where an artifact goes; the runner mounts object storage at these places."""
    uri = outputs[name]["uri"]
    for scheme, mount in (("gs://", "/gcs/"), ("minio://", "/minio/"), ("s3://", "/s3/")):
        uri = uri.replace(scheme, mount) if uri.startswith(scheme) else uri
    path = Path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


x, y = load_digits(return_X_y=True)
x = (x / 16).astype(np.float32)
train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.5, random_state=0, stratify=y)
# A strong penalty keeps the weights small: the model is hard to push and remembers little of any one row.
model = LogisticRegression(C=0.05).fit(train_x, train_y)
print(f"accuracy on rows that were not trained on: {model.score(test_x, test_y):.3f}")

place("model").mkdir(parents=True)
(place("model") / "model.pkl").write_bytes(pickle.dumps(model))
for name, rows, labels in (
    ("members", train_x, train_y),
    ("non_members", test_x, test_y),
    ("test", test_x, test_y),
):
    with place(name).open("wb") as stream:
        np.savez(stream, x=rows, y=labels)
place("requirements").write_text("".join(f"{name}=={version(name)}\n" for name in ("numpy", "scikit-learn", "scipy")))
said = Path(message["outputs"]["outputFile"])
said.parent.mkdir(parents=True, exist_ok=True)
said.write_text(json.dumps({"artifacts": {name: {"artifacts": [artifact]} for name, artifact in outputs.items()}}))
