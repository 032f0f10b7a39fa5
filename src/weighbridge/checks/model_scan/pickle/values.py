"""The values that lie on the symbolic stack.

Literals stand for themselves (None, bool, int, str, bytes up to a size); everything else is one of these types.
"""

from __future__ import annotations

import enum
from typing import Final

FUNCTION_FREE: Final = frozenset({"class", "constructor", "collection", "value"})
"""Rules whose globals may lie around as data. Any other global is a function that may only be called."""

MAX_KEPT: Final = 512
"""Most entries of a dictionary that are remembered by key."""


MAX_ITEMS: Final = 64
"""Most items of a tuple that are remembered; no shape, state or argument list that is judged is longer."""


class Opaque(enum.Enum):
    """Data whose content does not matter."""

    FLOAT = "float"
    LONG = "long"
    FORGOTTEN = "forgotten"
    UNKNOWN = "unknown"


class OldText(str):
    """Text of the string opcodes of protocols 0 to 2, whose type depends on how the reader decodes them."""

    __slots__ = ()


class Shadowed(str):
    """Text of a joblib object pickle, with what a plain unpickler would find at the same memo place."""

    __slots__ = ("other",)
    other: str


class Blob:
    """Long text or bytes, by place."""

    __slots__ = ("kind", "length", "offset")

    def __init__(self, kind: str, *, offset: int, length: int) -> None:
        self.kind = kind
        self.offset = offset
        self.length = length


class Global:
    """A name that a pickle imported. ``rule`` is None when it is not listed."""

    __slots__ = ("module", "name", "rule")

    def __init__(self, module: str, name: str, rule: str | None) -> None:
        self.module = module
        self.name = name
        self.rule = rule

    @property
    def path(self) -> str:
        """Return the full name."""
        return f"{self.module}.{self.name}"


class Group:
    """A tuple. ``holds_function`` is kept so that deep tuples need no second walk."""

    __slots__ = ("cut", "holds_function", "items")

    def __init__(self, items: list[Value]) -> None:
        self.holds_function = any(holds_function(item) for item in items)
        self.cut = len(items) > MAX_ITEMS
        self.items = items[:MAX_ITEMS] if self.cut else items


_NOTHING: Final[dict[str, Value]] = {}  # shared by all that have no entries, and never written to


class Collection:
    """A list, set or dictionary. Only a dictionary's entries under text keys are remembered."""

    __slots__ = ("entries", "kind", "special")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.entries: dict[str, Value] = _NOTHING
        self.special: str | None = None

    def keep(self, key: Value, value: Value) -> None:
        """Remember an entry, and the first key that names a special attribute."""
        if isinstance(key, Instance | Opaque | Global):
            self.special = self.special or "a computed key"
        if isinstance(key, str):
            if key.startswith("__") and key.endswith("__"):
                self.special = self.special or key
            if self.entries is _NOTHING:
                self.entries = {}
            if len(self.entries) < MAX_KEPT or key in self.entries:
                self.entries[key] = value


class Instance:
    """What a call gave: an object of a listed class, or the result of a listed function."""

    __slots__ = ("args", "maker", "state")

    def __init__(self, maker: Global, args: Group) -> None:
        self.maker = maker
        self.args = args
        self.state: Value = None


class Storage:
    """A tensor's storage, reached by a persistent id."""

    __slots__ = ("key",)

    def __init__(self, key: str) -> None:
        self.key = key


Value = None | bool | int | str | bytes | Opaque | Blob | Global | Group | Collection | Instance | Storage


def holds_function(value: Value) -> bool:
    """Tell whether a value is a listed function, or a tuple that holds one."""
    if type(value) is Global:
        return value.rule is not None and value.rule not in FUNCTION_FREE
    return type(value) is Group and value.holds_function
