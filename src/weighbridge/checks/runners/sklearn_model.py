"""Ask a loaded scikit-learn classifier for scores, on the threads that it is given and no more."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_classifier

from weighbridge.checks.runners.interface import Answers, Floats, Labels, RunnerError, checked_scores
from weighbridge.checks.runners.threads import thread_pools


class SklearnRunner:
    """A scikit-learn classifier as a ``Runner``.

    Scores are ``predict_proba`` where the model has it, else ``decision_function``; the one column of a binary
    decision function becomes two of opposite sign.
    """

    framework = "scikit-learn"
    decides_at_once = False

    def __init__(self, model: object, *, name: str, features: int, threads: int) -> None:
        """Take a loaded object for rows of so many features.

        Raises:
            RunnerError: The object is not a fitted classifier over whole numbers or text, and that many features.
        """
        self.name = name
        self.model: Any = model
        try:
            self.classes, self.names, self._method = _examined(model, name=name, features=features)
        except RunnerError:
            raise
        except Exception as error:  # attributes of a loaded object may be anything, and raise what they like
            raise RunnerError(f"{name} cannot be examined: {type(error).__name__}: {error}") from None
        self._threads = threads
        self._pools = thread_pools()

    def scores(self, batch: Floats, /) -> Floats:
        """Return finite scores; see ``Runner``."""
        answer = self._call(self._method, batch)
        if isinstance(answer, np.ndarray) and answer.ndim == 1 and len(self.classes) == 2:  # noqa: PLR2004
            answer = np.stack([-answer, answer], axis=1)
        scores = checked_scores(answer, rows=len(batch), what=self.name)
        if scores.shape[1] != len(self.classes):
            raise RunnerError(f"{self.name} gives {scores.shape[1]} scores for {len(self.classes)} classes")
        return scores

    def labels(self, batch: Floats, /) -> Labels | None:
        """Return what ``predict`` decides; see ``Runner``."""
        answer = np.asarray(self._call(self.model.predict, batch))
        if self.names:
            return self._named(answer, len(batch))
        if answer.shape != (len(batch),) or answer.dtype.kind not in "iub":
            raise RunnerError(f"{self.name} predicted {answer.dtype} {answer.shape}, expected one label a row")
        return answer.astype(np.int64)

    def _named(self, answer: NDArray[Any], rows: int) -> Labels:
        if answer.shape != (rows,) or answer.dtype.kind not in "UO":
            raise RunnerError(f"{self.name} predicted {answer.dtype} {answer.shape}, expected one class name a row")
        places = {name: place for place, name in enumerate(self.names)}
        # What is no class of the model is a decision all the same, and a wrong one.
        found = [places.get(name, -1) if isinstance(name, str) else -1 for name in answer.tolist()]
        return np.array(found, dtype=np.int64)

    def answers(self, batch: Floats, /) -> Answers:
        """Return scores and decisions, which are two calls; see ``Runner``."""
        return Answers(self.scores(batch), self.labels(batch))

    def _call(self, method: Callable[[Floats], Any], batch: Floats) -> object:
        # The sequential backend overrides an n_jobs that came with the model: a worker may not start processes.
        with (
            joblib.parallel_config(backend="sequential"),
            self._pools.limit(limits=self._threads),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            try:
                return method(batch)
            except Exception as error:  # a loaded object may hold any state, and raises what it likes
                raise RunnerError(f"{self.name} failed while it was run: {type(error).__name__}: {error}") from None


def _examined(model: object, *, name: str, features: int) -> tuple[Labels, tuple[str, ...], Callable[[Floats], Any]]:
    if not isinstance(model, BaseEstimator) or not is_classifier(model):
        raise RunnerError(f"{name} holds {type(model).__name__}, expected a scikit-learn classifier")
    wanted = getattr(model, "n_features_in_", features)
    if wanted != features:
        raise RunnerError(f"{name} wants {wanted} features, the data has {features} numbers an example")
    return *_classes(model, name), _method(model, name)


def _classes(model: BaseEstimator, name: str) -> tuple[Labels, tuple[str, ...]]:
    classes = np.asarray(getattr(model, "classes_", None))
    if classes.ndim == 1 and len(classes) >= 2 and classes.dtype.kind in "UO":  # noqa: PLR2004
        names = tuple(classes.tolist())
        if all(type(each) is str for each in names) and len(set(names)) == len(names):
            return np.arange(len(names), dtype=np.int64), names
    if classes.ndim != 1 or len(classes) < 2 or classes.dtype.kind not in "iub":  # noqa: PLR2004
        raise RunnerError(f"{name} has no list of two or more classes that are whole numbers or text; is it fitted?")
    return classes.astype(np.int64), ()


def _method(model: BaseEstimator, name: str) -> Callable[[Floats], Any]:
    for wanted in ("predict_proba", "decision_function"):
        method = getattr(model, wanted, None)
        if callable(method):
            found: Callable[[Floats], Any] = method
            return found
    raise RunnerError(f"{name} gives labels only; expected predict_proba or decision_function")
