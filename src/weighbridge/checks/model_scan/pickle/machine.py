"""The symbolic machine: calls and state, on top of names and the stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from weighbridge.checks.model_scan.budget import MAX_MADE_FREE, MAX_OPCODES, MAX_STACK
from weighbridge.checks.model_scan.pickle import calls, joblib_arrays
from weighbridge.checks.model_scan.pickle.context import Context
from weighbridge.checks.model_scan.pickle.expansion import measure
from weighbridge.checks.model_scan.pickle.filling import FillingMachine
from weighbridge.checks.model_scan.pickle.following import follow_of, judge_followed
from weighbridge.checks.model_scan.pickle.naming import MAX_NAME
from weighbridge.checks.model_scan.pickle.rules.kinds import object_class
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
    Value,
)
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import UndecidedError

HIGHEST_PROTOCOL: Final = 5
"""Newest pickle protocol that is followed."""

BATCH: Final = 256
"""Opcodes between two looks at the budget and the stack."""


class _StoppedError(Exception):
    """The pickle is at its end."""


class Machine(FillingMachine):
    """Follows one pickle from its first opcode to STOP."""

    def __init__(self, reader: Reader, context: Context, *, outer: StackMachine | None = None) -> None:
        super().__init__(reader, context, outer=outer)
        self._start = reader.tell()
        self._waiting: list[Instance] = []
        self._followed: list[Instance] = []

    def run(self) -> Value:
        """Follow the pickle and return what it makes.

        Raises:
            RefusedError: The bytes are no pickle that can be followed to its end.
            UndecidedError: A budget is spent.
        """
        handlers, reader, budget = _HANDLERS, self.reader, self.context.budget
        batch = done = 0
        try:
            while True:
                batch = min(BATCH, budget.opcodes)
                if len(self.stack) > MAX_STACK and not self._below:
                    # A long tuple has a mark below its values; without one, no opcode takes more than three.
                    self.refuse(f"more than {MAX_STACK} values lie on the stack, with no mark from which to take them")
                if not batch or len(self.stack) > MAX_STACK:
                    raise UndecidedError(
                        "pickle-too-large",
                        f"the pickle has more than {MAX_OPCODES} opcodes, or {MAX_STACK} values on its stack",
                        offset=self.reader.tell(),
                    )
                # Taken beforehand, so that a pickle inside this one has only what is left.
                budget.opcodes -= batch
                for done in range(batch):  # noqa: B007
                    place = reader.place
                    if place < len(reader.buffer):
                        # As reader.byte() does, without a call for each opcode.
                        reader.place = place + 1
                        handlers[reader.buffer[place]](self)
                    else:
                        handlers[reader.byte()](self)
        except _StoppedError:
            budget.opcodes += batch - done - 1
        result = self.data(self.pop(), into="the result")
        self._judge_followed()
        self._judge_waiting()
        self.context.budget.expand(measure(result), read=self.reader.tell())
        if self.stack or self._below:
            self.refuse("the pickle leaves values behind on its stack")
        return result

    def _judge_waiting(self) -> None:
        bare = next((one for one in self._waiting if not one.built), None)
        if bare is not None:
            path = object_class(bare).path
            self.context.finding(
                "forbidden-state", f"an object of {path} is left without its data", offset=self.reader.tell()
            )

    def _judge_followed(self) -> None:
        problem = judge_followed(self._followed, self.context.source) if self._followed else None
        if problem is not None:
            self.context.finding("forbidden-state", problem, offset=self.reader.tell(), severity="critical")

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
            self.context.finding(
                "forbidden-arguments",
                f"{callee.path} {problem}",
                offset=offset,
                severity="critical",
                about=callee.path,
            )
            return Opaque.UNKNOWN
        self._charge(args)
        if callee.rule is not None and callee.rule.hashes:
            for item in args.items:
                self._hash_again(item)
        if args.is_open:
            calls.seal(args)
        calls.follow(callee, args, self.context, offset=offset)
        made = Instance(callee, args)
        kind = object_class(made)
        if kind.rule is not None and kind.rule.needs_state:
            self._waiting.append(made)
        if follow_of(made, kind) is not None:
            self._followed.append(made)
        return made

    def _charge(self, value: Value) -> None:
        # A call makes its result from what it is given, and the same value can be given a million times.
        count = 0
        for item in value.items if type(value) is Group else (value,):
            if type(item) is Blob:
                count += item.length
            elif type(item) is Collection:
                count += 8 * item.count
            elif isinstance(item, (bytes, str)):
                count += len(item)
        budget = self.context.budget
        budget.made += count
        if budget.made > MAX_MADE_FREE:
            budget.check_made(read=self.reader.tell())

    def _hash_again(self, item: Value) -> None:
        if isinstance(item, (Collection, Group)) and item.weight > 1:
            self.context.budget.hash_all(item.weight, read=self.reader.tell())

    def _push(self, value: Value) -> None:
        if type(value) is Instance:
            self.make(value)
        else:
            self.stack.append(value)

    def reduce(self) -> None:
        """REDUCE."""
        callee, args = self.take(2)
        self._push(self._call(callee, args, how="reduce"))

    def new_object(self) -> None:
        """NEWOBJ."""
        callee, args = self.take(2)
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
        module, name = self.name_line(), self.name_line()
        items = self.pop_mark()
        self._push(self._call(self.named(module, name), Group(items), how="reduce"))

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
        target.give(state)
        rule = object_class(target).rule
        if rule is not None and rule.state is judge_object_state:
            calls.seal_attributes(state)
        else:
            calls.seal(state)
        self._charge(state)
        if (target.maker.module, target.maker.name) == joblib_arrays.WRAPPER:
            joblib_arrays.follow(self, target)

    # --- ends ---

    def protocol(self) -> None:
        """PROTO: only at the start."""
        version = self.reader.byte()
        if version > HIGHEST_PROTOCOL or self.reader.tell() != self._start + 2:
            self.refuse(f"protocol {version} is declared in the middle, or not known")

    def stop(self) -> None:
        """STOP."""
        raise _StoppedError

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
    "\x97": "buffer", "\x98": "buffer", "\x82": "extension1", "\x83": "extension2", "\x84": "extension4",
}  # fmt: skip
"""The handler of every opcode of protocols 0 to 5."""


def _table() -> tuple[Callable[[Machine], None], ...]:
    table: list[Callable[[Machine], None]] = [Machine.unknown] * 256
    for code, name in OPCODES.items():
        table[ord(code)] = getattr(Machine, name)
    return tuple(table)


_HANDLERS: Final = _table()
