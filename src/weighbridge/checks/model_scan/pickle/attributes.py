"""Which attributes the objects of a listed class have, and which names are methods of it.

The lists are data, read from the libraries' sources over many versions; see ``allow.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from weighbridge._struct import Wire


class ClassEntry(Wire):
    """What one class says about itself; the rest is said by its bases."""

    bases: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def joined(self, other: ClassEntry) -> ClassEntry:
        """Return what this list and another say about the class."""
        return ClassEntry(
            bases=self.bases + other.bases,
            attributes=self.attributes + other.attributes,
            methods=self.methods + other.methods,
        )


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one class, with those of its bases."""

    attributes: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Attributes:
    """The names of every listed class, put together when they are first asked for."""

    classes: Mapping[str, ClassEntry]
    _known: dict[str, Names] = field(default_factory=dict)

    def of(self, path: str) -> Names:
        """Return the names of a class by its full name; none for a class that no list describes."""
        known = self._known.get(path)
        if known is None:
            found = self._lineage(path)
            methods = frozenset(name for entry in found for name in entry.methods)
            attributes = frozenset(name for entry in found for name in entry.attributes)
            known = self._known[path] = Names(attributes - methods, methods)
        return known

    def _lineage(self, path: str) -> list[ClassEntry]:
        seen: dict[str, ClassEntry] = {}
        waiting = [path]
        while waiting:
            name = waiting.pop()
            if name in self.classes and name not in seen:
                seen[name] = self.classes[name]
                waiting += seen[name].bases
        return list(seen.values())
