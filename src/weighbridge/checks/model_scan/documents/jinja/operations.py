"""What operators, filters, methods and functions make of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from jinja2 import nodes

from weighbridge.checks.model_scan.documents.jinja import values
from weighbridge.checks.model_scan.documents.jinja.values import (
    DATA,
    MADE,
    MANY,
    MOST,
    NOTHING,
    NUMBER,
    Kind,
    Made,
    Number,
    Text,
    Value,
)
from weighbridge.checks.model_scan.documents.jinja.vocabulary import MUTATING
from weighbridge.checks.model_scan.documents.listed import listed

_ELEMENT: Final = frozenset({"first", "last", "random", "min", "max", "pop"})
_CONTAINERS: Final = listed(
    "list sort unique reverse select reject selectattr rejectattr batch slice dictsort items groupby copy keys "
    "values union "
)
_COUNTS: Final = listed("length count int float round abs wordcount index find rfind rindex ")
_EXACT: Final[dict[str, Callable[[str], str]]] = {
    "lower": str.lower, "upper": str.upper, "trim": str.strip, "strip": str.strip, "title": str.title,
    "capitalize": str.capitalize, "swapcase": str.swapcase, "casefold": str.casefold, "lstrip": str.lstrip,
    "rstrip": str.rstrip, "string": str, "safe": str, "e": str, "escape": str, "forceescape": str,
}  # fmt: skip
_PIECES: Final = frozenset({"split", "rsplit", "splitlines", "partition", "rpartition"})


def added(left: Value, right: Value) -> Value:
    """Return ``left + right``: of numbers, texts or containers."""
    found: set[values.Atom] = set()
    texts = [
        Value(frozenset(atom for atom in side.atoms if not isinstance(atom, Number)), size=side.size)
        for side in (left, right)
    ]
    numbers = [any(isinstance(atom, Number) for atom in side.atoms) for side in (left, right)]
    if all(numbers):
        found.add(Number(min(MOST, left.most + right.most)))
    elif any(numbers) and any(Kind.DATA in side.atoms for side in (left, right)):
        found.add(Number(max(MANY, left.most, right.most)))
    if texts[0].atoms and texts[1].atoms:
        found |= {Kind.LIST} & (left.atoms | right.atoms)
        texts = [Value(side.atoms - {Kind.LIST}, size=side.size) for side in texts]
        found |= values.joined(texts).atoms if all(side.atoms for side in texts) else set()
    both = left | right
    return Value(frozenset(found), both.items, both.mapped, both.keys, min(MOST, left.size + right.size))


def multiplied(left: Value, right: Value) -> Value:
    """Return ``left * right``: of numbers, or a text or container many times over."""
    found: set[values.Atom] = {Kind.DATA} if Kind.DATA in left.atoms & right.atoms else set()
    if not (left.textual or right.textual):
        found.add(Number(min(MOST, max(1, left.most) * max(1, right.most))))
    for side in (left, right):
        for atom in side.atoms:
            if isinstance(atom, Text | Made):
                found.add(Made(atom.text if isinstance(atom, Text) else atom.prefix))
    found |= {Kind.LIST} & (left.atoms | right.atoms)
    repeated = max((side.size for side in (left, right) if side.textual or not side.endless), default=0)
    size = min(MOST, repeated * max(left.most, right.most)) if repeated else 1
    return Value(frozenset(found), (left | right).items, size=size)


def remainder(left: Value, right: Value) -> Value:
    """Return ``left % right``, which formats when the left side is text."""
    if left.textual:
        return Value(MADE.atoms, size=min(MOST, left.size + right.size))
    if any(isinstance(atom, Number) for atom in left.atoms | right.atoms):
        return NUMBER
    return Value(frozenset({Made(), Number(MANY)}))


def power(left: Value, right: Value) -> Value:
    """Return ``left ** right``."""
    small = left.most < 1 << 16 and right.most < 64  # noqa: PLR2004 - so that the product fits the count
    return values.number(left.most**right.most if small else MOST)


def _number(left: Value, right: Value) -> Value:
    return values.number(max(left.most, right.most, 1))


ARITHMETIC: Final[dict[type[nodes.Node], Callable[[Value, Value], Value]]] = {
    nodes.Add: added,
    nodes.Sub: _number,
    nodes.Mul: multiplied,
    nodes.Div: _number,
    nodes.FloorDiv: _number,
    nodes.Mod: remainder,
    nodes.Pow: power,
}


def by_filter(name: str, base: Value, given: list[Value], element: Value) -> Value:
    """Return what a filter of Jinja makes of a value."""
    if name in ("default", "d"):
        for one in given:
            base = base | one
        return base
    if name == "join":
        return Value(MADE.atoms, size=min(MOST, base.size * max((one.size for one in given), default=1)))
    if name == "sum":
        total = added(values.anywhere(element), values.anywhere(element)) | NUMBER
        # It begins with what it is given, so that an empty list is that.
        for one in given:
            total = total | one
        return total
    return _transformed(name, base, given, element)


def by_method(name: str, base: Value, given: list[Value], element: Value) -> Value:
    """Return what a method gives."""
    if name in ("get", "setdefault", "next", "cycle", "pop"):
        for one in given:
            element = element | one
        return element | base.member() | DATA
    if name == "join":
        return Value(MADE.atoms, size=min(MOST, base.size * max((one.size for one in given), default=1)))
    if name in _PIECES:
        exact = _transformed("string", base, [], element)
        made = frozenset(Made() if isinstance(atom, Text | Made) else atom for atom in exact.atoms)
        return values.container(Value(made, size=base.size))
    if name == "format":
        return Value(frozenset(_until_brace(atom) for atom in base.atoms), size=_total(base, given))
    if name in MUTATING or name.startswith(("is", "starts", "ends")):
        return DATA if name in MUTATING else values.number(1)
    return _transformed(name, base, given, element)


def by_function(name: str, given: list[Value], *, keys: frozenset[values.Atom]) -> Value:
    """Return what a function of Jinja or Transformers gives; ``keys`` are the names of what it is given."""
    if name == "range":
        return Value(items=values.number(max((one.most for one in given), default=MANY)))
    if name in ("namespace", "dict", "cycler", "joiner"):
        inside = [values.anywhere(one) for one in given]
        if name == "namespace":
            # What it is made with is held by the names of its fields.
            return Value(frozenset({Kind.LIST, Kind.SPACE}), mapped=NOTHING)
        if name == "dict":
            return values.mapping(*inside, keys=keys)
        return values.mapping(*inside) | values.container(*inside)
    return MADE


def _transformed(name: str, base: Value, given: list[Value], element: Value) -> Value:
    if name in _ELEMENT:
        return element
    if name in _CONTAINERS:
        if name == "copy":
            return base
        if name in ("items", "dictsort"):
            element = values.container(element | base.pairs())
        elif name == "groupby":
            element = values.container(values.anywhere(element)) | values.mapping(values.anywhere(element))
        elif name == "values":
            element = element | base.pairs()
        return values.container(element) | DATA | (MADE if base.textual else NOTHING)
    if name in _COUNTS:
        return values.number(base.most if name in ("int", "float", "round", "abs") else MANY)
    suspicious = any(one.textual and _may_hold_underscore(one) for one in given)
    # The text of a container has the texts in it; one of messages has what the template put there.
    suspicious = suspicious or (Kind.DATA in base.atoms and _texts_in(element))
    found = {_by_text(name, atom, given, suspicious=suspicious) for atom in base.atoms}
    size = _replaced(base, given) if name == "replace" else _total(base, given) if given else base.size
    return Value(frozenset(found), base.items, size=size)


def _by_text(name: str, atom: values.Atom, given: list[Value], *, suspicious: bool) -> values.Atom:
    if isinstance(atom, Text) and name in _EXACT and not given:
        return Text(_EXACT[name](atom.text))
    if isinstance(atom, Made) and name in ("safe", "string"):
        return atom
    if isinstance(atom, Text | Made) or suspicious or atom in (Kind.LIST, Kind.SPACE):
        return Made()
    return Kind.DATA if isinstance(atom, Number) else atom


def _texts_in(value: Value) -> bool:
    return values.anywhere(value).textual


def _may_hold_underscore(value: Value) -> bool:
    return any(isinstance(atom, Made) or (isinstance(atom, Text) and "_" in atom.text) for atom in value.atoms)


def _until_brace(atom: values.Atom) -> values.Atom:
    return Made(atom.text.partition("{")[0]) if isinstance(atom, Text) else Made()


def _total(base: Value, given: list[Value]) -> int:
    return min(MOST, base.size + sum(one.size for one in given))


def _replaced(base: Value, given: list[Value]) -> int:
    old, new = [*given, MADE, MADE][:2]
    shortest = min((len(one.text) for one in old.atoms if isinstance(one, Text)), default=1)
    # An empty text is found before and behind every letter.
    growth = new.size + 1 if shortest == 0 else -(-new.size // shortest)
    return min(MOST, base.size * max(1, growth))
