"""How large the result of a pickle is to whoever prints, compares or walks it.

A pickle names one object at many places, and every level that does so multiplies: forty lists, each of twice the one
before, are a billion when they are printed. Here each object is measured once, and counted at each of its places.
"""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.budget import Expanded
from weighbridge.checks.model_scan.pickle.values import (
    WITH_PARTS,
    Collection,
    Group,
    Instance,
    Opaque,
    Value,
    length_of,
)

CEILING: Final = 1 << 60
"""Where sizes stop growing; they double with every few bytes."""

_ARRAYS: Final = frozenset({"_reconstruct", "_frombuffer", "_mareconstruct", "NumpyArrayWrapper", "scalar"})
_SHORT: Final = WITH_PARTS | {int, bool, type(None), Opaque}
_Sizes = tuple[int, int, int]
_OPEN: Final[_Sizes] = (1, 0, 1)


def measure(result: Value) -> Expanded:
    """Measure what a pickle made. What holds itself is counted as printing does: not again."""
    if type(result) not in WITH_PARTS:
        return Expanded(text=length_of(result))
    if type(result) is Instance and _is_numbers(result):
        return Expanded()
    known: dict[int, _Sizes] = {}
    waiting: list[tuple[Value, list[Value] | None]] = [(result, None)]
    while waiting:
        one, parts = waiting.pop()
        if parts is None:
            if id(one) in known:
                continue
            known[id(one)] = _OPEN
            parts = _parts_of(one)
            below: list[tuple[Value, list[Value] | None]] = []
            for part in parts:
                if id(part) in known:
                    continue
                if type(part) is Instance and _is_numbers(part):
                    known[id(part)] = _OPEN
                else:
                    below.append((part, None))
            if below:
                waiting.append((one, parts))
                waiting += below
                continue
        known[id(one)] = _sum(one, parts, known)
    objects, text, levels = known[id(result)]
    return Expanded(objects, text, levels)


def _parts_of(one: Value) -> list[Value]:
    if type(one) is Collection:
        return one.parts
    if type(one) is Group:
        found = one.items + one.rest if one.rest else one.items
    elif type(one) is Instance:
        found = [one.args, one.state, one.content] if one.args.items else [one.state, one.content]
    else:
        return []
    return [part for part in found if type(part) in WITH_PARTS]


def _is_numbers(one: Instance) -> bool:
    """Tell whether an object is a dtype, or an array of numbers: small to whoever prints it, whatever is in it."""
    if one.layout is not None:
        return True
    if one.maker.name not in _ARRAYS or one.content is not None:
        return False
    state = one.state
    return type(state) is Collection or (type(state) is Group and not any(map(_may_hold, state.items)))


def _may_hold(item: Value) -> bool:
    if type(item) is Instance:
        return item.layout is None and item.maker.name != "encode"
    # A shape is a tuple of whole numbers; a fill value may be any other.
    return type(item) is Collection or (type(item) is Group and any(type(part) is not int for part in item.items))


def _sum(one: Value, parts: list[Value], known: dict[int, _Sizes]) -> _Sizes:
    objects, text, levels = 1, 0, 0
    if type(one) is Collection:
        objects, text = 1 + one.count, one.text
    elif type(one) is Group:
        objects += len(one.items) + len(one.rest)
        for item in one.items + one.rest if one.rest else one.items:
            if type(item) not in _SHORT:
                text += length_of(item)
    for part in parts:
        part_objects, part_text, part_levels = known[id(part)]
        objects += part_objects
        text += part_text
        levels = max(levels, part_levels)
    if type(one) is Instance and one.maker.name in _ARRAYS:
        # An array keeps its bytes once, wherever it lies, and prints a few of its numbers.
        text = 0
    return min(objects, CEILING), min(text, CEILING), levels + 1
