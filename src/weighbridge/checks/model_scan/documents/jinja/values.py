"""What an expression of a template can be, known without rendering it.

Only what a subscript depends on is followed: whether text was written out in the template, was put together by it, or
came with the messages. The elements of a container are not told apart from one another.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import Enum
from typing import Final

MAX_TEXTS: Final = 24
"""Most different texts that one value is followed as."""

MAX_EXACT: Final = 200
"""Longest text that is followed letter by letter."""

MANY: Final = 10_000
"""What a counter in a loop is taken to reach."""

MOST: Final = 1 << 62
"""Where sizes stop to be counted."""


class Kind(Enum):
    """Values without anything more to know."""

    DATA = "what the messages and tools hold"
    CODE = "a function, macro or class"
    LIST = "a container that the template makes"
    SPACE = "a namespace"


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is known exactly."""

    text: str


@dataclass(frozen=True, slots=True)
class Made:
    """Text that the template puts together, of which only the beginning is known."""

    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A number or truth value, and the most that it can be."""

    most: int = 1


Atom = Kind | Text | Made | Number


@dataclass(frozen=True, slots=True)
class Value:
    """Everything that an expression can be, what is in it, and how large its text can get.

    ``items`` are the elements of a list, ``mapped`` and ``keys`` the values and keys of a mapping.
    """

    atoms: frozenset[Atom] = frozenset()
    items: Value | None = None
    mapped: Value | None = None
    keys: frozenset[Atom] = frozenset()
    size: int = 1

    def __or__(self, other: Value) -> Value:
        if self.endless and other.endless:
            return Value(self.atoms | other.atoms, None, None, self.keys | other.keys, max(self.size, other.size))
        items = _either(self.listed, other.listed)
        mapped = _either(self.looked_up, other.looked_up)
        return Value(self.atoms | other.atoms, items, mapped, self.keys | other.keys, max(self.size, other.size))

    @property
    def endless(self) -> bool:
        """Tell whether its containers are not told apart from what they hold."""
        return self.items is None and self.mapped is None

    @property
    def listed(self) -> Value | None:
        """Return the elements of a list, where it can be one."""
        return self._itself() if self.endless else self.items

    @property
    def looked_up(self) -> Value | None:
        """Return the values of a mapping, where it can be one."""
        return self._itself() if self.endless else self.mapped

    def _itself(self) -> Value | None:
        return Value(self.atoms | self.keys, size=self.size) if Kind.LIST in self.atoms else None

    @property
    def textual(self) -> bool:
        """Tell whether it can be text that stands in the template or is made by it."""
        return any(isinstance(atom, Text | Made) for atom in self.atoms)

    @property
    def most(self) -> int:
        """Return the largest number that it can be."""
        return max((atom.most for atom in self.atoms if isinstance(atom, Number)), default=1)

    @property
    def count(self) -> int:
        """Return how many turns a loop over it makes at most, as far as the template decides that."""
        return max(1 if self.items is None else self.items.most, self.size // MANY)

    def named(self) -> Value:
        """Return what a lookup by a written name gives."""
        return self._outer() | (self.looked_up or NOTHING)

    def member(self) -> Value:
        """Return what a lookup by anything gives."""
        return self._outer() | (self.listed or NOTHING) | (self.looked_up or NOTHING)

    def element(self) -> Value:
        """Return what a loop over it gives."""
        letters: frozenset[Atom] = frozenset({Made()}) if self.textual else frozenset()
        return self._outer() | (self.listed or NOTHING) | Value(self.keys | letters)

    def pairs(self) -> Value:
        """Return the keys and values of a mapping, in one."""
        return self._outer() | (self.looked_up or NOTHING) | Value(self.keys)

    def _outer(self) -> Value:
        return Value(frozenset(atom for atom in self.atoms if atom in (Kind.DATA, Kind.CODE)))


def _either(one: Value | None, other: Value | None) -> Value | None:
    return one if other is None else other if one is None else one | other


DATA: Final = Value(frozenset({Kind.DATA}))
CODE: Final = Value(frozenset({Kind.CODE}))
MADE: Final = Value(frozenset({Made()}))
NUMBER: Final = Value(frozenset({Number(MANY)}))
NOTHING: Final = Value()
MAX_NESTING: Final = 4
"""Deepest containers in one another that are told apart."""


def text(value: str) -> Value:
    """Return a text that stands in the template."""
    return Value(frozenset({_text(value)}), size=max(1, len(value)))


def _text(value: str) -> Atom:
    return Text(value) if len(value) <= MAX_EXACT else Made(value[:MAX_EXACT])


def number(most: int) -> Value:
    """Return a number of which the most is known."""
    return Value(frozenset({Number(min(most, MOST))}))


def container(*elements: Value) -> Value:
    """Return a list or tuple of these."""
    inner = _all(elements)
    return Value(frozenset({Kind.LIST}), items=_shallow(inner, MAX_NESTING), size=inner.size)


def mapping(*elements: Value, keys: frozenset[Atom] = frozenset()) -> Value:
    """Return a mapping to these."""
    inner = _all(elements)
    return Value(frozenset({Kind.LIST}), mapped=_shallow(inner, MAX_NESTING), keys=keys, size=inner.size)


def _all(elements: tuple[Value, ...]) -> Value:
    found = NOTHING
    for one in elements:
        found = found | one
    return found


def _shallow(value: Value, levels: int) -> Value:
    if value.endless:
        return value
    if levels > 0:
        items = None if value.items is None else _shallow(value.items, levels - 1)
        mapped = None if value.mapped is None else _shallow(value.mapped, levels - 1)
        return Value(value.atoms, items, mapped, value.keys, value.size)
    # What lies deeper is taken for anything that it could be at any depth.
    return Value(_everything(value) | {Kind.LIST}, size=value.size)


def anywhere(value: Value) -> Value:
    """Return a value, or anything that lies in it at any depth."""
    return value | Value(_everything(value), size=value.size)


def _everything(value: Value) -> frozenset[Atom]:
    inner = [_everything(one) for one in (value.items, value.mapped) if one is not None]
    return value.atoms.union(value.keys, *inner)


def joined(parts: list[Value]) -> Value:
    """Return the text of these one behind the other."""
    found: frozenset[Atom] = frozenset({Text("")})
    for part in parts:
        found = _follow(found, part.atoms)
    return Value(found, size=min(MOST, sum(part.size for part in parts)))


def _follow(starts: frozenset[Atom], ends: frozenset[Atom]) -> frozenset[Atom]:
    if len(starts) * len(ends) > MAX_TEXTS**2:
        return frozenset({common(starts)})
    found: set[Atom] = {start for start in starts if isinstance(start, Made)}
    for start in starts:
        if isinstance(start, Text):
            for end in ends or frozenset({Text("")}):
                found.add(_appended(start.text, end))
    return frozenset(found) if len(found) <= MAX_TEXTS else frozenset({common(found)})


def _appended(start: str, end: Atom) -> Atom:
    if isinstance(end, Text):
        return _text(start + end.text)
    if isinstance(end, Made):
        return Made((start + end.prefix)[:MAX_EXACT])
    if isinstance(end, Number):
        return Made(start or "0")
    return Made(start)


def common(atoms: Set[Atom] | Set[Text | Made]) -> Made:
    """Return what is known of the beginning of all these."""
    beginnings = [one.text if isinstance(one, Text) else one.prefix for one in atoms if isinstance(one, Text | Made)]
    if len(beginnings) < len(atoms):
        return Made()
    # The first and the last in order differ first where any two do.
    first, last = min(beginnings), max(beginnings)
    same = next((place for place, letter in enumerate(first) if last[place : place + 1] != letter), len(first))
    return Made(first[:same])


def widened(value: Value) -> Value:
    """Return a value that holds this one and what more rounds of a loop could make of it.

    Numbers and sizes become what a counter reaches; what grows faster than by one piece a turn is refused elsewhere.
    """
    items = None if value.items is None else widened(value.items)
    mapped = None if value.mapped is None else widened(value.mapped)
    sized = value.textual or not value.endless
    return Value(_wide(value.atoms), items, mapped, _wide(value.keys), MANY if sized else 1)


def _wide(atoms: frozenset[Atom]) -> frozenset[Atom]:
    texts = {atom for atom in atoms if isinstance(atom, Text | Made)}
    kept: set[Atom] = {atom for atom in atoms if isinstance(atom, Kind)}
    numbers = len(texts) + len(kept) < len(atoms)
    if texts:
        kept.add(common(texts))
    if numbers:
        kept.add(Number(MANY))
    return frozenset(kept)
