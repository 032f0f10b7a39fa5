"""Prepare the data that checks are done on, in a task of its own, apart from any training.

Takes the executor input as its only argument and writes the artifacts ``members`` (rows to train on), ``non_members``,
``test`` (rows to attack) and ``requirements``. The same data give the same bytes, so a policy can name them by digest.
Whoever trains must not be who prepares: a model that chooses its own test passes it.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
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
