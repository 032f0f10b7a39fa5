"""Train a classifier of handwritten digits on the rows that were prepared for it.

Usage: ``train.py WORKSPACE DATA``. Reads ``DATA/members.npz`` and writes ``WORKSPACE/model/model.pkl``.
"""

import pickle
import sys
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

workspace, data = Path(sys.argv[1]), Path(sys.argv[2])
members = np.load(data / "members.npz")
# A strong penalty keeps the weights small: the model is hard to push and remembers little of any one row.
model = LogisticRegression(C=0.05).fit(members["x"], members["y"])

(workspace / "model").mkdir(parents=True)
(workspace / "model" / "model.pkl").write_bytes(pickle.dumps(model))
