"""What is put into lists, sets and dictionaries, and into objects that are one."""

from __future__ import annotations

from typing import Literal

from weighbridge.checks.model_scan.pickle.naming import NamingMachine
from weighbridge.checks.model_scan.pickle.rules.kinds import object_class
from weighbridge.checks.model_scan.pickle.values import Collection, Instance, Opaque, Value


class FillingMachine(NamingMachine):
    """The opcodes that fill a collection."""

    def append(self) -> None:
        """APPEND."""
        item = self.pop()
        self._extend([item])

    def appends(self) -> None:
        """APPENDS."""
        items = self.pop_mark()
        self._extend(items)

    def _extend(self, items: list[Value]) -> None:
        # append and extend are looked up on whatever lies there, so only a list, or an object that is one, may.
        target = self._filled("list", f"{len(items)} items are appended to something that is not a list")
        if target is not None:
            for item in items:
                self.put(target, item)

    def _filled(self, kind: Literal["list", "dict"], problem: str) -> Collection | None:
        """Return what is filled: a literal collection, or the content of an object that is one."""
        target = self.top()
        if target is Opaque.UNKNOWN:
            return None
        if isinstance(target, (Collection, Instance)) and target.sealed:
            self.refuse("a collection is filled after something was made of it", rule="forbidden-state")
        if type(target) is Instance and _items_of(target) == kind:
            if target.content is None:
                target.content = Collection(kind)
            return target.content
        if type(target) is not Collection or target.kind != kind:
            self.refuse(problem, rule="forbidden-state")
        return target

    def set_item(self) -> None:
        """SETITEM."""
        value, key = self.pop(), self.pop()
        self._set(self._dictionary(), [key, value])

    def set_items(self) -> None:
        """SETITEMS."""
        items = self.pop_mark()
        self._set(self._dictionary(), items)

    def _dictionary(self) -> Value:
        return self._filled("dict", "an item is set in something that is not a dictionary")

    def add_items(self) -> None:
        """ADDITEMS."""
        items = self.pop_mark()
        target = self.top()
        if target is Opaque.UNKNOWN:
            return
        if type(target) is not Collection or target.kind != "set" or target.sealed:
            self.refuse("items are added to something that is not a set of this pickle", rule="forbidden-state")
        for item in items:
            self.put(target, item)


def _items_of(target: Instance) -> str | None:
    rule = object_class(target).rule
    return None if rule is None else rule.items
