"""Measure what the leakage check costs: bounds, ROC, and looking for rows inside a model.

::

    python benchmarks/bench_leakage.py
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from weighbridge.checks.leakage.membership import auc, rate_at, roc
from weighbridge.checks.leakage.object_arrays import contents_of
from weighbridge.checks.leakage.rows import RowIndex, common_rows
from weighbridge.checks.runners.interface import Floats

ROWS: Final = (1_000, 10_000, 100_000)
FEATURES: Final = 64


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of the best of three calls."""
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def bounds(inside: Floats, outside: Floats) -> None:
    """Compute every bound that the check reports by default."""
    for fpr in (0.01, 0.05, 0.1):
        for confidence in (0.9, 0.95, 0.99):
            rate_at(inside, outside, fpr=fpr, confidence=confidence)


def rows(members: Floats, others: Floats, model: KNeighborsClassifier) -> None:
    """Find every member inside a model that keeps them, and no other row."""
    arrays = contents_of(model).arrays
    if len(RowIndex(members).found_in(arrays)) != len(members) or RowIndex(others).found_in(arrays):
        raise SystemExit("rows were not found as they should be")


def main() -> None:
    """Print one line for each number of rows; every figure is in milliseconds."""
    titles = ("rows a side", "9 bounds", "AUC", "ROC", "overlap", "rows in kNN", "model MB")
    print(" ".join(f"{title:>11}" for title in titles))
    rng = np.random.default_rng(0)
    for count in ROWS:
        inside, outside = rng.normal(0.3, size=count), rng.normal(size=count)
        members, others = rng.random((count, FEATURES)), rng.random((count, FEATURES))
        model = KNeighborsClassifier(algorithm="brute").fit(members, rng.integers(0, 2, count))
        calls = (
            partial(bounds, inside, outside),
            partial(auc, inside, outside),
            partial(roc, inside, outside),
            partial(common_rows, members, others),
            partial(rows, members, others, model),
        )
        figures = " ".join(f"{timed(call) * 1000:11.1f}" for call in calls)
        print(f"{count:11} {figures} {len(pickle.dumps(model)) / 1e6:11.1f}", flush=True)


if __name__ == "__main__":
    main()
