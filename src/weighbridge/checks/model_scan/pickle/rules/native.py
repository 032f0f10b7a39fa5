"""Objects of compiled classes, whose state is a row of numbers and arrays."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.attributes import Attributes
from weighbridge.checks.model_scan.pickle.rules.kinds import is_count, is_number, made_by, named
from weighbridge.checks.model_scan.pickle.rules.parts import array_parts
from weighbridge.checks.model_scan.pickle.rules.rule import Items, Rule
from weighbridge.checks.model_scan.pickle.values import Collection, Global, Group, Instance, Value

_TREE: Final = frozenset({"max_depth", "node_count", "nodes", "values"})
_NEW: Final = "newObj"
_DISTANCE: Final = 3
_TREE_OF_NEIGHBOURS: Final = 12


def is_array(value: Value) -> bool:
    """Tell whether a value is an array with its data, or stands for one in a joblib file."""
    return array_parts(value) is not None


def is_scalar(value: Value) -> bool:
    """Tell whether a value is a number, Python's or NumPy's."""
    return is_number(value) or made_by(value, "scalar")


def _numbers(items: Items) -> bool:
    return len(items) <= 4 and all(is_number(item) or item is None for item in items)  # noqa: PLR2004


def _tree(items: Items) -> bool:
    match items:
        case [features, classes, outputs]:
            # The tree copies as many numbers of classes as it is told to, however many there are.
            return is_count(features) and is_count(outputs) and _length(classes) == outputs
        case _:
            return False


def _length(value: Value) -> int | None:
    """Return the length of a row of 64-bit integers."""
    parts = array_parts(value)
    lengths = parts.lengths if parts is not None and parts.code == "i8" else None
    return lengths[0] if lengths is not None and len(lengths) == 1 else None


def _tree_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del target, attributes
    if type(state) is not Collection or state.kind != "dict" or state.special is not None:
        return "is no dictionary"
    entries = state.entries
    fits = set(entries) == _TREE and is_count(entries["max_depth"]) and is_count(entries["node_count"])
    fits = fits and is_array(entries["nodes"]) and is_array(entries["values"])
    return None if fits else "is not that of a tree"


def _row(items: list[Value]) -> bool:
    return all(item is None or is_scalar(item) or is_array(item) or _is_metric(item) for item in items)


def _is_metric(value: Value) -> bool:
    """Tell whether a value is a distance, other than one by a Python function."""
    if made_by(value, _NEW) and type(value) is Instance:
        first = value.args.items[0]
        return type(first) is Global and "Distance" in first.name and value.maker.module.endswith("_dist_metrics")
    return False


def _is_native(value: Value, module: str) -> bool:
    return type(value) is Global and value.rule is NATIVE_RULES["native"] and value.module == module


def _new(items: Items) -> bool:
    match items:
        case [Global(module=module) as kind]:
            return _is_native(kind, module)
        case _:
            return False


def _row_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del attributes
    fits = type(state) is Group and not state.cut and _row(state.items) and _is_long_enough(target, state)
    return None if fits else "is not a row of numbers and arrays"


def _is_long_enough(target: Instance, state: Group) -> bool:
    # Compiled code takes the items by their places, without asking how many there are.
    kind = target.args.items[0] if target.args.items else None
    name = kind.name if type(kind) is Global else ""
    if "Distance" in name:
        return len(state.items) == _DISTANCE
    return not name.startswith(("KDTree", "BallTree")) or len(state.items) >= _TREE_OF_NEIGHBOURS


def _unpickle(items: Items) -> bool:
    match items:
        case [Global(module=module) as kind, int(), state]:
            row = state is None or (type(state) is Group and not state.cut and _row(state.items))
            return row and (_is_native(kind, module) or named(kind, frozenset({"CyHalfMultinomialLoss"})))
        case _:
            return False


NATIVE_RULES: Final = {
    "loss": Rule(call=_numbers, new=_numbers),
    "tree": Rule(call=_tree, state=_tree_state),
    "native": Rule(),
    "native-new": Rule(call=_new, state=_row_state),
    "native-unpickle": Rule(call=_unpickle, state=_row_state),
}
"""The rules about compiled classes of scikit-learn."""
