"""Python's own types: literal-like values with bounded work, and nothing that reads, calls or allocates by a number."""

from __future__ import annotations

import re
from typing import Final

from weighbridge.checks.model_scan.pickle.attributes import Attributes
from weighbridge.checks.model_scan.pickle.rules.kinds import (
    BUILTINS,
    are_plain,
    is_bytes,
    is_count,
    is_literal,
    is_number,
    is_small,
    is_text,
    made_by,
    named,
)
from weighbridge.checks.model_scan.pickle.rules.rule import Items, Rule
from weighbridge.checks.model_scan.pickle.values import Blob, Collection, Group, Instance, Kept, Opaque, Value

MAX_RANGE: Final = 10_000_000
"""Longest range: whoever iterates over it makes that many numbers."""

MAX_DIGITS: Final = 100
"""Most digits of an exact number, and the largest exponent."""

_DECIMAL: Final = re.compile(
    r"[+-]?(?:\d{1,100}(?:\.\d{0,100})?|\.\d{1,100})(?:[eE][+-]?\d{1,2})?|[+-]?(?:Infinity|NaN|sNaN)"
)
_FRACTION: Final = re.compile(r"[+-]?\d{1,100}(?:/\d{1,100})?")
_FACTORIES: Final = frozenset({"list", "dict", "set", "tuple", "int", "float", "str", "bool", "long", "unicode"})


def is_collection(value: Value) -> bool:
    """Tell whether a value is a literal collection or tuple, or an ordered dictionary made of one."""
    return type(value) in (Collection, Group) or made_by(value, "OrderedDict", "list", "tuple", "dict", "set")


def _collection(items: Items) -> bool:
    match items:
        case [] | [None]:
            return True
        case [one]:
            return is_collection(one)
        case [one, limit]:
            return is_collection(one) and (limit is None or is_count(limit))
        case _:
            return False


def _defaultdict(items: Items) -> bool:
    match items:
        case []:
            return True
        case [factory, *rest]:
            known = (
                factory is None or named(factory, _FACTORIES, BUILTINS) or named(factory, frozenset({"OrderedDict"}))
            )
            return known and (rest == [] or (len(rest) == 1 and is_collection(rest[0])))
        case _:
            return False


def _encode(items: Items) -> bool:
    match items:
        case [text, "latin1" | "latin-1"]:
            return is_text(text) or text is Opaque.FORGOTTEN
        case _:
            return False


def _bytes(items: Items) -> bool:
    match items:
        case [] | [Collection()]:
            return True
        case [content]:
            return is_bytes(content)
        case [content, "latin1" | "latin-1" | "utf-8"]:
            return isinstance(content, str | Blob)
        case _:
            return False


def _complex(items: Items) -> bool:
    return len(items) in (1, 2) and all(is_number(item) for item in items)


def _slice(items: Items) -> bool:
    return len(items) == 3 and all(item is None or is_small(item) for item in items)  # noqa: PLR2004


def _range(items: Items) -> bool:
    match items:
        case [int(start), int(stop), int(step)]:
            return all(is_small(item) for item in items) and step != 0 and abs(stop - start) <= MAX_RANGE * abs(step)
        case _:
            return False


def _date(items: Items) -> bool:
    match items:
        case [content]:
            return is_bytes(content)
        case [content, zone] if is_bytes(content):
            return made_by(zone, "timezone")
        case _:
            return 0 < len(items) <= 8 and all(is_small(item) for item in items)  # noqa: PLR2004


def _timedelta(items: Items) -> bool:
    return len(items) == 3 and all(is_small(item) for item in items)  # noqa: PLR2004


def _timezone(items: Items) -> bool:
    match items:
        case [delta] | [delta, str()]:
            return made_by(delta, "timedelta")
        case _:
            return False


def _decimal(items: Items) -> bool:
    return len(items) == 1 and isinstance(items[0], str) and _DECIMAL.fullmatch(items[0]) is not None


def _fraction(items: Items) -> bool:
    match items:
        case [str(text)]:
            return _FRACTION.fullmatch(text) is not None
        case [int(above), int(below)]:
            return below != 0 and max(abs(above), abs(below)) < 10**MAX_DIGITS
        case _:
            return False


def _none(items: Items) -> bool:
    return not items


def _uuid_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del target, attributes
    entries = state.entries if type(state) is Collection and state.kind == "dict" and state.special is None else {}
    safe = entries.get("is_safe")
    known = safe is None or made_by(safe, "SafeUUID")
    fits = (
        set(entries) in ({"int"}, {"int", "is_safe"})
        and (type(entries["int"]) is int or entries["int"] is Opaque.LONG)
        and known
    )
    return None if fits and type(state) is Collection and state.count == len(entries) else "is not that of a UUID"


def _safe(items: Items) -> bool:
    return items in ([0], [-1], [None])


def _ordered_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    """Judge what torch adds to the dictionary of a module's weights: the versions of its parts."""
    del target, attributes
    match state:
        case Collection(kind="dict", special=None, count=1, entries={"_metadata": versions}):
            return None if made_by(versions, "OrderedDict") or is_literal(versions, "dict") else "is not torch's"
        case _:
            return "is more than the versions that torch adds"


def _counter(items: Items) -> bool:
    match items:
        case []:
            return True
        case [Collection(kind="dict") as one]:
            return are_plain([one])
        case _:
            return False


BUILTIN_RULES: Final = {
    "type": Rule(kept=Kept.TYPE),
    "list": Rule(call=_collection, new=_none, items="list", kept=Kept.TYPE, is_plain=True),
    "tuple": Rule(call=_collection, kept=Kept.TYPE, is_plain=True, hashes=True),
    "set": Rule(call=_collection, kept=Kept.TYPE, is_plain=True, hashes=True),
    "dict": Rule(call=_collection, new=_none, items="dict", kept=Kept.TYPE, is_plain=True, hashes=True),
    "ordered-dict": Rule(
        call=_collection, new=_none, state=_ordered_state, items="dict", kept=Kept.TYPE, is_plain=True, hashes=True
    ),
    "defaultdict": Rule(call=_defaultdict, items="dict", is_plain=True, hashes=True),
    "counter": Rule(call=_counter, items="dict", is_plain=True, hashes=True),
    "encode": Rule(call=_encode, is_plain=True),
    "bytes": Rule(call=_bytes, kept=Kept.TYPE, is_plain=True),
    "complex": Rule(call=_complex, kept=Kept.TYPE, is_plain=True),
    "slice": Rule(call=_slice, is_plain=True),
    "range": Rule(call=_range, is_plain=True),
    "date": Rule(call=_date, is_plain=True),
    "timedelta": Rule(call=_timedelta, is_plain=True),
    "timezone": Rule(call=_timezone, is_plain=True),
    "decimal": Rule(call=_decimal, is_plain=True),
    "fraction": Rule(call=_fraction, is_plain=True),
    "uuid": Rule(call=_none, new=_none, state=_uuid_state, is_plain=True),
    "uuid-safety": Rule(call=_safe, is_plain=True),
}
"""The rules about Python's own types."""
