"""The part of a document that is judged: its small containers whole, of its large ones only what could matter.

A vocabulary of a hundred thousand numbers or a list of as many words is walked and not kept, so memory is bounded by
``MAX_KEPT`` and not by the size of the document.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from weighbridge.checks.model_scan.report import UndecidedError

MAX_KEPT: Final = 100_000
"""Most values of one document that are kept to be judged."""

MAX_KEPT_TEXT: Final = 8 * 1024**2
"""Most characters of them."""

MAX_TEXT: Final = 64 * 1024
"""Longest text that is kept; the longest template that is judged is no longer."""

SMALL_OBJECT: Final = 64
"""Members of an object that are kept whatever they are."""

SMALL_ARRAY: Final = 16
"""Elements of an array that are kept whatever they are."""

MAX_DEPTH: Final = 200
"""Deepest nesting that is walked; the deepest model of nested layers has some dozens."""


@dataclass(slots=True, eq=False)  # so that whatever a document has can be looked for in a set of texts
class Object:
    """An object with the members that were kept, in order; a key may come twice, and both are here."""

    members: list[tuple[str, Node]] = field(default_factory=list)
    count: int = 0

    def get(self, key: str) -> Node:
        """Return the last value of a key, as Python's reader does, or None."""
        return next((value for name, value in reversed(self.members) if name == key), None)

    def text(self, key: str) -> str | None:
        """Return a value that is text."""
        value = self.get(key)
        return value if isinstance(value, str) else None

    def has(self, *keys: str) -> bool:
        """Tell whether all of these keys were kept."""
        return self.keys().issuperset(keys)

    def keys(self) -> frozenset[str]:
        """Return the keys that were kept."""
        return frozenset(name for name, _ in self.members)


@dataclass(slots=True, eq=False)
class Array:
    """An array with the elements that were kept."""

    items: list[Node] = field(default_factory=list)
    count: int = 0


@dataclass(frozen=True, slots=True)
class LongText:
    """Text that is too long to be kept."""

    template: bool


Node = Object | Array | LongText | str | bool | int | None
"""A value; every number that is not zero is one, since only that is asked."""


@dataclass(slots=True)
class Kept:
    """Counts what is kept of one document."""

    values: int = 0
    characters: int = 0

    def more(self, values: int, characters: int) -> None:
        """Add to what is kept, or take away.

        Raises:
            UndecidedError: It is too much.
        """
        self.values += values
        self.characters += characters
        if self.values > MAX_KEPT or self.characters > MAX_KEPT_TEXT:
            raise UndecidedError(
                "document-too-large", f"more than {MAX_KEPT} values of the document would have to be judged one by one"
            )


@dataclass(slots=True)
class Frame:
    """A container that is not closed yet."""

    node: Object | Array
    key: str
    """The key that it stands under; an array in an array has that of the outer one."""
    room: int
    name: str = ""
    """The key of the member that is being read."""
    marked: bool = False
    values: int = 0
    characters: int = 0

    def take(self, node: Node, *, marked: bool, kept: Kept) -> None:
        """Put a scalar into the container when it is kept."""
        self.node.count += 1
        if marked or self.node.count <= self.room:
            characters = len(node) if isinstance(node, str) else 0
            self._keep(node, 1, characters)
            kept.more(1, characters)
            self.marked = self.marked or marked

    def take_container(self, inner: Frame, *, marked: bool, kept: Kept) -> None:
        """Put a closed container into this one, or forget it with all that is in it."""
        self.node.count += 1
        if marked or self.node.count <= self.room:
            self._keep(inner.node, inner.values + 1, inner.characters)
            kept.more(1, 0)
            self.marked = self.marked or marked
        else:
            kept.more(-inner.values, -inner.characters)

    def _keep(self, node: Node, values: int, characters: int) -> None:
        if isinstance(self.node, Object):
            self.node.members.append((self.name, node))
        else:
            self.node.items.append(node)
        self.values += values
        self.characters += characters


def frame(opening: str, key: str, *, everything: bool) -> Frame:
    """Begin a container; ``everything`` of it is kept where its key may name code."""
    if opening == "{":
        return Frame(Object(), key, SMALL_OBJECT)
    return Frame(Array(), key, MAX_KEPT if everything else SMALL_ARRAY)
