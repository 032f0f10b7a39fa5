"""Train a classifier of handwritten digits, inside a task of Kubeflow Pipelines.

Takes the executor input as its only argument, reads the artifact ``members`` and writes ``model``, a directory.
"""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

message = json.loads(sys.argv[1])


def place(artifact: dict[str, str]) -> Path:
    """Return where an artifact lies; the runner mounts object storage at these places."""
    uri = artifact["uri"]
    for scheme, mount in (("gs://", "/gcs/"), ("minio://", "/minio/"), ("s3://", "/s3/")):
        uri = uri.replace(scheme, mount) if uri.startswith(scheme) else uri
    return Path(uri)


members = np.load(place(message["inputs"]["artifacts"]["members"]["artifacts"][0]))
# A strong penalty keeps the weights small: the model is hard to push and remembers little of any one row.
model = LogisticRegression(C=0.05).fit(members["x"], members["y"])

artifact = message["outputs"]["artifacts"]["model"]["artifacts"][0]
place(artifact).mkdir(parents=True)
(place(artifact) / "model.pkl").write_bytes(pickle.dumps(model))
said = Path(message["outputs"]["outputFile"])
said.parent.mkdir(parents=True, exist_ok=True)
said.write_text(json.dumps({"artifacts": {"model": {"artifacts": [artifact]}}}))
