"""Stack, marks, memo and containers of the symbolic machine.

Opcodes after Python's ``pickletools`` and PEP 307, 3154 and 574; where the C and the Python unpickler differ, what
either would accept is judged by the stricter reading.
"""

from __future__ import annotations

from typing import Final, Never

from weighbridge.checks.model_scan.budget import MAX_MADE, MAX_MARKS, MAX_MEMO, MAX_STACK
from weighbridge.checks.model_scan.pickle.context import Context
from weighbridge.checks.model_scan.pickle.values import (
    LITERALS,
    MAX_KEPT,
    NUMBERS,
    Collection,
    Global,
    Group,
    Instance,
    Value,
    holds_function,
    is_mark,
    weight_of,
)
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError

_NO_MEMO: Final = object()


class StackMachine:
    """The part of the machine that only moves data; ``outer`` is the one around an array of objects of joblib."""

    def __init__(self, reader: Reader, context: Context, *, outer: StackMachine | None = None) -> None:
        self.reader = reader
        self.context = context
        self.stack: list[Value] = []
        self._below: list[list[Value]] = []
        self._memo: list[object] = []
        self._holes = False
        self._made = 0
        self._kept = 0
        self._deep = 0
        self._outer = outer

    # --- helpers ---

    def refuse(self, message: str, *, rule: str = "malformed-pickle") -> Never:
        """Stop: the pickle cannot be followed any further."""
        raise RefusedError(rule, message, offset=self.reader.tell())

    def pop(self) -> Value:
        """Take the topmost value above the last mark."""
        if not self.stack:
            self.refuse("an opcode takes a value from an empty stack")
        return self.stack.pop()

    def take(self, count: int) -> list[Value]:
        """Take the topmost values above the last mark, the lowest of them first."""
        taken = self.stack[-count:]
        if len(taken) < count:
            self.refuse("an opcode takes a value from an empty stack")
        del self.stack[-count:]
        return taken

    def top(self) -> Value:
        """Return the topmost value above the last mark."""
        if not self.stack:
            self.refuse("an opcode needs a value on an empty stack")
        return self.stack[-1]

    def pop_mark(self) -> list[Value]:
        """Take everything above the last mark, and the mark."""
        if not self._below:
            self.refuse("an opcode needs a mark and there is none")
        items = self.stack
        self.stack = self._below.pop()
        self._deep -= len(self.stack)
        return items

    def make(self, value: Group | Collection | Instance) -> None:
        """Put something new on the stack, and count it.

        Raises:
            UndecidedError: The pickle makes more than may be in memory.
        """
        self._made += 1 + (len(value.items) >> 2 if type(value) is Group else 0)
        if self._made > MAX_MADE:
            raise UndecidedError(
                "pickle-too-large", f"the pickle makes more than {MAX_MADE} objects", offset=self.reader.tell()
            )
        self.stack.append(value)

    def data(self, value: Value, *, into: str) -> Value:
        """Return a value that is put into other data, after reporting it when it is a function."""
        if holds_function(value):
            self.context.finding(
                "function-as-data",
                f"a function that may only be called is kept in {into}, from where other code could call it",
                offset=self.reader.tell(),
            )
        return value

    # --- containers ---

    def empty_list(self) -> None:
        """EMPTY_LIST."""
        self.make(Collection("list"))

    def empty_dict(self) -> None:
        """EMPTY_DICT."""
        self.make(Collection("dict"))

    def empty_set(self) -> None:
        """EMPTY_SET."""
        self.make(Collection("set"))

    def empty_tuple(self) -> None:
        """EMPTY_TUPLE."""
        self.make(Group([]))

    def tuple1(self) -> None:
        """TUPLE1."""
        self.make(Group(self.take(1)))

    def tuple2(self) -> None:
        """TUPLE2."""
        self.make(Group(self.take(2)))

    def tuple3(self) -> None:
        """TUPLE3."""
        self.make(Group(self.take(3)))

    def tuple_(self) -> None:
        """TUPLE: from the mark."""
        items = self.pop_mark()
        self.make(Group(items))

    def _collect(self, kind: str) -> None:
        made = Collection(kind)
        for item in self.pop_mark():
            self.put(made, item)
        self.make(made)

    def put(self, target: Collection, item: Value) -> None:
        """Put an item into a list or set."""
        if type(item) not in LITERALS:
            self.data(item, into=f"a {target.kind}")
            if target.kind == "set":
                self.hash(item)
        target.add(item)

    def hash(self, key: Value) -> None:
        """Count what it costs to hash a value."""
        weight = weight_of(key)
        if weight > 1:
            self.context.budget.hash(weight, read=self.reader.tell())

    def list_(self) -> None:
        """LIST: from the mark."""
        self._collect("list")

    def frozenset_(self) -> None:
        """FROZENSET: from the mark."""
        self._collect("set")

    def dict_(self) -> None:
        """DICT: from the mark."""
        items = self.pop_mark()
        made = Collection("dict")
        self._set(made, items)
        self.make(made)

    def _set(self, target: Value, items: list[Value]) -> None:
        if len(items) % 2:
            self.refuse("a dictionary gets a key without a value")
        kept = target if isinstance(target, Collection) else None
        full = kept is not None and len(kept.entries) >= MAX_KEPT
        passed = 0
        for key, value in zip(items[::2], items[1::2], strict=True):
            kind = type(value)
            if full and type(key) is str and kind in NUMBERS and key[:2] != "__":
                passed += 1  # a vocabulary goes on like this for a hundred thousand entries
                continue
            if type(key) is not str:
                self.data(key, into="a dictionary")
                self.hash(key)
            # joblib names the type of an array so; nothing else that may not be kept is meant.
            if (kind is Global or kind is Group) and not (key == "subclass" and is_mark(value)):
                self.data(value, into="a dictionary")
            if kept is not None:
                kept.keep(key, value)
        if kept is not None:
            kept.pass_over(passed)

    def memoize(self) -> None:
        """MEMOIZE: at the place that is the memo's size."""
        if self._holes:
            # The Python unpickler counts filled places, the C one too; only a made-up pickle mixes the two ways.
            self.refuse("the memo is filled out of order")
        self._put(len(self._memo))

    def _put(self, place: int) -> None:
        memo, stack = self._memo, self.stack
        if stack and place == len(memo) < MAX_MEMO:
            memo.append(stack[-1])
            return
        if place >= MAX_MEMO and place > 2 * len(memo):
            raise RefusedError(
                "memo-bomb", f"the pickle fills place {place} of a memo of {len(memo)}", offset=self.reader.tell()
            )
        if place >= MAX_MEMO:
            raise UndecidedError(
                "pickle-too-large", f"the memo has more than {MAX_MEMO} places", offset=self.reader.tell()
            )
        value = self.top()
        if place > len(memo):
            self._holes = True
            memo.extend([_NO_MEMO] * (place + 1 - len(memo)))
        memo[place] = value

    def put_line(self) -> None:
        """PUT."""
        self._put(self._line_number())

    def put1(self) -> None:
        """BINPUT."""
        self._put(self.reader.byte())

    def put4(self) -> None:
        """LONG_BINPUT."""
        self._put(self.reader.number(4))

    def _line_number(self) -> int:
        text = self.reader.line(20)
        if not text.isdigit():
            self.refuse("a memo place is not a number")
        return int(text)

    def _get(self, place: int) -> None:
        memo = self._memo
        value = memo[place] if place < len(memo) else _NO_MEMO
        if value is _NO_MEMO:
            self.refuse("the pickle reads an empty memo place")
        self.stack.append(value)  # type: ignore[arg-type]
        if self._outer is not None:
            self.compare(place, self._outer)

    def compare(self, place: int, outer: StackMachine) -> None:
        """Look at what the machine around this one has at a memo place that was just read."""

    def get_line(self) -> None:
        """GET."""
        self._get(self._line_number())

    def get1(self) -> None:
        """BINGET."""
        self._get(self.reader.byte())

    def get4(self) -> None:
        """LONG_BINGET."""
        self._get(self.reader.number(4))

    def remembered(self, place: int) -> Value:
        """Return what lies at a memo place, None when nothing does."""
        filled = place < len(self._memo) and self._memo[place] is not _NO_MEMO
        return self._memo[place] if filled else None  # type: ignore[return-value]

    # --- stack ---

    def mark(self) -> None:
        """MARK."""
        self._below.append(self.stack)
        self._deep += len(self.stack)
        self.stack = []
        if len(self._below) > MAX_MARKS:
            self.refuse(f"more than {MAX_MARKS} marks lie one inside the other, and picklers stop at a thousand")
        if self._deep > MAX_STACK:
            raise UndecidedError(
                "pickle-too-large", f"more than {MAX_STACK} values lie below marks", offset=self.reader.tell()
            )

    def pop_one(self) -> None:
        """POP: a value, or the mark when nothing lies above it."""
        if self.stack:
            self.stack.pop()
        else:
            self.pop_mark()

    def pop_to_mark(self) -> None:
        """POP_MARK."""
        self.pop_mark()

    def duplicate(self) -> None:
        """DUP."""
        self.stack.append(self.top())

    def frame(self) -> None:
        """FRAME: its length has no meaning for what is executed, but must fit."""
        if self.reader.number(8) >= 1 << 40:
            self.refuse("a frame is longer than any file")
