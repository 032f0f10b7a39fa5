"""Train a classifier of handwritten digits, and leave what the checks need beside the model.

Usage: ``train.py WORKSPACE``. Writes ``model/model.pkl``, ``requirements.txt``, ``members.npz`` (rows that were trained
on), ``non-members.npz`` (rows that were not) and ``test.npz`` (rows to attack).
"""

import pickle
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

workspace = Path(sys.argv[1])
x, y = load_digits(return_X_y=True)
x = (x / 16).astype(np.float32)
train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.5, random_state=0, stratify=y)
# A strong penalty keeps the weights small: the model is hard to push and remembers little of any one row.
model = LogisticRegression(C=0.05).fit(train_x, train_y)
print(f"accuracy on rows that were not trained on: {model.score(test_x, test_y):.3f}")

(workspace / "model").mkdir(parents=True)
(workspace / "model" / "model.pkl").write_bytes(pickle.dumps(model))
np.savez(workspace / "members.npz", x=train_x, y=train_y)
np.savez(workspace / "non-members.npz", x=test_x, y=test_y)
np.savez(workspace / "test.npz", x=test_x, y=test_y)
(workspace / "requirements.txt").write_text(
    "".join(f"{name}=={version(name)}\n" for name in ("numpy", "scikit-learn", "scipy"))
)
