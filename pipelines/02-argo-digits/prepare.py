"""Prepare the data that checks are done on, before and apart from any training, and leave what they need.

Usage: ``prepare.py DIRECTORY``. Writes ``members.npz`` (rows to train on), ``non-members.npz``, ``test.npz`` (rows to
attack) and ``requirements.txt``. The same data give the same bytes, so a policy can name them by digest. Whoever
trains must not be who prepares: a model that chooses its own test passes it.
"""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

directory = Path(sys.argv[1])
directory.mkdir(parents=True, exist_ok=True)
x, y = load_digits(return_X_y=True)
x = (x / 16).astype(np.float32)
train_x, test_x, train_y, test_y = train_test_split(x, y, test_size=0.5, random_state=0, stratify=y)
np.savez(directory / "members.npz", x=train_x, y=train_y)
np.savez(directory / "non-members.npz", x=test_x, y=test_y)
np.savez(directory / "test.npz", x=test_x, y=test_y)
(directory / "requirements.txt").write_text(
    "".join(f"{name}=={version(name)}\n" for name in ("numpy", "scikit-learn", "scipy"))
)
