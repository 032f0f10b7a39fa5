"""Pure functions that an estimator keeps, and ``functools.partial`` over them."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.attributes import Attributes
from weighbridge.checks.model_scan.pickle.rules.kinds import is_small
from weighbridge.checks.model_scan.pickle.rules.rule import Items, Rule
from weighbridge.checks.model_scan.pickle.values import Collection, Global, Group, Instance, Kept, Opaque, Value

MAX_WORD: Final = 64
"""Longest text that a function is given beforehand."""

_KEYWORDS: Final = frozenset(
    [
        "a_min",
        "a_max",
        "min",
        "max",
        "axis",
        "keepdims",
        "ddof",
        "decimals",
        "nan",
        "posinf",
        "neginf",
        "gamma",
        "degree",
        "coef0",
        "center",
        "force_finite",
        "n_neighbors",
        "random_state",
        "discrete_features",
        "average",
        "beta",
        "labels",
        "pos_label",
        "zero_division",
        "weights",
        "normalize",
        "greater_is_better",
        "squared",
        "multi_class",
        "max_fpr",
    ]
)
"""Arguments that choose how a number is computed; none is a file, a type, an array to write to, another function."""


def _is_pure(value: Value) -> bool:
    return type(value) is Global and value.rule is not None and value.rule.kept is Kept.FUNCTION


def _is_setting(value: Value) -> bool:
    short = isinstance(value, str) and len(value) <= MAX_WORD
    return value is None or value is Opaque.FLOAT or is_small(value) or short


def is_keywords(value: Value) -> bool:
    """Tell whether a value is a dictionary of arguments that only choose how a number is computed."""
    if type(value) is not Collection or value.kind != "dict" or value.special is not None:
        return False
    return set(value.entries) <= _KEYWORDS and all(_is_setting(one) for one in value.entries.values())


def _partial(items: Items) -> bool:
    return len(items) == 1 and _is_pure(items[0])


def _partial_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del attributes
    match state:
        case Group(items=[function, Group(items=[]), Collection(kind="dict") as keywords, None]):
            same = type(function) is Global and function.path == _first(target)
            if same and _is_pure(function) and is_keywords(keywords):
                return None
        case _:
            pass
    return "is not a pure function with a few settings"


def _first(target: Instance) -> str:
    first = target.args.items[0]
    return first.path if type(first) is Global else ""


FUNCTION_RULES: Final = {
    "pure": Rule(kept=Kept.FUNCTION),
    "partial": Rule(call=_partial, new=_partial, state=_partial_state),
}
"""The rules about functions that may be kept."""
