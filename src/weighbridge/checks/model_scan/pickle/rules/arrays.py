"""NumPy's arrays and scalars: made empty, then given a shape, a dtype and exactly the data that fill it."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.attributes import Attributes
from weighbridge.checks.model_scan.pickle.rules.dtypes import judge_dtype, judge_dtype_state, layout_of
from weighbridge.checks.model_scan.pickle.rules.kinds import elements_of, is_bytes, is_data, is_literal, named
from weighbridge.checks.model_scan.pickle.rules.rule import Items, Rule
from weighbridge.checks.model_scan.pickle.values import Blob, Collection, Group, Instance, Kept, Layout, Value

MAX_EMPTY: Final = 10_000
"""Most elements of no bytes in one array: a shape alone would make as many as it says."""

_ARRAYS: Final = frozenset({"ndarray", "matrix", "memmap", "recarray"})
_MASKED: Final = frozenset({"MaskedArray", "MaskedConstant"})
_WRAPPER: Final = frozenset({"subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"})
_PLAIN: Final = frozenset({"ndarray"})


def _is_code(code: Value) -> bool:
    """Tell whether this is the type that NumPy always writes first; another text would be parsed as one."""
    if type(code) is Instance and code.maker.name == "encode":
        code = code.args.items[0]
    return code in (b"b", "b")


def _reconstruct(items: Items) -> bool:
    match items:
        case [kind, Group(items=[0]), code]:
            return named(kind, _ARRAYS) and _is_code(code)
        case _:
            return False


def _reconstruct_masked(items: Items) -> bool:
    match items:
        case [kind, base, Group(items=[0]), code]:
            return named(kind, _MASKED) and named(base, _PLAIN) and _is_code(code)
        case _:
            return False


def _wrapped(items: Items) -> bool:
    """Judge dill's own call: the rebuilder of arrays, what it is given, what the array is given, and nothing more.

    dill calls the first, so it is that one function; objects inside an array are left to NumPy's own form.
    """
    match items:
        case [function, Group(items=given, cut=False), Group(items=[1, shape, dtype, bool() | 0 | 1, content]), None]:
            layout = layout_of(dtype)
            if layout is None or layout.holds_objects or not named(function, frozenset({"_reconstruct"})):
                return False
            return _reconstruct(given) and judge_content(shape, dtype, content) is None
        case _:
            return False


def _none(items: Items) -> bool:
    return not items


def _scalar(items: Items) -> bool:
    match items:
        case [dtype, content]:
            layout = layout_of(dtype)
            # numpy itself refuses too few bytes; an object here would be taken from the bytes as an address.
            return layout is not None and not layout.holds_objects and is_bytes(content)
        case _:
            return False


def _frombuffer(items: Items) -> bool:
    match items:
        case [content, dtype, shape, *order]:
            layout = layout_of(dtype)
            plain = layout is not None and not layout.holds_objects and is_bytes(content)
            count = elements_of(shape)
            if layout is None or count is None or is_endless(count, layout):
                return False
            return plain and order in ([], ["C"], ["F"])
        case _:
            return False


def _array_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del attributes
    match state:
        case Group(items=[1, shape, dtype, bool() | 0 | 1, content]):
            return judge_content(shape, dtype, content)
        case _:
            return "is not what numpy writes for an array"


def _masked_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del attributes
    match state:
        case Group(items=[1, shape, dtype, bool() | 0 | 1, content, mask, fill]):
            if not is_bytes(mask) or not is_data(fill):
                return "has a mask or a fill value that numpy never writes"
            return judge_content(shape, dtype, content)
        case _:
            return "is not what numpy writes for a masked array"


def judge_content(shape: Value, dtype: Value, content: Value) -> str | None:
    """Tell what is wrong with the parts of an array, or None."""
    layout = layout_of(dtype)
    if layout is None:
        return "has a type that is no dtype with a state of its own"
    count = elements_of(shape)
    if count is None:
        return "has a shape that is not of whole numbers"
    if layout.holds_objects:
        # numpy takes as many objects from the list as the shape says, however many are in it.
        fits = is_literal(content, "list") and isinstance(content, Collection) and content.count == count
        return None if fits else "has another number of objects than its shape says"
    return _judge_bytes(content, count=count, layout=layout)


def is_endless(count: int, layout: Layout) -> bool:
    """Tell whether an array has elements of no bytes, and more than any array of a file has."""
    return not layout.size and count > MAX_EMPTY


def _judge_bytes(content: Value, *, count: int, layout: Layout) -> str | None:
    if is_endless(count, layout):
        return "has more elements of no bytes than any array"
    if type(content) is bytes:
        fits = len(content) == count * layout.size
    elif type(content) is Blob and content.kind == "bytes":
        fits = content.length == count * layout.size
    else:
        fits = is_bytes(content)
    return None if fits else "has another number of bytes than its shape says"


def _wrapper_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del target, attributes
    known = type(state) is Collection and state.kind == "dict" and state.special is None
    if not known or not isinstance(state, Collection) or not set(state.entries) <= _WRAPPER:
        return "is not what joblib writes for an array"
    return None


ARRAY_RULES: Final = {
    "dtype": Rule(call=judge_dtype, state=judge_dtype_state, kept=Kept.TYPE, is_plain=True),
    "array": Rule(call=_reconstruct, state=_array_state, is_plain=True),
    "wrapped-array": Rule(call=_wrapped, is_plain=True),
    "masked-array": Rule(call=_reconstruct_masked, state=_masked_state, is_plain=True),
    "scalar": Rule(call=_scalar, is_plain=True),
    "frombuffer": Rule(call=_frombuffer, is_plain=True),
    "array-type": Rule(kept=Kept.MARK),
    "array-wrapper": Rule(call=_none, new=_none, state=_wrapper_state, is_plain=True),
}
"""The rules about arrays. An array type is named where a rebuilder asks for one, and is never called."""


def is_plain_array_type(value: Value) -> bool:
    """Tell whether a value is NumPy's own array, in memory or in a file."""
    return named(value, frozenset({"ndarray", "memmap"}), frozenset({"numpy"}))
