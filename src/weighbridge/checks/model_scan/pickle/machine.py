"""The symbolic machine: names, calls and state, on top of the stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from weighbridge.checks.model_scan.budget import MAX_OPCODES, MAX_STACK
from weighbridge.checks.model_scan.pickle import calls, joblib_arrays
from weighbridge.checks.model_scan.pickle.context import Context
from weighbridge.checks.model_scan.pickle.literals import LiteralMachine
from weighbridge.checks.model_scan.pickle.rules import objects
from weighbridge.checks.model_scan.pickle.rules.objects import judge_object_state
from weighbridge.checks.model_scan.pickle.stack import StackMachine
from weighbridge.checks.model_scan.pickle.values import (
    Blob,
    Collection,
    Global,
    Group,
    Instance,
    OldText,
    Opaque,
    Shadowed,
    Value,
    holds_function,
)
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import ROUTE, UndecidedError

HIGHEST_PROTOCOL: Final = 5
"""Newest pickle protocol that is followed."""

MAX_NAME: Final = 512
"""Longest module or attribute name."""

DANGEROUS: Final = frozenset(
    [
        "__builtin__",
        "builtins",
        "os",
        "posix",
        "nt",
        "subprocess",
        "sys",
        "socket",
        "shutil",
        "runpy",
        "code",
        "ctypes",
        "importlib",
        "pty",
        "pickle",
        "_pickle",
        "marshal",
        "webbrowser",
        "asyncio",
        "multiprocessing",
        "operator",
        "functools",
        "types",
        "cloudpickle",
        "dill",
        "pip",
        "requests",
        "urllib",
    ]
)
"""Modules whose unlisted names are called critical. It changes a word in the report and decides nothing."""


class Machine(LiteralMachine):
    """Follows one pickle from its first opcode to STOP."""

    def __init__(self, reader: Reader, context: Context, *, outer: StackMachine | None = None) -> None:
        super().__init__(reader, context)
        self._outer = outer
        self._running = True
        self._start = reader.tell()
        self._handlers = self._table()

    def run(self) -> Value:
        """Follow the pickle and return what it makes.

        Raises:
            RefusedError: The bytes are no pickle that can be followed to its end.
            UndecidedError: A budget is spent.
        """
        handlers, byte, budget = self._handlers, self.reader.byte, self.context.budget
        left = budget.opcodes
        try:
            while self._running:
                left -= 1
                if left < 0 or len(self.stack) > MAX_STACK:
                    raise UndecidedError(
                        f"the pickle has more than {MAX_OPCODES} opcodes, or {MAX_STACK} values on its stack",
                        offset=self.reader.tell(),
                    )
                handlers[byte()]()
        finally:
            budget.opcodes = left
        result = self.data(self.pop(), into="the result")
        if self.stack or self._below:
            self.refuse("the pickle leaves values behind on its stack")
        return result

    # --- names ---

    def _global(self, module: str, name: str) -> Value:
        rule = self.context.rules.get((module, name))
        made = Global(module, name, rule)
        if rule is None:
            dangerous = module.partition(".")[0] in DANGEROUS or "." in name
            self.context.finding(
                "forbidden-global",
                f"the pickle imports {made.path}, which is not on the allow list",
                offset=self.reader.tell(),
                severity="critical" if dangerous else "high",
                remedy=f"if {made.path} is needed and harmless, have it reviewed for the allow list; else {ROUTE}",
            )
            return Opaque.UNKNOWN
        return made

    def global_line(self) -> None:
        """GLOBAL: two lines."""
        module, name = self._name_line(), self._name_line()
        self.stack.append(self._global(module, name))

    def _name_line(self) -> str:
        try:
            return self.reader.line(MAX_NAME).decode("utf-8")
        except UnicodeDecodeError:
            self.refuse("an imported name is not UTF-8")

    def global_stack(self) -> None:
        """STACK_GLOBAL: both names must be literal text."""
        name, module = self.pop(), self.pop()
        if isinstance(name, Shadowed) or isinstance(module, Shadowed):
            self._check_shadows(module, name)
            module, name = (str.__str__(text) if isinstance(text, Shadowed) else text for text in (module, name))
        if type(name) is not str or type(module) is not str:
            self.context.finding(
                "computed-global",
                "the name of an import is not literal text",
                offset=self.reader.tell(),
                severity="critical",
            )
            self.stack.append(Opaque.UNKNOWN)
            return
        self.stack.append(self._global(module, name))

    def _check_shadows(self, module: Value, name: Value) -> None:
        # What a plain unpickler would import instead: a listed global, or else a name that no list knows to exist.
        module = module.other if isinstance(module, Shadowed) else module
        name = name.other if isinstance(name, Shadowed) else name
        listed = {listed_name for _, listed_name in self.context.rules}
        if (module, name) not in self.context.rules and name not in listed:
            self.context.finding(
                "computed-global",
                "a plain unpickler would import another name here than joblib does",
                offset=self.reader.tell(),
                severity="critical",
            )

    def _get(self, place: int) -> None:
        super()._get(place)
        if self._outer is None:
            return
        other, found = self._outer.remembered(place), self.stack[-1]
        # A class here is made by NEWOBJ, which a function at its place would only make fail.
        loader = type(other) is Global and other.name == "_load_from_bytes"
        called = type(found) is Global and found.rule is not None and found.rule.call is not None
        made = type(found) is Global and found.rule is not None and found.rule.state is judge_object_state
        if loader or (called and not made and holds_function(other)):
            self.refuse("a plain unpickler would find a function at this memo place", rule="ambiguous-joblib")
        if type(found) is str and type(other) is str:
            shadowed = Shadowed(found)
            shadowed.other = other
            self.stack[-1] = shadowed

    def extension(self, width: int) -> Callable[[], None]:
        """EXT1, EXT2, EXT4: an import by number from a registry that only the loading process knows."""

        def handler() -> None:
            code = self.number(width)
            self.context.finding(
                "extension-code",
                f"the pickle imports by extension code {code}, whose meaning is not in the file",
                offset=self.reader.tell(),
                severity="critical",
            )
            self.stack.append(Opaque.UNKNOWN)

        return handler

    # --- calls ---

    def _call(self, callee: Value, args: Value, *, how: calls.How) -> Value:
        if callee is Opaque.UNKNOWN or (type(args) is Group and Opaque.UNKNOWN in args.items):
            return Opaque.UNKNOWN  # reported where it came from
        offset = self.reader.tell()
        if type(callee) is not Global or type(args) is not Group:
            self.context.finding(
                "forbidden-call",
                "the pickle calls something that it did not import by name, or with arguments that are no tuple",
                offset=offset,
                severity="critical",
            )
            return Opaque.UNKNOWN
        problem = calls.judge(callee, args, how=how)
        if problem is not None:
            self.context.finding("forbidden-arguments", f"{callee.path} {problem}", offset=offset, severity="critical")
            return Opaque.UNKNOWN
        self._charge(args)
        if callee.rule is not None and callee.rule.hashes:
            for item in args.items:
                self._hash_again(item)
        calls.seal(args)
        calls.follow(callee, args, self.context, offset=offset)
        return Instance(callee, args)

    def _charge(self, value: Value) -> None:
        # A call makes its result from what it is given, and the same value can be given a million times.
        self.context.budget.make(
            sum(map(_size_of, value.items if type(value) is Group else [value])), read=self.reader.tell()
        )

    def _hash_again(self, item: Value) -> None:
        if isinstance(item, Collection | Group) and item.weight > 1:
            self.context.budget.hash_all(item.weight, read=self.reader.tell())

    def _push(self, value: Value) -> None:
        if type(value) is Instance:
            self.make(value)
        else:
            self.stack.append(value)

    def reduce(self) -> None:
        """REDUCE."""
        args, callee = self.pop(), self.pop()
        self._push(self._call(callee, args, how="reduce"))

    def new_object(self) -> None:
        """NEWOBJ."""
        args, callee = self.pop(), self.pop()
        self._push(self._call(callee, args, how="new"))

    def new_object_ex(self) -> None:
        """NEWOBJ_EX: with keyword arguments, which no listed class needs in a pickle."""
        keywords, args, callee = self.pop(), self.pop(), self.pop()
        if not isinstance(keywords, Collection) or keywords.entries or keywords.kind != "dict":
            self.context.finding(
                "forbidden-arguments", "an object is made with keyword arguments", offset=self.reader.tell()
            )
        self._push(self._call(callee, args, how="new"))

    def object_(self) -> None:
        """OBJ: class and arguments from the mark."""
        items = self.pop_mark()
        if not items:
            self.refuse("an object is made without a class")
        self._push(self._call(items[0], Group(items[1:]), how="reduce"))

    def instance_line(self) -> None:
        """INST: class by two lines, arguments from the mark."""
        module, name = self._name_line(), self._name_line()
        items = self.pop_mark()
        self._push(self._call(self._global(module, name), Group(items), how="reduce"))

    def build(self) -> None:
        """BUILD: gives an object its state."""
        state, target = self.pop(), self.top()
        if target is Opaque.UNKNOWN:
            return
        offset = self.reader.tell()
        problem = calls.judge_state(target, state, self.context)
        if problem is not None or type(target) is not Instance:
            self.context.finding("forbidden-state", str(problem), offset=offset, severity="critical")
            return
        target.state, target.built = state, True
        rule = objects.object_class(target).rule
        if rule is not None and rule.state is judge_object_state:
            calls.seal_attributes(state)
        else:
            calls.seal(state)
        self._charge(state)
        if (target.maker.module, target.maker.name) == joblib_arrays.WRAPPER:
            joblib_arrays.follow(self, target)

    # --- data into containers ---

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
        if isinstance(target, Collection | Instance) and target.sealed:
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

    # --- ends ---

    def protocol(self) -> None:
        """PROTO: only at the start."""
        version = self.reader.byte()
        if version > HIGHEST_PROTOCOL or self.reader.tell() != self._start + 2:
            self.refuse(f"protocol {version} is declared in the middle, or not known")

    def stop(self) -> None:
        """STOP."""
        self._running = False

    def persistent_line(self) -> None:
        """PERSID."""
        self._persistent(OldText(self.reader.line(MAX_NAME).decode("latin-1")))

    def persistent_stack(self) -> None:
        """BINPERSID."""
        self._persistent(self.pop())

    def _persistent(self, key: Value) -> None:
        if self.context.persistent is None:
            self.context.finding(
                "persistent-id",
                "the pickle asks its reader for an object by a persistent id, outside a torch archive",
                offset=self.reader.tell(),
            )
            self.stack.append(Opaque.UNKNOWN)
            return
        self.stack.append(self.context.persistent(key, self.reader.tell()))

    def buffer(self) -> None:
        """NEXT_BUFFER and READONLY_BUFFER: data from outside the file."""
        self.refuse("the pickle needs an out-of-band buffer", rule="out-of-band-buffer")

    def unknown(self) -> None:
        """Any byte that is no opcode."""
        self.refuse("a byte is no pickle opcode")

    def _table(self) -> list[Callable[[], None]]:
        table = [self.unknown] * 256
        for code, name in OPCODES.items():
            table[ord(code)] = getattr(self, name)
        for code, width in (("\x82", 1), ("\x83", 2), ("\x84", 4)):
            table[ord(code)] = self.extension(width)
        return table


def _items_of(target: Instance) -> str | None:
    rule = objects.object_class(target).rule
    return None if rule is None else rule.items


def _size_of(value: Value) -> int:
    if isinstance(value, bytes | str):
        return len(value)
    if type(value) is Blob:
        return value.length
    if type(value) is Collection:
        return 8 * value.count
    return 8


OPCODES: Final[dict[str, str]] = {
    "N": "none", "\x88": "true", "\x89": "false", "I": "line_integer", "L": "line_integer", "K": "integer1",
    "M": "integer2", "J": "integer4", "\x8a": "long1", "\x8b": "long4", "F": "line_float", "G": "binary_float",
    "S": "line_string", "T": "string4", "U": "string1", "V": "line_unicode", "\x8c": "unicode1", "X": "unicode4",
    "\x8d": "unicode8", "C": "bytes1", "B": "bytes4", "\x8e": "bytes8", "\x96": "bytes8", "]": "empty_list",
    "}": "empty_dict", "\x8f": "empty_set", ")": "empty_tuple", "\x85": "tuple1", "\x86": "tuple2",
    "\x87": "tuple3", "t": "tuple_", "l": "list_", "d": "dict_", "\x91": "frozenset_", "a": "append",
    "e": "appends", "s": "set_item", "u": "set_items", "\x90": "add_items", "(": "mark", "0": "pop_one",
    "1": "pop_to_mark", "2": "duplicate", "p": "put_line", "q": "put1", "r": "put4", "\x94": "memoize",
    "g": "get_line", "h": "get1", "j": "get4", "c": "global_line", "\x93": "global_stack", "R": "reduce",
    "\x81": "new_object", "\x92": "new_object_ex", "o": "object_", "i": "instance_line", "b": "build",
    "\x80": "protocol", "\x95": "frame", ".": "stop", "P": "persistent_line", "Q": "persistent_stack",
    "\x97": "buffer", "\x98": "buffer",
}  # fmt: skip
"""The handler of every opcode of protocols 0 to 5; the three EXT opcodes are added by width."""
