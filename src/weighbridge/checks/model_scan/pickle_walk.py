"""Follow bytes as a plain unpickler would, whatever they were judged as, and tell how far it would get.

The symbolic machine judges a file that is a pickle, and stops at everything that it refuses. This walk asks only
whether a reader that takes the bytes for a pickle would come to import or call something, so where unpicklers differ it
follows the most lenient one: lines of any length, numbers in any spelling, persistent ids and buffers that are there.
It keeps one letter for each value on the stack. Ordinary text ends it within a few bytes.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from weighbridge.checks.model_scan.budget import MAX_WALKED, Budget
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.source import Source

_MAX_MEMO: Final = 1_000_000
_KEPT_LINE: Final = 8192
_MODULE: Final = re.compile(r"[\w.]+")
_NUMBER: Final = re.compile(rb"\s*[+-]?[0-9A-Za-z_]+L?\s*")
_SIMPLE_DIGITS: Final = 4000

DATA, TEXT, NAMED = 0, 1, 2
"""What lies on the stack: data, text that could name an import, or what an import, a call or the reader gave."""


class Reading(enum.Enum):
    """How far an unpickler gets."""

    NONE = "it stops before it has an object"
    DATA = "it makes data and imports nothing"
    WHOLE = "it makes data, imports nothing, and leaves no byte over"
    IMPORTS = "it imports something"
    CALLS = "it calls something that it imported"


@dataclass(slots=True)
class _Walk:
    reader: Reader
    stack: bytearray = field(default_factory=bytearray)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, int] = field(default_factory=dict)
    imports: bool = False

    def need(self, count: int) -> None:
        """Stop where an unpickler has too little above the last mark."""
        if len(self.stack) - (self.marks[-1] if self.marks else 0) < count:
            raise _StopError

    def pop(self, count: int = 1) -> bytes:
        """Take values away, the lowest first."""
        self.need(count)
        taken = bytes(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        return taken

    def to_mark(self) -> bytes:
        """Take everything above the last mark."""
        if not self.marks:
            raise _StopError
        start = self.marks.pop()
        taken = bytes(self.stack[start:])
        del self.stack[start:]
        return taken

    def call(self, callee: int) -> None:
        """Note a call; only what was imported can be called."""
        if callee != NAMED:
            raise _StopError
        if self.imports:
            raise _CallError
        self.stack.append(NAMED)


class _StopError(Exception):
    """No unpickler comes any further."""


class _CallError(Exception):
    """Something that was imported is called."""


class _EndError(Exception):
    """The pickle ends as it should."""


def read_as_pickle(source: Source, budget: Budget) -> Reading:
    """Tell how far an unpickler gets that reads the bytes from the first one on, and then the pickles behind.

    Raises:
        UndecidedError: They are opcodes for so long that no text would be.
    """
    walk = _Walk(Reader(source))
    found = Reading.NONE
    left = budget.walked
    try:
        while True:
            left -= 1
            if left < 0:
                raise UndecidedError(
                    "second-reading-too-long",
                    f"the bytes could be a pickle of more than {MAX_WALKED} opcodes",
                    offset=walk.reader.tell(),
                )
            try:
                _STEPS[walk.reader.byte()](walk)
            except _EndError:
                if walk.imports:
                    return Reading.IMPORTS
                found = Reading.DATA
                if walk.reader.at_end():
                    return Reading.WHOLE
                walk.stack.clear()
                walk.marks.clear()
                walk.memo.clear()
    except _CallError:
        return Reading.CALLS
    except (_StopError, RefusedError, ValueError):
        return found
    finally:
        budget.walked = left


# --- opcodes ---


def _stop_here(walk: _Walk) -> None:
    raise _StopError


def _push(kind: int) -> Callable[[_Walk], None]:
    def step(walk: _Walk) -> None:
        walk.stack.append(kind)

    return step


def _fixed(width: int, kind: int) -> Callable[[_Walk], None]:
    def step(walk: _Walk) -> None:
        walk.reader.skip(width)
        walk.stack.append(kind)

    return step


def _counted(width: int, kind: int) -> Callable[[_Walk], None]:
    def step(walk: _Walk) -> None:
        walk.reader.skip(int.from_bytes(walk.reader.read(width), "little"))
        walk.stack.append(kind)

    return step


def _line(check: Callable[[bytes, int], bool], kind: int) -> Callable[[_Walk], None]:
    def step(walk: _Walk) -> None:
        kept, length = walk.reader.pass_line(_KEPT_LINE)
        if not check(kept, length):
            raise _StopError
        walk.stack.append(kind)

    return step


def _is_integer(line: bytes, length: int) -> bool:
    if length > _SIMPLE_DIGITS:
        return _NUMBER.fullmatch(line) is not None
    text = line.strip().removesuffix(b"L")
    int(text, 10 if text.isdigit() else 0)  # leading zeros: the C unpickler takes them for octal
    return True


def _is_float(line: bytes, length: int) -> bool:
    if length < _SIMPLE_DIGITS:
        float(line)
    return True


def _is_ascii(line: bytes, length: int) -> bool:
    del length
    # CPython takes no other persistent id of protocol 0, and nearly every zip, which begins with a P, is none.
    return line.isascii()


def _is_quoted(line: bytes, length: int) -> bool:
    return length > 1 and line.lstrip()[:1] in (b"'", b'"')


def _always(line: bytes, length: int) -> bool:
    del line, length
    return True


def _collect(kind: int) -> Callable[[_Walk], None]:
    def step(walk: _Walk) -> None:
        walk.to_mark()
        walk.stack.append(kind)

    return step


def _tuple(count: int) -> Callable[[_Walk], None]:
    def step(walk: _Walk) -> None:
        walk.pop(count)
        walk.stack.append(DATA)

    return step


def _into(count: int) -> Callable[[_Walk], None]:
    """Put values into what lies below them; of an imported thing that calls a method."""

    def step(walk: _Walk) -> None:
        if count:
            walk.pop(count)
        else:
            walk.to_mark()
        walk.need(1)
        if walk.imports and walk.stack[-1] == NAMED:
            raise _CallError

    return step


def _mark(walk: _Walk) -> None:
    walk.marks.append(len(walk.stack))


def _pop(walk: _Walk) -> None:
    if walk.marks and walk.marks[-1] == len(walk.stack):
        walk.marks.pop()
    else:
        walk.pop()


def _pop_to_mark(walk: _Walk) -> None:
    walk.to_mark()


def _persistent(walk: _Walk) -> None:
    walk.pop()
    walk.stack.append(NAMED)


def _read_only(walk: _Walk) -> None:
    walk.need(1)


def _duplicate(walk: _Walk) -> None:
    walk.need(1)
    walk.stack.append(walk.stack[-1])


def _remember(walk: _Walk, place: int) -> None:
    walk.need(1)
    if len(walk.memo) < _MAX_MEMO:
        walk.memo[place] = walk.stack[-1]


def _recall(walk: _Walk, place: int) -> None:
    if place not in walk.memo and len(walk.memo) < _MAX_MEMO:
        raise _StopError
    walk.stack.append(walk.memo.get(place, NAMED))


def _placed(act: Callable[[_Walk, int], None], width: int) -> Callable[[_Walk], None]:
    def step(walk: _Walk) -> None:
        if width:
            act(walk, int.from_bytes(walk.reader.read(width), "little"))
        else:
            kept, _ = walk.reader.pass_line(64)
            act(walk, int(kept))

    return step


def _memoize(walk: _Walk) -> None:
    _remember(walk, len(walk.memo))


def _names(walk: _Walk) -> None:
    for _ in range(2):
        kept, length = walk.reader.pass_line(_KEPT_LINE)
        # Blanks around a name, or a carriage return, come from somebody who means a name all the same.
        if length > _KEPT_LINE or _MODULE.fullmatch(kept.decode("utf-8").strip()) is None:
            raise _StopError
    walk.imports = True


def _global(walk: _Walk) -> None:
    _names(walk)
    walk.stack.append(NAMED)


def _stack_global(walk: _Walk) -> None:
    if DATA in walk.pop(2):
        raise _StopError
    walk.imports = True
    walk.stack.append(NAMED)


def _extension(width: int) -> Callable[[_Walk], None]:
    def step(walk: _Walk) -> None:
        walk.reader.skip(width)
        walk.imports = True
        walk.stack.append(NAMED)

    return step


def _instance(walk: _Walk) -> None:
    if not walk.marks:
        raise _StopError
    _names(walk)
    walk.to_mark()
    walk.call(NAMED)


def _object(walk: _Walk) -> None:
    taken = walk.to_mark()
    if not taken:
        raise _StopError
    walk.call(taken[0])


def _call_of(count: int) -> Callable[[_Walk], None]:
    def step(walk: _Walk) -> None:
        walk.call(walk.pop(count)[0])

    return step


def _build(walk: _Walk) -> None:
    walk.pop()
    walk.need(1)
    if walk.stack[-1] == NAMED and walk.imports:
        raise _CallError


def _protocol(walk: _Walk) -> None:
    if walk.reader.byte() > 5:  # noqa: PLR2004 - the newest protocol
        raise _StopError


def _frame(walk: _Walk) -> None:
    walk.reader.skip(8)


def _end(walk: _Walk) -> None:
    walk.need(1)
    raise _EndError


def _table() -> list[Callable[[_Walk], None]]:
    table: list[Callable[[_Walk], None]] = [_stop_here] * 256
    found: dict[bytes, Callable[[_Walk], None]] = {
        b"N": _push(DATA), b"\x88": _push(DATA), b"\x89": _push(DATA), b"]": _push(DATA), b"}": _push(DATA),
        b"\x8f": _push(DATA), b")": _push(DATA), b"K": _fixed(1, DATA), b"M": _fixed(2, DATA), b"J": _fixed(4, DATA),
        b"G": _fixed(8, DATA), b"\x8a": _counted(1, DATA), b"\x8b": _counted(4, DATA), b"T": _counted(4, TEXT),
        b"U": _counted(1, TEXT), b"\x8c": _counted(1, TEXT), b"X": _counted(4, TEXT), b"\x8d": _counted(8, TEXT),
        b"C": _counted(1, DATA), b"B": _counted(4, DATA), b"\x8e": _counted(8, DATA), b"\x96": _counted(8, DATA),
        b"I": _line(_is_integer, DATA), b"L": _line(_is_integer, DATA), b"F": _line(_is_float, DATA),
        b"S": _line(_is_quoted, TEXT), b"V": _line(_always, TEXT), b"P": _line(_is_ascii, NAMED), b"Q": _persistent,
        b"t": _collect(DATA), b"l": _collect(DATA), b"d": _collect(DATA), b"\x91": _collect(DATA),
        b"\x85": _tuple(1), b"\x86": _tuple(2), b"\x87": _tuple(3), b"a": _into(1), b"s": _into(2),
        b"e": _into(0), b"u": _into(0), b"\x90": _into(0), b"(": _mark, b"0": _pop, b"2": _duplicate,
        b"p": _placed(_remember, 0), b"q": _placed(_remember, 1), b"r": _placed(_remember, 4), b"\x94": _memoize,
        b"g": _placed(_recall, 0), b"h": _placed(_recall, 1), b"j": _placed(_recall, 4), b"c": _global,
        b"\x93": _stack_global, b"\x82": _extension(1), b"\x83": _extension(2), b"\x84": _extension(4),
        b"i": _instance, b"o": _object, b"R": _call_of(2), b"\x81": _call_of(2), b"\x92": _call_of(3), b"b": _build,
        b"\x80": _protocol, b"\x95": _frame, b".": _end, b"\x97": _push(NAMED), b"\x98": _read_only,
        b"1": _pop_to_mark,
    }  # fmt: skip
    for code, step in found.items():
        table[code[0]] = step
    return table


_STEPS: Final = _table()
