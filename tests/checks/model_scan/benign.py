"""Benign models, built on the spot: every scikit-learn estimator that fits quickly, and other formats."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

SLOW = {"RandomizedSearchCV", "GridSearchCV", "TSNE"}


def _inputs() -> Iterator[tuple[Any, Any]]:
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    x, y = x[::2], y[::2]
    positive = np.abs(x) + 0.1
    yield x, y
    yield positive, y
    yield x[:, 0], y
    yield positive, np.c_[y, y]
    yield ["red green", "blue green"] * 38, y[:76]
    yield [{"a": 1, "b": "x"}] * len(y), y
    yield x, y / 2.0
    yield x @ x.T, y
    yield [("a",)] * len(y), y
    yield np.ones((4, 5)), y[:4]
    yield x[:, 0].round(), None
    yield np.tile(x, (1, 30)), y


def _makers(kind: Any) -> Iterator[Callable[[], Any]]:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    yield kind
    yield lambda: kind(LogisticRegression())
    yield lambda: kind(Ridge())
    yield lambda: kind([("a", LogisticRegression()), ("b", DecisionTreeClassifier())])
    yield lambda: kind([("a", Ridge()), ("b", Ridge())])
    yield lambda: kind([("a", StandardScaler())])
    yield lambda: kind(LogisticRegression(), {"C": [1, 2]})
    yield lambda: kind([("s", StandardScaler(), [0, 1])])
    yield lambda: kind(np.ones((2, 4)))


def fit(kind: Any) -> Any:
    """Fit an estimator class on the first input that it takes; None when none fits."""
    for make in _makers(kind):
        for x, y in _inputs():
            try:
                estimator = make()
                if hasattr(estimator, "fit"):
                    estimator.fit(x) if y is None else estimator.fit(x, y)
                else:
                    estimator.partial_fit(x, y)
            except Exception:  # estimators reject in every way there is
                continue
            return estimator
    return None


def fitted_estimators() -> Iterator[tuple[str, Any]]:
    """Yield name and fitted estimator."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sklearn.utils import all_estimators

        for name, kind in all_estimators():
            if name not in SLOW and (estimator := fit(kind)) is not None:
                yield name, estimator
