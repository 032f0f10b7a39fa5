"""The values that lie on the symbolic stack.

Literals stand for themselves (None, bool, int, str, bytes up to a size); everything else is one of these types.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from weighbridge.checks.model_scan.pickle.rules.rule import Rule

MAX_KEPT: Final = 512
"""Most entries of a dictionary that are remembered by key."""


MAX_ITEMS: Final = 64
"""Most items of a tuple that are remembered; no shape, state or argument list that is judged is longer."""

LONG_WEIGHT: Final = 1000
"""What a number that is larger than 62 bits weighs as a key: such numbers can be chosen to have one hash."""

MAX_WEIGHT: Final = 1 << 40
"""Where weights stop growing: tuples of tuples double theirs with every few bytes."""

_SHORT: Final = 1 << 61


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


class Kept(enum.Enum):
    """How a name may lie around as data."""

    NEVER = "never"
    TYPE = "type"  # a type of numbers or text, which makes nothing but those
    FUNCTION = "function"  # a pure function
    MARK = "mark"  # the type of an array, where a rebuilder of arrays looks for it


@dataclass(frozen=True, slots=True)
class Layout:
    """One element of an array: its bytes, whether objects are in it, and the flags that NumPy gives its dtype."""

    size: int
    holds_objects: bool
    flags: int
    is_plain_object: bool = False
    levels: int = 1
    fields: int = 1


class Global:
    """A name that a pickle imported. ``rule`` is None when it is not listed."""

    __slots__ = ("holds_function", "module", "name", "rule")
    weight: ClassVar[int] = 1
    is_open: ClassVar[bool] = False

    def __init__(self, module: str, name: str, rule: Rule | None) -> None:
        self.module = module
        self.name = name
        self.rule = rule
        self.holds_function = rule is not None and rule.kept in (Kept.NEVER, Kept.MARK)

    @property
    def path(self) -> str:
        """Return the full name."""
        return f"{self.module}.{self.name}"


_NO_REST: Final[list[Value]] = []  # shared by all tuples that are not cut


class Group:
    """A tuple. What its items are is summed up, so that deep tuples need no second walk.

    ``is_open`` tells that something in it can still be filled. Only ``items`` are judged; ``rest`` is what lies behind
    them in a tuple that is longer than any.
    """

    __slots__ = ("cut", "holds_function", "is_open", "is_plain", "items", "rest", "weight")
    holds_function: bool
    is_open: bool
    weight: int

    def __init__(self, items: list[Value]) -> None:
        holds, plain, opened = False, True, False
        weight = 1 + len(items)
        for item in items:
            kind = type(item)
            if kind in LITERALS or (kind is int and -_SHORT < item < _SHORT):  # type: ignore[operator]
                continue
            if kind in NUMBERS:
                weight += weight_of(item) - 1
                continue
            weight += item.weight - 1  # type: ignore[union-attr]
            holds = holds or item.holds_function  # type: ignore[union-attr]
            plain = plain and is_plain(item)
            opened = opened or item.is_open  # type: ignore[union-attr]
        self.holds_function, self.is_plain, self.is_open = holds, plain, opened
        self.weight = min(weight, MAX_WEIGHT)
        self.cut = len(items) > MAX_ITEMS
        self.items = items[:MAX_ITEMS] if self.cut else items
        self.rest = items[MAX_ITEMS:] if self.cut else _NO_REST


_NOTHING: Final[dict[str, Value]] = {}  # shared by all that have no entries, and never written to
_NO_PARTS: Final[list[Value]] = []  # shared in the same way
_NO_WORDS: Final[list[str]] = []


class Collection:
    """A list, set or dictionary. Only a dictionary's entries under text keys are remembered.

    ``count`` is the number of items or entries that were put in, ``weight`` what hashing all of them would cost,
    ``text`` how long the text and bytes in it are, and ``parts`` what it holds that has parts of its own.
    ``words`` are the first texts of a list.
    ``sealed`` is set when a call or a state took it: what was judged then may not change afterwards.
    """

    __slots__ = ("count", "entries", "is_plain", "kind", "parts", "sealed", "special", "text", "weight", "words")
    holds_function: ClassVar[bool] = False
    is_open: ClassVar[bool] = True

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.entries: dict[str, Value] = _NOTHING
        self.special: str | None = None
        self.count = 0
        self.weight = 0
        self.text = 0
        self.words: list[str] = _NO_WORDS
        self.parts: list[Value] = _NO_PARTS
        self.is_plain = True
        self.sealed = False

    def add(self, item: Value) -> None:
        """Count an item of a list or set."""
        self.count += 1
        if type(item) is str:
            self.weight += 1
            self.text += len(item)
            if self.words is _NO_WORDS:
                self.words = []
            if len(self.words) < MAX_ITEMS:
                self.words.append(item)
            return
        self.weight += weight_of(item)
        if type(item) in NUMBERS or item is None:
            return
        self.is_plain = self.is_plain and is_plain(item)
        self.hold(item)

    def hold(self, item: Value) -> None:
        """Remember what an item has parts of its own, and how long it is."""
        if type(item) in WITH_PARTS:
            if self.parts is _NO_PARTS:
                self.parts = []
            self.parts.append(item)
        else:
            self.text += length_of(item)

    def keep(self, key: Value, value: Value) -> None:
        """Remember an entry, and the first key that names a special attribute."""
        self.count += 1
        self.weight += 1
        kind = type(value)
        if kind is str:
            self.text += len(value)  # type: ignore[arg-type]
        elif kind not in NUMBERS and value is not None:
            self.is_plain = self.is_plain and is_plain(value)
            self.hold(value)
        if not isinstance(key, str):
            self.weight += weight_of(key) - 1
            self.is_plain = self.is_plain and is_plain(key)
            self.hold(key)
            self.special = self.special or "something by a key that is no literal text"
            return
        if key[:2] == "__" and key.endswith("__"):
            self.special = self.special or key
        entries = self.entries
        if entries is _NOTHING:
            entries = self.entries = {}
        if len(entries) < MAX_KEPT or key in entries:
            entries[key] = value
        else:
            self.special = self.special or f"more than {MAX_KEPT} names"

    def pass_over(self, count: int) -> None:
        """Count entries of numbers under text that come after those that are remembered."""
        if count:
            self.count += count
            self.weight += count
            self.special = self.special or f"more than {MAX_KEPT} names"


class Instance:
    """What a call gave: an object of a listed class, or the result of a listed function.

    ``content`` is what it was filled with, ``layout`` what was found out about a dtype, ``raw`` the place of an array
    that lies between the opcodes, and ``short`` its bytes when they are few.
    """

    __slots__ = (
        "args", "built", "content", "is_open", "layout", "maker", "plain", "raw", "sealed", "short", "state", "weight",
    )  # fmt: skip
    holds_function: ClassVar[bool] = False

    def __init__(self, maker: Global, args: Group) -> None:
        self.maker = maker
        self.args = args
        self.state: Value = None
        self.built = False
        rule = maker.rule
        self.is_open = rule is not None and (rule.items is not None or rule.makes_any)
        # A tuple by a call is hashed as one by an opcode is.
        self.weight = 20 + args.weight if rule is not None and rule.hashes else 20
        self.plain = rule is not None and rule.is_plain and (rule.items is None or args.is_plain)
        self.content: Collection | None = None
        self.layout: Layout | None = None
        self.raw: Blob | None = None
        self.short: bytes | None = None
        self.sealed = False

    def give(self, state: Value) -> None:
        """Give the object its state."""
        self.state, self.built = state, True
        self.plain = self.plain and is_plain(state)


class Storage:
    """A tensor's storage, reached by a persistent id, and how many numbers are in it."""

    __slots__ = ("count", "key")
    weight: ClassVar[int] = 1
    holds_function: ClassVar[bool] = False
    is_open: ClassVar[bool] = False

    def __init__(self, key: str, count: int) -> None:
        self.key = key
        self.count = count


WITH_PARTS: Final = frozenset({Group, Collection, Instance})
"""Types whose values have parts of their own."""

Value = None | bool | int | str | bytes | Opaque | Blob | Global | Group | Collection | Instance | Storage


NUMBERS: Final = frozenset({int, Opaque})
"""Types of numbers, whose values are data, some of them heavy."""

LITERALS: Final = frozenset({type(None), bool, str, OldText, Shadowed, bytes, Blob})
"""Types whose values are data of weight one, whatever they hold."""


def holds_function(value: Value) -> bool:
    """Tell whether a value is a name that may not be kept as data, or a tuple that holds one."""
    return type(value) in (Global, Group) and value.holds_function  # type: ignore[union-attr]


def is_mark(value: Value) -> bool:
    """Tell whether a value is the type of an array, which a rebuilder of arrays looks for."""
    return type(value) is Global and value.rule is not None and value.rule.kept is Kept.MARK


def is_plain(value: Value) -> bool:
    """Tell whether a value is made of numbers, text, bytes and arrays only: nothing of it can be called."""
    kind = type(value)
    if kind in LITERALS or kind in NUMBERS:
        return True
    if kind is Group or kind is Collection:
        return value.is_plain  # type: ignore[union-attr]
    if type(value) is Instance:
        return value.plain and (value.content is None or value.content.is_plain)
    return is_mark(value) if kind is Global else kind is not Storage


def weight_of(value: Value) -> int:
    """Return what hashing a value costs, in values that are looked at."""
    kind = type(value)
    if kind is int:
        return 1 if -_SHORT < value < _SHORT else LONG_WEIGHT  # type: ignore[operator]
    if kind in WITH_PARTS:
        return value.weight  # type: ignore[union-attr]
    return LONG_WEIGHT if value is Opaque.LONG else 1


def length_of(value: Value) -> int:
    """Return how long text or bytes are; nothing else has a length here."""
    if type(value) is Blob:
        return value.length
    return len(value) if isinstance(value, (str, bytes)) else 0
