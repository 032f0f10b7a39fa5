"""UBJSON as XGBoost writes it: plain data, walked once with bounds and judged as JSON is.

XGBoost 1.6 and newer write ``.ubj`` so, and 2.1 and newer everything that is not JSON (``.bin``, ``.deprecated``,
``save_raw()``). The writer uses a part of the format only (``src/common/json.cc``, ``UBJWriter``): objects without a
count, keys with a length of 64 bits, and arrays with a count, of one type of numbers or of any values. Anything else is
refused.
"""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.documents import names, tree
from weighbridge.checks.model_scan.documents.json_walk import two_names
from weighbridge.checks.model_scan.documents.judge import judge
from weighbridge.checks.model_scan.documents.tree import Array, Frame, Kept, LongText, Node, Object
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source

BEGINNING: Final = b"{L\x00\x00\x00\x00"
"""An object whose first key has a length of 64 bits, below 4 GiB: no text, no pickle that goes on, no other magic."""

MAX_VALUES: Final = 3_000_000
"""Most values that are looked at one by one; the numbers of a typed array are one value."""

MAX_STRING: Final = 16 * 1024**2
"""Longest key or string."""

MAX_NUMBERS: Final = 1 << 40
"""Most numbers that an array may claim; a file that is shorter ends too early."""

_SIZES: Final = {"i": 1, "U": 1, "I": 2, "l": 4, "L": 8, "d": 4, "D": 8}
_CONSTANTS: Final[dict[str, Node]] = {"Z": None, "T": True, "F": False}


def scan_ubjson(scan: Scan, source: Source, location: str) -> None:
    """Scan a UBJSON document: its form to the last byte, then its texts as those of JSON.

    Raises:
        RefusedError: It is not what XGBoost writes.
        UndecidedError: It has too many values.
    """
    reader = Reader(source)
    document = _Walk(reader).run()
    if not reader.at_end():
        raise RefusedError("trailing-bytes", "bytes follow the end of the UBJSON document", offset=reader.tell())
    judge(scan, document, location)


class _Walk:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._kept = Kept()
        self._open: list[Frame] = [Frame(Array(), "", tree.SMALL_ARRAY)]
        self._left: list[int] = [1]
        """How many values each open array still has; that of an object is not counted."""
        self._values = 0

    def run(self) -> Node:
        whole = self._open[0].node
        while self._left[0] or len(self._open) > 1:
            if isinstance(self._open[-1].node, Object):
                self._member()
            elif self._left[-1]:
                self._left[-1] -= 1
                self._value(self._marker())
            else:
                self._close()
        return whole.items[0] if isinstance(whole, Array) and whole.items else None

    def _member(self) -> None:
        marker = self._marker()
        if marker == "}":
            self._close()
        else:
            self._open[-1].name = self._text(self._length(marker, limit=tree.MAX_TEXT))
            self._value(self._marker())

    def _marker(self) -> str:
        return chr(self._reader.byte())

    def _value(self, marker: str) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise UndecidedError(
                "document-too-large", f"the UBJSON has more than {MAX_VALUES} values", offset=self._reader.tell()
            )
        top = self._open[-1]
        if marker in "{[":
            self._begin(marker, top)
        elif marker in _SIZES:
            value = int(any(self._reader.read(_SIZES[marker])))
            top.take(value, marked=names.marks_flag(top.name, value), kept=self._kept)
        elif marker in _CONSTANTS:
            constant = _CONSTANTS[marker]
            top.take(constant, marked=names.marks_flag(top.name, constant), kept=self._kept)
        elif marker == "S":
            self._string(top)
        else:
            raise self._wrong(f"a value cannot begin with {marker!r}")

    def _begin(self, marker: str, top: Frame) -> None:
        key = top.name or top.key
        inner = tree.frame(marker, key, everything=names.whole(key))
        if len(self._open) > tree.MAX_DEPTH:
            raise RefusedError(
                "malformed-ubjson",
                f"it nests deeper than {tree.MAX_DEPTH} levels, and no model of XGBoost's deeper than ten",
                offset=self._reader.tell(),
            )
        self._open.append(inner)
        self._left.append(0)
        if marker == "[":
            self._counted(inner, self._marker())

    def _counted(self, array: Frame, following: str) -> None:
        """Begin an array: its type where all are numbers of one, and its count."""
        kind = self._marker() if following == "$" else ""
        following = self._marker() if kind else following
        if following != "#":
            raise self._wrong("an array has a count")
        count = self._length(self._marker(), limit=MAX_NUMBERS)
        if not kind:
            self._left[-1] = count
            return
        if kind not in _SIZES:
            raise self._wrong("an array of one type holds numbers")
        self._reader.skip(count * _SIZES[kind])
        array.node.count = count

    def _string(self, top: Frame) -> None:
        text = self._text(self._length(self._marker(), limit=MAX_STRING))
        if len(text) > tree.MAX_TEXT:
            template = "{{" in text or "{%" in text
            top.take(LongText(template), marked=template, kept=self._kept)
        else:
            top.take(text, marked=names.marks(top.key, top.name, text), kept=self._kept)

    def _text(self, length: int) -> str:
        try:
            return self._reader.read(length).decode("utf-8")
        except UnicodeDecodeError:
            raise self._wrong("a text is not UTF-8") from None

    def _length(self, marker: str, *, limit: int) -> int:
        if marker != "L":
            raise self._wrong("a length is written in 64 bits")
        length = int.from_bytes(self._reader.read(8), "big")
        if length > limit:
            raise self._wrong(f"a length of {length} is over {limit}")
        return length

    def _close(self) -> None:
        self._left.pop()
        inner = self._open.pop()
        outer = self._open[-1]
        marked = inner.marked or (outer.name != "" and (names.telling(outer.name) or two_names(inner.node)))
        outer.take_container(inner, marked=marked, kept=self._kept)

    def _wrong(self, what: str) -> RefusedError:
        return RefusedError("malformed-ubjson", f"no UBJSON of XGBoost: {what}", offset=self._reader.tell())
