"""pandas: indexes, blocks and what holds them together."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.attributes import Attributes
from weighbridge.checks.model_scan.pickle.rules.kinds import (
    is_count,
    is_data,
    is_literal,
    is_small,
    made_by,
    named,
)
from weighbridge.checks.model_scan.pickle.rules.native import is_array
from weighbridge.checks.model_scan.pickle.rules.objects import judge_object_state
from weighbridge.checks.model_scan.pickle.rules.parts import array_parts
from weighbridge.checks.model_scan.pickle.rules.rule import Items, Rule
from weighbridge.checks.model_scan.pickle.rules.table_places import (
    any_places,
    block_places,
    category_places,
    index_places,
)
from weighbridge.checks.model_scan.pickle.values import Collection, Global, Group, Instance, Opaque, Value, is_plain

_NAMES: Final = frozenset({"name", "names"})
_ONE: Final = frozenset({"data", "name", "dtype"})
_INDEXES: Final = {
    "Index": _ONE,
    "Int64Index": _ONE,
    "Float64Index": _ONE,
    "UInt64Index": _ONE,
    "CategoricalIndex": _ONE,
    "RangeIndex": frozenset({"name", "start", "stop", "step"}),
    "MultiIndex": frozenset({"levels", "codes", "labels", "sortorder", "names"}),
    "DatetimeIndex": _ONE | {"tz", "freq"},
    "TimedeltaIndex": _ONE | {"freq"},
    "PeriodIndex": _ONE | {"freq"},
    "IntervalIndex": frozenset({"left", "right", "closed", "name", "data"}),
}
"""The classes of indexes, and what each is made of."""

_BACKED: Final = {
    "Categorical": ("CategoricalDtype", "i"),
    "DatetimeArray": ("dtype", "M"),
    "TimedeltaArray": ("dtype", "m"),
    "StringArray": ("StringDtype", "O"),
    "NumpyExtensionArray": ("dtype", "biufcmMSUO"),
}
"""Arrays over one of NumPy's: which type they say they have, and the kinds of numbers that are in it."""

_ARRAYS: Final = frozenset(_BACKED) | {"__pyx_unpickle_NDArrayBacked"}


def is_index(value: Value) -> bool:
    """Tell whether a value is an index."""
    return made_by(value, "_new_Index", *_INDEXES)


def is_values(value: Value) -> bool:
    """Tell whether a value is an array, NumPy's or one of pandas."""
    return is_array(value) or made_by(value, *_ARRAYS)


def _new_index(items: Items) -> bool:
    match items:
        case [Global(name=name, module=module) as kind, Collection(kind="dict") as parts]:
            allowed = _INDEXES.get(name)
            if allowed is None or kind.rule is None or not module.startswith("pandas") or parts.special is not None:
                return False
            return set(parts.entries) <= allowed and all(_is_part(key, one) for key, one in parts.entries.items())
        case _:
            return False


def _is_part(key: str, value: Value) -> bool:
    if key in ("start", "stop", "step"):
        return is_small(value)
    if key in _NAMES:
        return is_plain(value)
    if key in ("levels", "codes", "labels"):
        return is_literal(value, "list") and is_data(value)
    return is_plain(value) or is_values(value) or is_index(value) or _is_dtype(value)


def _is_dtype(value: Value) -> bool:
    return made_by(value, "CategoricalDtype", "StringDtype", "dtype")


def _placement(items: Items) -> bool:
    match items:
        case [one]:
            return is_count(one) or _is_place(one)
        case _:
            return False


def _is_place(value: Value) -> bool:
    """Tell whether a value is where the columns of a block stand; whether that is inside is asked at the end."""
    if type(value) is Instance and made_by(value, "slice"):
        start, stop, step = value.args.items
        return is_count(start) and (is_count(stop) or stop is None) and isinstance(step, int)
    return is_array(value)


def _block(items: Items) -> bool:
    match items:
        case [values, place, dimensions]:
            return is_values(values) and (made_by(place, "BlockPlacement") or _is_place(place)) and dimensions in (1, 2)
        case _:
            return False


def _manager(items: Items) -> bool:
    match items:
        case []:
            return True
        case [Group(cut=False) as blocks, Collection(kind="list")]:
            return all(_is_block(one) for one in blocks.items)
        case [block, index]:
            return _is_block(block) and is_index(index)
        case _:
            return False


def _is_block(value: Value) -> bool:
    return made_by(value, "_unpickle_block", "new_block")


def _manager_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del target, attributes
    # What pandas before 1.3 wrote: axes, values and items of blocks, and the same again by version.
    fits = type(state) is Group and len(state.items) in (3, 4) and is_data(state)
    fits = fits and all(isinstance(one, Collection) for one in state.items)  # type: ignore[union-attr]
    return None if fits else "is not that of pandas' blocks"


def _backed(items: Items) -> bool:
    match items:
        case [kind, int(), None]:
            return named(kind, frozenset(_BACKED))
        case _:
            return False


def _backed_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    match state:
        case Group(items=[first, second, *rest]) if len(rest) <= 1:
            kind = target.args.items[0]
            if type(kind) is not Global or not (_fits(kind, first, second) or _fits(kind, second, first)):
                return "is not an array and its type"
            made = Instance(kind, Group([]))
            return judge_object_state(made, rest[0], attributes) if rest else None
        case _:
            return "is not an array and its type"


def _fits(kind: Global, array: Value, dtype: Value) -> bool:
    # pandas reads the array as what the type says, whatever is in it.
    told, codes = _BACKED[kind.name]
    parts = array_parts(array)
    code = None if parts is None else parts.code
    lengths = None if parts is None else parts.lengths
    # A row, or a block of them: native code goes along the first axis of an array without one.
    return code is not None and code[0] in codes and made_by(dtype, told) and len(lengths or ()) in (1, 2)


def _string_dtype(items: Items) -> bool:
    return len(items) <= 2 and all(  # noqa: PLR2004
        item is None or item is Opaque.FLOAT or item in ("python", "pyarrow", "pyarrow_numpy") for item in items
    )


TABLE_RULES: Final = {
    "index": Rule(call=_new_index, places=index_places),
    "placement": Rule(call=_placement, places=any_places),
    "block": Rule(call=_block, places=any_places),
    "block-manager": Rule(call=_manager, new=lambda items: not items, state=_manager_state, places=block_places),
    "array-backed": Rule(call=_backed, state=_backed_state, needs_state=True, places=category_places),
    "string-dtype": Rule(call=_string_dtype, new=lambda items: not items, state=judge_object_state, is_plain=True),
}
"""The rules about pandas."""
