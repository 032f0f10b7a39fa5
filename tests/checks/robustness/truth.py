"""Robust accuracy by other means than the attack under test: exact where a model allows it, white-box where not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.robustness.measure import Setting
from weighbridge.checks.runners.interface import Answers, Floats, Labels

Array = NDArray[Any]


@dataclass
class FunctionRunner:
    """A function as a runner; ``decide`` gives its own decisions where it has some."""

    function: Callable[[Floats], Array]
    count: int
    decide: Callable[[Floats], Array] | None = None
    framework: str = "function"
    decides_at_once: bool = True
    asked: int = 0
    classes: Labels = field(init=False)

    def __post_init__(self) -> None:
        self.classes = np.arange(self.count)

    def scores(self, batch: Floats, /) -> Floats:
        self.asked += len(batch)
        return np.asarray(self.function(batch), dtype=np.float64)

    def labels(self, batch: Floats, /) -> Labels | None:
        return None if self.decide is None else self.decide(batch)

    def answers(self, batch: Floats, /) -> Answers:
        return Answers(self.scores(batch), self.labels(batch))


def setting_of(x: Array, y: Array, **more: Any) -> Setting:
    """Return a setting with small defaults."""
    values: dict[str, Any] = {
        "x": x,
        "y": y.astype(np.int64),
        "image": None,
        "bounds": (0.0, 1.0),
        "epsilon": 0.1,
        "queries": 500,
        "seed": 0,
    }
    return Setting(**(values | more))


def linear_survivors(model: Any, x: Array, y: Array, epsilon: float) -> int:
    """Count the rows that no change within epsilon can break, exactly: a linear score is lowest at a corner."""
    low, high = np.maximum(x - epsilon, 0), np.minimum(x + epsilon, 1)
    weights, bias = model.coef_, model.intercept_
    if len(weights) == 1:
        weights, bias = np.concatenate([-weights, weights]), np.concatenate([-bias, bias])
    worst = np.full(len(x), np.inf)
    for other in range(len(weights)):
        slope = weights[y] - weights[other]
        lowest = (np.where(slope > 0, low, high) * slope).sum(axis=1) + bias[y] - bias[other]
        worst = np.minimum(worst, np.where(y == other, np.inf, lowest))
    return int((worst >= 0).sum())


def _leaves(tree: Any, node: int, low: Array, high: Array) -> Iterator[tuple[int, Array, Array]]:
    if tree.children_left[node] < 0:
        yield int(tree.value[node][0].argmax()), low, high
        return
    feature, threshold = tree.feature[node], tree.threshold[node]
    below, above = high.copy(), low.copy()
    below[feature] = min(high[feature], threshold)
    above[feature] = max(low[feature], threshold)
    yield from _leaves(tree, tree.children_left[node], low, below)
    yield from _leaves(tree, tree.children_right[node], above, high)


def tree_survivors(model: Any, x: Array, y: Array, epsilon: float) -> int:
    """Count the rows whose box meets leaves of their own class only, exactly."""
    features = x.shape[1]
    reach_low, reach_high = np.maximum(x - epsilon, 0), np.minimum(x + epsilon, 1)
    broken = np.zeros(len(x), dtype=bool)
    for label, low, high in _leaves(model.tree_, 0, np.full(features, -np.inf), np.full(features, np.inf)):
        # A leaf takes (low, high]: the left branch is "at most the threshold".
        meets = ((reach_low <= high) & (reach_high > low)).all(axis=1)
        broken |= meets & (y != label)
    return int((~broken).sum())


def white_box_survivors(model: Any, x: Array, y: Array, epsilon: float, *, steps: int = 60) -> int:
    """Count the rows that gradient descent towards every class, from several starts, leaves standing in an MLP."""
    rng = np.random.default_rng(7)
    low, high = np.maximum(x - epsilon, 0), np.minimum(x + epsilon, 1)
    rows, standing = np.arange(len(x)), np.ones(len(x), dtype=bool)
    for target in [*range(model.n_outputs_), -1, -1]:
        point = np.clip(x + rng.uniform(-epsilon, epsilon, x.shape), low, high)
        for step in range(steps):
            layers = [point]
            for weight, bias in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
                layers.append(np.maximum(layers[-1] @ weight + bias, 0))
            logits = layers[-1] @ model.coefs_[-1] + model.intercepts_[-1]
            others = logits.copy()
            others[rows, y] = -np.inf
            standing &= others.max(axis=1) <= logits[rows, y]
            aim = np.where((y == target) | (target < 0), others.argmax(axis=1), target)
            slope = np.zeros_like(logits)
            slope[rows, aim], slope[rows, y] = 1, -1
            for place in range(len(model.coefs_) - 1, -1, -1):
                slope = slope @ model.coefs_[place].T
                if place:
                    slope = slope * (layers[place] > 0)
            point = np.clip(point + epsilon * (0.25 if step < steps // 2 else 0.05) * np.sign(slope), low, high)
    return int(standing.sum())
