"""NumPy's dtypes: exactly the arguments and the state that NumPy writes, and the layout that they describe.

NumPy believes the state of a dtype: with flags that say "no objects" where a field holds objects, raw bytes become
pointers. So the flags, the sizes and the fields must be those that NumPy derives itself
(``arraydescr_reduce`` and ``arraydescr_setstate`` in ``numpy/_core/src/multiarray/descriptor.c``; compared with
numpy 1.26.4 and 2.4.6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.pickle.attributes import Attributes
from weighbridge.checks.model_scan.pickle.rules.kinds import elements_of, is_count, named
from weighbridge.checks.model_scan.pickle.values import Collection, Group, Instance, Layout, Value

MAX_ELEMENT: Final = 1 << 31
"""Largest element of an array, in bytes."""

MAX_LEVELS: Final = 16
"""Deepest nesting of dtypes; NumPy walks them by recursion."""

MAX_FIELDS: Final = 10_000
"""Most fields of a dtype, those of its fields counted again each time: one field can be shared by many."""

_CODE: Final = re.compile(r"([biufcmMSUVO])(\d{1,10})")
_FIXED: Final = {
    "b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8, 12, 16), "c": (8, 16, 24, 32), "m": (8,),
    "M": (8,), "O": (4, 8),
}  # fmt: skip
_UNIT: Final = {"S": 1, "U": 4, "V": 1}
_UNITS: Final = frozenset(["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as"]) | {
    "generic",
    "\u03bcs",
}

# Flags of NumPy's element types, numpy/_core/include/numpy/ndarraytypes.h.
_OBJECT_FLAGS: Final = 63
_TEXT_FLAGS: Final = 8  # NPY_NEEDS_INIT
_FROM_FIELDS: Final = 27  # what a structure takes over from its fields
_NEEDS_PYAPI: Final = 16
_ALIGNED: Final = 128


def judge_dtype(items: list[Value]) -> bool:
    """Tell whether a dtype is made as NumPy does: a code, then no alignment and a copy.

    A dtype that is no copy is NumPy's own, and a state would change it for the whole process.
    """
    match items:
        case [code, align, copy]:
            return _parse(code) is not None and align in (False, 0) and copy in (True, 1)
        case _:
            return False


def judge_dtype_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    """Tell what is wrong with the state of a dtype, or None."""
    del attributes
    # It is found out once: a dtype that holds another twice would be read twice as often with every level.
    target.layout = _read(target.args.items[0], state)
    return None if target.layout is not None else "is not what numpy writes for this type"


def layout_of(dtype: Value) -> Layout | None:
    """Return the layout of a dtype that has its state, None for anything else."""
    return dtype.layout if type(dtype) is Instance else None


def code_of(dtype: Value) -> str | None:
    """Return the code of a dtype that has its state, such as ``f8``; None for anything else."""
    if layout_of(dtype) is None or type(dtype) is not Instance:
        return None
    code = dtype.args.items[0]
    return str(code) if isinstance(code, str) else None


def _parse(code: Value) -> tuple[str, int] | None:
    if named(code, frozenset({"record"})):
        return "V", -1
    found = _CODE.fullmatch(code) if isinstance(code, str) else None
    if found is None:
        return None
    kind, size = found[1], int(found[2])
    if kind in _FIXED:
        return (kind, size) if size in _FIXED[kind] else None
    return (kind, size) if size * _UNIT[kind] <= MAX_ELEMENT else None


@dataclass(frozen=True, slots=True)
class _State:
    """The parts of a dtype's state."""

    base: Value
    names: Value
    fields: Value
    size: Value
    align: Value
    flags: int


def _read(code: Value, state: Value) -> Layout | None:
    parsed, parts = _parse(code), _parts(code, state)
    if parsed is None or parts is None:
        return None
    kind, size = parsed
    if kind in _FIXED:
        expected = _OBJECT_FLAGS if kind == "O" else 0
        whole = _State(None, None, None, -1, -1, expected)
        return Layout(size, kind == "O", expected, is_plain_object=kind == "O") if parts == whole else None
    length = parts.size
    if not is_count(length) or not is_count(parts.align) or (size >= 0 and length != size * _UNIT[kind]):
        return None
    return _flexible(kind, parts, size=length)


def _parts(code: Value, state: Value) -> _State | None:
    match state:
        case Group(items=[3, str(order), base, names, fields, size, align, int(flags)]):
            # A date without its unit is one that numpy never writes, and crashes over.
            fits = not _is_date(code)
        case Group(items=[4, str(order), base, names, fields, size, align, int(flags), Group(items=[extra, unit])]):
            # The second of the pair is the unit of a date; the first would be a person's own notes.
            none = extra is None or (type(extra) is Collection and extra.kind == "dict" and not extra.count)
            fits = none and _is_unit(unit) and _is_date(code)
        case _:
            return None
    known = fits and order in ("<", ">", "|")
    return _State(base, names, fields, size, align, flags) if known else None


def _is_date(code: Value) -> bool:
    return isinstance(code, str) and code[:1] in ("m", "M")


def _nested(size: int, *, flags: int, inner: list[Layout]) -> Layout | None:
    levels, fields = 1 + max(one.levels for one in inner), 1 + sum(one.fields for one in inner)
    if levels > MAX_LEVELS or fields > MAX_FIELDS:
        return None
    objects = any(one.holds_objects for one in inner)
    return Layout(size, holds_objects=objects, flags=flags, levels=levels, fields=fields)


def _flexible(kind: str, parts: _State, *, size: int) -> Layout | None:
    if (parts.base, parts.names, parts.fields) == (None, None, None):
        expected = (_TEXT_FLAGS, 4) if kind == "U" else (0, 1)
        fits = (parts.flags, parts.align) == expected
        return Layout(size, holds_objects=False, flags=parts.flags) if fits else None
    if kind == "V" and parts.base is None:
        return _structure(parts.names, parts.fields, size=size, flags=parts.flags)
    if kind == "V" and (parts.names, parts.fields) == (None, None):
        return _subarray(parts.base, size=size, flags=parts.flags)
    return None


def _subarray(base: Value, *, size: int, flags: int) -> Layout | None:
    match base:
        case Group(items=[dtype, shape]):
            inner, count = layout_of(dtype), elements_of(shape)
            if inner is None or count is None or inner.size * count != size or flags != inner.flags:
                return None
            return _nested(size, flags=flags, inner=[inner])
        case _:
            return None


def _fields(names: Value, fields: Value) -> list[tuple[int, Layout]] | None:
    if type(names) is not Group or names.cut or type(fields) is not Collection or fields.kind != "dict":
        return None
    listed = [str(name) for name in names.items if isinstance(name, str)]
    same = len(names.items) == len(listed) == len(set(listed)) == fields.count and set(fields.entries) == set(listed)
    found: list[tuple[int, Layout]] = []
    for name in listed if same and fields.special is None else []:
        match fields.entries[name]:
            case Group(items=[dtype, offset]) if is_count(offset) and (inner := layout_of(dtype)) is not None:
                found.append((offset, inner))
            case _:
                pass
    return found if listed and len(found) == len(listed) else None


def _structure(names: Value, fields: Value, *, size: int, flags: int) -> Layout | None:
    found = _fields(names, fields)
    if found is None:
        return None
    place, expected = 0, _NEEDS_PYAPI
    for offset, inner in sorted(found, key=lambda one: (one[0], one[1].size)):
        if offset < place:
            return None  # numbers over the place of an object would be its address
        place = offset + inner.size
        expected |= inner.flags & _FROM_FIELDS
    # NumPy 1 writes the flags as a signed byte.
    if place > size or flags & 0xFF & ~_ALIGNED != expected or not -(1 << 7) <= flags < 1 << 8:
        return None
    return _nested(size, flags=flags, inner=[inner for _, inner in found])


def _is_unit(unit: Value) -> bool:
    match unit:
        case Group(items=[name, number, 1, 1]) if is_count(number):
            text = name.decode("utf-8", "replace") if type(name) is bytes else name
            text = text.args.items[0] if type(text) is Instance and text.maker.name == "encode" else text
            return isinstance(text, str) and text in _UNITS
        case _:
            return False
