"""Compare our black-box attack with ART's SquareAttack at equal rows, on the same models and examples.

Run with a Python that has ``weighbridge[sklearn]``; add ``adversarial-robustness-toolbox`` to compare with ART::

    python benchmarks/bench_robustness.py

Rows are what both attacks ask the model about; ART goes on with fallen examples, so it gets as many iterations as use
up the same rows. Fewer examples left standing is better: an attack bounds robustness from above.
"""

from __future__ import annotations

import time
import warnings
from importlib import import_module
from typing import Final

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from weighbridge.checks.robustness.measure import Setting, measure
from weighbridge.checks.runners.interface import Answers, Floats, Labels
from weighbridge.checks.runners.sklearn_model import SklearnRunner

EPSILON: Final = 0.1
EXAMPLES: Final = 100
QUERIES: Final = 500
SEEDS: Final = (0, 1)

MODELS: Final[dict[str, ClassifierMixin]] = {
    "mlp": MLPClassifier((64,), random_state=0, max_iter=200),
    "logreg": LogisticRegression(max_iter=500),
    "forest": RandomForestClassifier(50, random_state=0),
    "histgb": HistGradientBoostingClassifier(max_iter=40, random_state=0),
}


class Counting:
    """A runner that counts the rows it is asked about."""

    framework = "scikit-learn"
    decides_at_once = False

    def __init__(self, runner: SklearnRunner) -> None:
        self.runner = runner
        self.classes: Labels = runner.classes
        self.rows = 0

    def scores(self, batch: Floats, /) -> Floats:
        """Return the scores and count."""
        self.rows += len(batch)
        return self.runner.scores(batch)

    def labels(self, batch: Floats, /) -> Labels | None:
        """Return the decisions."""
        return self.runner.labels(batch)

    def answers(self, batch: Floats, /) -> Answers:
        """Return both and count."""
        return Answers(self.scores(batch), self.labels(batch))


def ours(model: ClassifierMixin, x: Floats, y: Labels, *, seed: int) -> tuple[int, int, float]:
    """Return how many examples stand, the rows of the attack and the seconds of everything, controls too."""
    counting = Counting(SklearnRunner(model, name="m", features=x.shape[1], threads=1))
    setting = Setting(x=x, y=y, image=(1, 8, 8), bounds=(0.0, 1.0), epsilon=EPSILON, queries=QUERIES, seed=seed)
    began = time.perf_counter()
    entry = measure(counting, "m", setting)
    return entry.survived, entry.queries, time.perf_counter() - began


def art(model: ClassifierMixin, x: Floats, y: Labels, *, seed: int, rows: int) -> tuple[int, int, float] | None:
    """Return the same for ART's SquareAttack with about as many rows; None when ART is not installed."""
    try:
        attacks = import_module("art.attacks.evasion")
        estimators = import_module("art.estimators.classification")
    except ImportError:
        return None
    counting = Counting(SklearnRunner(model, name="m", features=x.shape[1], threads=1))

    def predict(batch: Floats) -> Floats:
        return counting.scores(batch.reshape(len(batch), -1).astype(np.float64))

    target = estimators.BlackBoxClassifierNeuralNetwork(
        predict, (1, 8, 8), len(counting.classes), channels_first=True, clip_values=(0.0, 1.0)
    )
    correct = counting.runner.labels(x) == y
    clean, labels = x[correct], y[correct]

    def standing(iterations: int) -> int:
        np.random.seed(seed)
        attack = attacks.SquareAttack(target, eps=EPSILON, max_iter=iterations, batch_size=len(clean), verbose=False)
        hot = np.eye(len(counting.classes))[labels]
        found = attack.generate(clean.reshape(-1, 1, 8, 8).astype(np.float32), y=hot)
        changed = np.clip(found.reshape(len(clean), -1), clean - EPSILON, clean + EPSILON)
        return int((counting.runner.labels(changed) == labels).sum())

    # What an iteration costs depends on how many there are: two runs before the one that counts find the number.
    iterations = 10
    for _ in range(2):
        counting.rows = 0
        standing(iterations)
        iterations = max(1, round(rows * iterations / counting.rows))
    counting.rows, began = 0, time.perf_counter()
    left = standing(iterations)
    return left, counting.rows, time.perf_counter() - began


def main() -> None:
    """Print one line a model and seed."""
    warnings.simplefilter("ignore")
    x, y = load_digits(return_X_y=True)
    inside, outside, known, unknown = train_test_split(x / 16.0, y, test_size=0.5, random_state=0, stratify=y)
    x, y = outside[:EXAMPLES], unknown[:EXAMPLES].astype(np.int64)
    print(f"digits, epsilon {EPSILON}, {EXAMPLES} examples, {QUERIES} queries an example")
    print(f"{'model':8} {'seed':>4}  {'ours: left':>10} {'rows':>8} {'s':>6}   {'ART: left':>9} {'rows':>8} {'s':>6}")
    for name, model in MODELS.items():
        model.fit(inside, known)
        for seed in SEEDS:
            left, rows, seconds = ours(model, x, y, seed=seed)
            line = f"{name:8} {seed:4}  {left:10} {rows:8} {seconds:6.2f}"
            theirs = art(model, x, y, seed=seed, rows=rows)
            print(line + ("   not installed" if theirs is None else "   {:9} {:8} {:6.2f}".format(*theirs)), flush=True)


if __name__ == "__main__":
    main()
