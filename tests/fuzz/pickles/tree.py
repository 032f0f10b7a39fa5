"""A pickle as a tree that can be changed: read from its opcodes without loading anything, and written in any protocol.

Nodes are shared where the pickle shares them, and may contain themselves.
"""

from __future__ import annotations

import itertools
import pickle
import pickletools
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

MAX_NODES: Final = 3000
"""Largest tree that is taken as a seed; longer ones cost more time than they teach."""


@dataclass(eq=False, slots=True)
class Literal:
    """None, a boolean, a number, text or bytes."""

    value: Any


@dataclass(eq=False, slots=True)
class Sequence:
    """A tuple, list, set or frozenset."""

    kind: str
    items: list[Node] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Mapping:
    """A dictionary; keys may come twice, as in a pickle."""

    pairs: list[tuple[Node, Node]] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Name:
    """An imported global."""

    module: str
    name: str


@dataclass(eq=False, slots=True)
class Make:
    """A call, and what is done to its result: items, and one state after another."""

    callee: Node
    args: Node
    how: str = "reduce"
    states: list[Node] = field(default_factory=list)
    appends: list[Node] = field(default_factory=list)
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    keywords: Node | None = None


@dataclass(eq=False, slots=True)
class Persistent:
    """A persistent id."""

    key: Node


Node = Literal | Sequence | Mapping | Name | Make | Persistent


class UnreadableError(Exception):
    """A pickle uses what the tree has no form for."""


def children(node: Node) -> Iterator[Node]:
    """Yield the nodes directly inside one."""
    match node:
        case Sequence(items=items):
            yield from items
        case Mapping(pairs=pairs):
            for key, value in pairs:
                yield key
                yield value
        case Make():
            yield node.callee
            yield node.args
            if node.keywords is not None:
                yield node.keywords
            yield from node.states
            yield from node.appends
            for key, value in node.pairs:
                yield key
                yield value
        case Persistent(key=key):
            yield key
        case _:
            pass


def _each(root: Node) -> Iterator[Node]:
    seen = {id(root)}
    found = [root]
    for node in found:
        yield node
        for child in children(node):
            if id(child) not in seen:
                seen.add(id(child))
                found.append(child)


def walk(root: Node) -> list[Node]:
    """Return every node once, the root first."""
    return list(_each(root))


def has_more(root: Node, most: int) -> bool:
    """Tell whether there are more nodes than so many, without looking at the rest of them."""
    return next(itertools.islice(_each(root), most, None), None) is not None


def copy(root: Node) -> Node:
    """Return a copy that shares what the original shares, names and literals included."""
    made: dict[int, Node] = {}
    pending: list[Node] = []

    def shell(node: Node) -> Node:
        known = made.get(id(node))
        if known is not None:
            return known
        new: Node
        match node:
            case Literal(value):
                new = Literal(value)
            case Name(module, name):
                new = Name(module, name)
            case Sequence(kind):
                new = Sequence(kind)
                pending.append(node)
            case Mapping():
                new = Mapping()
                pending.append(node)
            case Persistent(key):
                new = Persistent(key)
                pending.append(node)
            case Make():
                new = Make(node.callee, node.args, node.how)
                pending.append(node)
        made[id(node)] = new
        return new

    result = shell(root)
    while pending:
        node = pending.pop()
        new = made[id(node)]
        match node, new:
            case Sequence(), Sequence():
                new.items = [shell(item) for item in node.items]
            case Mapping(), Mapping():
                new.pairs = [(shell(key), shell(value)) for key, value in node.pairs]
            case Persistent(), Persistent():
                new.key = shell(node.key)
            case Make(), Make():
                new.callee, new.args = shell(node.callee), shell(node.args)
                new.states = [shell(state) for state in node.states]
                new.appends = [shell(item) for item in node.appends]
                new.pairs = [(shell(key), shell(value)) for key, value in node.pairs]
                new.keywords = None if node.keywords is None else shell(node.keywords)
            case _:
                raise AssertionError
    return result


def read(data: bytes) -> Node:  # noqa: PLR0912 - one branch an opcode
    """Take a pickle apart.

    Raises:
        UnreadableError: It has an opcode that no honest pickler of these libraries writes, or is too large.
    """
    stack: list[Any] = []
    marks: list[list[Any]] = []
    memo: dict[int, Any] = {}

    def to_mark() -> list[Any]:
        nonlocal stack
        items, stack = stack, marks.pop()
        return items

    def pairs_of(items: list[Any]) -> list[tuple[Node, Node]]:
        return list(zip(items[::2], items[1::2], strict=True))

    argument: Any
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if count > MAX_NODES * 3:
            raise UnreadableError("too large")
        match opcode.name:
            case "PROTO" | "FRAME":
                pass
            case "NONE":
                stack.append(Literal(None))
            case "NEWTRUE":
                stack.append(Literal(True))
            case "NEWFALSE":
                stack.append(Literal(False))
            case "INT" | "BININT" | "BININT1" | "BININT2" | "LONG" | "LONG1" | "LONG4" | "FLOAT" | "BINFLOAT":
                stack.append(Literal(argument))
            case "UNICODE" | "BINUNICODE" | "SHORT_BINUNICODE" | "BINUNICODE8":
                stack.append(Literal(argument))
            case "STRING" | "BINSTRING" | "SHORT_BINSTRING":
                stack.append(Literal(argument if isinstance(argument, str) else argument.decode("latin-1")))
            case "BINBYTES" | "SHORT_BINBYTES" | "BINBYTES8":
                stack.append(Literal(bytes(argument)))
            case "BYTEARRAY8":
                stack.append(Literal(bytearray(argument)))
            case "EMPTY_LIST":
                stack.append(Sequence("list"))
            case "EMPTY_TUPLE":
                stack.append(Sequence("tuple"))
            case "EMPTY_SET":
                stack.append(Sequence("set"))
            case "EMPTY_DICT":
                stack.append(Mapping())
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                length = int(opcode.name[-1])
                stack[-length:] = [Sequence("tuple", stack[-length:])]
            case "TUPLE":
                items = to_mark()
                stack.append(Sequence("tuple", items))
            case "LIST":
                items = to_mark()
                stack.append(Sequence("list", items))
            case "FROZENSET":
                items = to_mark()
                stack.append(Sequence("frozenset", items))
            case "DICT":
                items = to_mark()
                stack.append(Mapping(pairs_of(items)))
            case "APPEND":
                _extend(stack[-2], [stack.pop()])
            case "APPENDS" | "ADDITEMS":
                items = to_mark()
                _extend(stack[-1], items)
            case "SETITEM":
                value, key = stack.pop(), stack.pop()
                stack[-1].pairs.append((key, value))
            case "SETITEMS":
                items = to_mark()
                stack[-1].pairs.extend(pairs_of(items))
            case "MARK":
                marks.append(stack)
                stack = []
            case "POP":
                stack.pop() if stack else to_mark()
            case "POP_MARK":
                to_mark()
            case "DUP":
                stack.append(stack[-1])
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                memo[int(argument)] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(memo[int(argument)])
            case "GLOBAL":
                module, _, name = argument.partition(" ")
                stack.append(Name(module, name))
            case "STACK_GLOBAL":
                last, first = stack.pop(), stack.pop()
                stack.append(Name(first.value, last.value))
            case "REDUCE":
                args, callee = stack.pop(), stack.pop()
                stack.append(Make(callee, args))
            case "OBJ":
                items = to_mark()
                stack.append(Make(items[0], Sequence("tuple", items[1:])))
            case "INST":
                module, _, name = argument.partition(" ")
                stack.append(Make(Name(module, name), Sequence("tuple", to_mark())))
            case "NEWOBJ":
                args, callee = stack.pop(), stack.pop()
                stack.append(Make(callee, args, "newobj"))
            case "NEWOBJ_EX":
                keywords, args, callee = stack.pop(), stack.pop(), stack.pop()
                stack.append(Make(callee, args, "newobj-ex", keywords=keywords))
            case "BUILD":
                state = stack.pop()
                if not isinstance(stack[-1], Make):
                    raise UnreadableError("a state for something that no call made")
                stack[-1].states.append(state)
            case "BINPERSID":
                stack.append(Persistent(stack.pop()))
            case "STOP":
                break
            case other:
                raise UnreadableError(other)
    root: Node = stack.pop()
    if len(walk(root)) > MAX_NODES:
        raise UnreadableError("too large")
    return root


def _extend(target: Any, items: list[Any]) -> None:
    if isinstance(target, Make):
        target.appends.extend(items)
    elif isinstance(target, Sequence) and target.kind != "tuple":
        target.items.extend(items)
    else:
        raise UnreadableError("items for something that takes none")


def write(
    root: Node, rng: random.Random, *, protocol: int, tricks: float = 0.0, shared: frozenset[int] | None = None
) -> bytes:
    """Write a pickle in a protocol; ``tricks`` is how often a node is written in an unusual way.

    ``shared`` is what ``shared_in`` said of the root, for a caller that writes it more than once.
    """
    return _Writer(rng, protocol=protocol, tricks=tricks).run(root, shared_in(root) if shared is None else shared)


class _Writer:
    def __init__(self, rng: random.Random, *, protocol: int, tricks: float) -> None:
        self._rng = rng
        self._protocol = protocol
        self._tricks = tricks
        self._out = bytearray()
        self._memo: dict[int, int] = {}
        self._open: set[int] = set()
        self._shared: frozenset[int] = frozenset()
        self._depth = 0

    def run(self, root: Node, shared: frozenset[int]) -> bytes:
        self._shared = shared
        if self._protocol >= 2:
            self._out += bytes((0x80, self._protocol))
        self.put(root)
        return bytes(self._out) + b"."

    def _odd(self) -> bool:
        return self._tricks > 0 and self._rng.random() < self._tricks

    def put(self, node: Node) -> None:
        out = self._out
        place = self._memo.get(id(node))
        if place is not None:
            out += b"h" + bytes([place]) if place < 256 else b"j" + struct.pack("<I", place)
            return
        self._depth += 1
        if self._depth > 200 or id(node) in self._open:
            # Too deep for this writer, or a tuple that contains itself: no honest pickle needs either.
            out += b"N"
        else:
            if self._odd():
                self._noise()
            self._put_new(node)
        self._depth -= 1

    def _noise(self) -> None:
        self._out += self._rng.choice((b"N0", b"(1", b"(N1", b"(K\x01K\x022t0", b"]0", b"}20" + b"0"))

    def _keep(self, node: Node) -> None:
        if id(node) in self._shared or self._odd():
            place = len(self._memo)
            self._memo[id(node)] = place
            if self._protocol >= 4 and not self._odd():
                self._out += b"\x94"
            elif place < 256:
                self._out += b"q" + bytes([place])
            else:
                self._out += b"r" + struct.pack("<I", place)

    def _put_new(self, node: Node) -> None:
        match node:
            case Literal(value):
                self._literal(value)
                if type(value) in (str, bytes, bytearray):
                    self._keep(node)
            case Name(module, name):
                self._name(module, name)
                self._keep(node)
            case Sequence():
                self._sequence(node)
            case Mapping():
                self._out += b"}"
                self._keep(node)
                self._pairs(node.pairs)
            case Persistent(key):
                self.put(key)
                self._out += b"Q"
            case Make():
                self._make(node)

    def _name(self, module: str, name: str) -> None:
        if self._protocol >= 4 and not self._odd():
            self._text(module)
            self._text(name)
            self._out += b"\x93"
        else:
            self._out += f"c{module}\n{name}\n".encode("utf-8", "surrogatepass")

    def _text(self, value: str) -> None:
        raw = value.encode("utf-8", "surrogatepass")
        if self._protocol == 0 and value.isascii() and value.isprintable() and "\\" not in value:
            self._out += b"V" + raw + b"\n"
        elif self._protocol >= 4 and len(raw) < 256:
            self._out += b"\x8c" + bytes([len(raw)]) + raw
        else:
            self._out += b"X" + struct.pack("<I", len(raw)) + raw

    def _literal(self, value: Any) -> None:  # noqa: PLR0912 - one branch a type
        out = self._out
        if value is None:
            out += b"N"
        elif value is True or value is False:
            out += b"\x88" if value else b"\x89"
        elif type(value) is int:
            if 0 <= value < 256:
                out += b"K" + bytes([value])
            elif -(2**31) <= value < 2**31:
                out += b"J" + struct.pack("<i", value)
            else:
                out += pickle.dumps(value, 2)[2:-1]
        elif type(value) is float:
            out += b"G" + struct.pack(">d", value)
        elif type(value) is str:
            if self._odd() and len(value) < 256 and value.isascii():
                out += b"U" + bytes([len(value)]) + value.encode()
            else:
                self._text(value)
        elif type(value) is bytes:
            out += (
                b"C" + bytes([len(value)]) + value if len(value) < 256 else b"B" + struct.pack("<I", len(value)) + value
            )
        elif type(value) is bytearray:
            out += b"\x96" + struct.pack("<Q", len(value)) + value
        else:
            raise TypeError(type(value))

    def _sequence(self, node: Sequence) -> None:
        items, out = node.items, self._out
        match node.kind:
            case "tuple":
                self._tuple(items, node)
                self._keep(node)
            case "list" if self._odd():
                self._from_mark(items, b"l", node)
                self._keep(node)
            case "list":
                out += b"]"
                self._keep(node)
                if len(items) == 1:
                    self.put(items[0])
                    out += b"a"
                elif items:
                    self._from_mark(items, b"e", None)
            case "set":
                out += b"\x8f"
                self._keep(node)
                if items:
                    self._from_mark(items, b"\x90", None)
            case _:
                self._from_mark(items, b"\x91", node)
                self._keep(node)

    def _tuple(self, items: list[Node], node: Node) -> None:
        if not items and not self._odd():
            self._out += b")"
        elif len(items) <= 3 and items and not self._odd():
            self._open.add(id(node))
            for item in items:
                self.put(item)
            self._open.discard(id(node))
            self._out += (b"\x85", b"\x86", b"\x87")[len(items) - 1]
        else:
            self._from_mark(items, b"t", node)

    def _from_mark(self, items: list[Node], code: bytes, node: Node | None) -> None:
        if node is not None:
            self._open.add(id(node))
        self._out += b"("
        for item in items:
            self.put(item)
        self._out += code
        if node is not None:
            self._open.discard(id(node))

    def _pairs(self, pairs: list[tuple[Node, Node]]) -> None:
        if not pairs:
            return
        if len(pairs) == 1 or self._odd():
            for key, value in pairs:
                self.put(key)
                self.put(value)
                self._out += b"s"
            return
        self._out += b"("
        for key, value in pairs:
            self.put(key)
            self.put(value)
        self._out += b"u"

    def _make(self, node: Make) -> None:
        out = self._out
        self._open.add(id(node))
        how = node.how
        flat = isinstance(node.args, Sequence) and node.args.kind == "tuple" and id(node.args) not in self._memo
        if flat and (how in ("obj", "inst") or (how == "reduce" and self._odd())):
            assert isinstance(node.args, Sequence)
            if how == "inst" and isinstance(node.callee, Name):
                code = f"i{node.callee.module}\n{node.callee.name}\n".encode("utf-8", "surrogatepass")
                self._from_mark(node.args.items, code, None)
            else:
                self._from_mark([node.callee, *node.args.items], b"o", None)
        else:
            self.put(node.callee)
            self.put(node.args)
            if how == "newobj-ex":
                self.put(node.keywords or Mapping())
            out += {"newobj": b"\x81", "newobj-ex": b"\x92"}.get(how, b"R")
        self._open.discard(id(node))
        self._keep(node)
        if node.appends:
            self._from_mark(node.appends, b"e", None)
        self._pairs(node.pairs)
        for state in node.states:
            self.put(state)
            out += b"b"


def shared_in(root: Node) -> frozenset[int]:
    """Return the ``id`` of every node that lies at more than one place."""
    seen = {id(root)}
    shared: set[int] = set()
    pending = [root]
    while pending:
        for child in children(pending.pop()):
            if id(child) in seen:
                shared.add(id(child))
            else:
                seen.add(id(child))
                pending.append(child)
    return frozenset(shared)
