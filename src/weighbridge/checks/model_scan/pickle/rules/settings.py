"""Settings by which a library picks what it calls: names of methods, arguments for a function, numbers of workers.

scikit-learn's stacking calls ``getattr(estimator, name)(X)`` with names that lie in the pickle, and a frozen estimator
passes any name on to what it holds; a method of a table that evaluates text would run a program so. Such names are of
a closed set, whatever the class.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from weighbridge.checks.model_scan.pickle.rules.functions import is_keywords
from weighbridge.checks.model_scan.pickle.rules.kinds import is_bytes, is_empty, is_text, object_class
from weighbridge.checks.model_scan.pickle.values import Collection, Global, Instance, Value

MAX_JOBS: Final = 512
"""Most threads or processes that an object may ask for, either sign: -1 means one for each core."""

RESPONSES: Final = frozenset({
    "auto", "predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "transform",
})  # fmt: skip
"""The methods of an estimator that may be called by name."""

_READERS: Final = frozenset({"CountVectorizer", "TfidfVectorizer", "HashingVectorizer"})
_CHOOSERS: Final = frozenset({"stack_method", "stack_method_", "response_method", "chain_method", "chain_method_"})
_KEYWORDS: Final = frozenset({"kw_args", "inv_kw_args"})
_JOBS: Final = frozenset({"n_jobs", "nthread", "num_threads"})
_HANDLES: Final = frozenset({"handle", "_handle"})
_ESTIMATORS: Final = ("sklearn.", "xgboost.sklearn", "lightgbm.sklearn")

_SEALED: Final = _CHOOSERS | _KEYWORDS
_ASKED: Final = _SEALED | _JOBS | _HANDLES | {"input", "estimator"}


def is_sealed(name: str) -> bool:
    """Tell whether nobody may change what lies under a name after it was judged."""
    return "hook" in name or name in _SEALED


def is_asked(name: str) -> bool:
    """Tell whether an attribute of this name chooses what is called."""
    return name in _ASKED or "hook" in name


def judge_setting(kind: Global, name: str, value: Value) -> str | None:
    """Tell what is wrong with an attribute that chooses what is called (see ``is_asked``), or None."""
    return next(_problems(kind, name, value), None)


def _problems(kind: Global, name: str, value: Value) -> Iterator[str]:
    if "hook" in name and not is_empty(value):
        yield f"sets {name}, which the library would call"
    if name == "input" and kind.name in _READERS and value != "content":
        yield "makes it read files that its input names"
    if name in _CHOOSERS and not _is_choice(value):
        yield f"chooses the methods of {name} by other names than those that predict"
    if name in _KEYWORDS and value is not None and not is_keywords(value):
        yield f"gives a function arguments under {name} that do more than choose how a number is computed"
    if name in _JOBS and not _is_jobs(value):
        yield f"asks for more than {MAX_JOBS} workers under {name}"
    if kind.name == "Booster" and name in _HANDLES and not (is_text(value) or is_bytes(value)):
        yield f"has no model under {name}, which native code would look for at an address"
    if kind.name == "FrozenEstimator" and name == "estimator" and not _is_estimator(value):
        yield "freezes something that is no estimator"


def _is_choice(value: Value) -> bool:
    if type(value) is Collection:
        return value.kind == "list" and value.count == len(value.words) and set(value.words) <= RESPONSES
    return value is None or (isinstance(value, str) and value in RESPONSES)


def _is_jobs(value: Value) -> bool:
    return not isinstance(value, int) or -MAX_JOBS <= value <= MAX_JOBS


def _is_estimator(value: Value) -> bool:
    return type(value) is Instance and object_class(value).module.startswith(_ESTIMATORS)
