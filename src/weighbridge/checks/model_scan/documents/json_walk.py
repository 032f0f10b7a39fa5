"""Read JSON as Python's own reader takes it, in one pass over the bytes and without building what does not matter.

``NaN``, ``Infinity``, half surrogate pairs and a key that comes twice are read, since the libraries read them.
"""

from __future__ import annotations

import re
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Final

from weighbridge.checks.model_scan.documents import names, tree
from weighbridge.checks.model_scan.documents.tree import Array, Frame, Kept, LongText, Node
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError

_SPACE: Final = rb"[ \t\n\r]*+"
_RUN: Final = rb'[^"\\\x00-\x1f]*+'
_NUMBER: Final = rb"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?"
_WORD: Final = rb"true|false|null|NaN|-?Infinity"

# Runs of one kind of byte are possessive, groups never: Python before 3.11.5 goes on at a wrong place behind a group
# that is possessive (gh-106052). Groups are repeated so many times at most, and then again, so that a run of megabytes
# needs no memory for ways back.
_REPEATED: Final = 1000
_TIMES: Final = b"{1,%d}" % _REPEATED
_QUIET: Final = rb'"(?!gA|4w)[^"\\\x00-\x1f{]*+"'
_SCALAR: Final = rb"(?:" + _QUIET + rb"|" + _NUMBER + rb"|" + _WORD + rb")"
_MORE: Final = rb"(?:," + _SPACE + _SCALAR + _SPACE + rb"){0,%d}" % _REPEATED
_ROW: Final = rb"\[" + _SPACE + rb"(?:" + _SCALAR + _SPACE + _MORE + rb")?\]"
_ITEM: Final = rb"(?:" + _SCALAR + rb"|\{" + _SPACE + rb"\}|" + _ROW + rb")"
_PAIR: Final = rb'"' + _RUN + rb'"' + _SPACE + rb":" + _SPACE + rb"(?:" + _NUMBER + rb"|" + _WORD + rb")"

_ITEMS: Final = re.compile(rb"(?:" + _ITEM + _SPACE + rb"," + _SPACE + rb")" + _TIMES)
_PAIRS: Final = re.compile(rb"(?:" + _PAIR + _SPACE + rb"," + _SPACE + rb")" + _TIMES)
_VALUE: Final = re.compile(
    rb'"' + _RUN + rb'(["\\])|([\[{])' + _SPACE + rb"([\]}]?)|(" + _NUMBER + rb"|" + _WORD + rb")"
)
_KEY: Final = re.compile(rb'"' + _RUN + rb'(["\\])')
_ESCAPES: Final = re.compile(rb'(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})' + _RUN + rb")" + _TIMES)
_COLON: Final = re.compile(_SPACE + rb":" + _SPACE)
_AFTER: Final = re.compile(_SPACE + rb"([,\]}])" + _SPACE)
_START: Final = re.compile(rb"(?:\xef\xbb\xbf)?" + _SPACE)
_END: Final = re.compile(_SPACE)
MAX_STEPS: Final = 5_000_000
"""Most values that are looked at one by one; long runs of plain ones are passed over and not counted."""

_PLAIN: Final = {b"null": None, b"false": False, b"true": True, b"0": 0}
_TEXT, _OPEN = 1, 2


def walk(data: bytes | bytearray) -> Node:
    """Return what of a JSON document has to be judged.

    Raises:
        RefusedError: It is not JSON, at this place.
        UndecidedError: It nests too deeply, or too much would have to be judged.
    """
    return _Walk(data).run()


class _Walk:
    __slots__ = ("_data", "_kept", "_open", "_place", "_steps")

    def __init__(self, data: bytes | bytearray) -> None:
        self._data = data
        self._kept = Kept()
        self._open: list[Frame] = []
        self._steps = 0
        self._place = _at(_START.match(data))

    def run(self) -> Node:
        # The document is the only element of an array that is not in it.
        whole = Frame(Array(), "", tree.SMALL_ARRAY)
        self._open.append(whole)
        while True:
            self._value()
            if not self._follow():
                break
        if _at(_END.match(self._data, self._place)) != len(self._data):
            raise self._wrong("the end")
        return whole.node.items[0] if isinstance(whole.node, Array) else None

    def _value(self) -> None:
        """Read values until one is complete."""
        while True:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise UndecidedError(
                    "document-too-large",
                    f"the JSON has more than {MAX_STEPS} values that are not plain",
                    offset=self._place,
                )
            found = _VALUE.match(self._data, self._place)
            if found is None:
                raise self._wrong("a value")
            self._place = found.end()
            top = self._open[-1]
            kind = found.lastindex
            if kind == _TEXT:
                self._text(top, self._string(found))
                return
            if kind != _OPEN + 1:
                value = _PLAIN.get(found[4], 1)
                top.take(value, marked=names.marks_flag(top.name, value), kept=self._kept)
                return
            key = top.name or top.key
            inner = tree.frame(found[2].decode(), key, everything=names.whole(key))
            if found[3]:
                if found[2] + found[3] not in (b"[]", b"{}"):
                    raise self._wrong("a value")
                self._close(top, inner)
                return
            if len(self._open) > tree.MAX_DEPTH:
                raise UndecidedError(
                    "nests-too-deep", f"the JSON nests deeper than {tree.MAX_DEPTH} levels", offset=self._place
                )
            self._open.append(inner)
            if found[2] == b"{":
                self._key(inner)

    def _string(self, begun: re.Match[bytes]) -> bytes:
        """Return a string whose beginning was found, up to its end or its first escape, with its quotes."""
        place = begun.end()
        if begun[_TEXT] != b'"':
            place -= 1
            while (found := _ESCAPES.match(self._data, place)) is not None:
                place = found.end()
            if self._data[place : place + 1] != b'"':
                raise self._wrong("a value")
            place += 1
        self._place = place
        return bytes(self._data[begun.start() : place])

    def _text(self, top: Frame, raw: bytes) -> None:
        if len(raw) > tree.MAX_TEXT:
            template = b"{{" in raw or b"{%" in raw or b"\\u007" in raw
            top.take(LongText(template), marked=template, kept=self._kept)
            return
        text = _decoded(raw)
        top.take(text, marked=names.marks(top.key, top.name, text), kept=self._kept)

    def _key(self, top: Frame) -> None:
        found = _KEY.match(self._data, self._place)
        if found is None:
            raise self._wrong("a key")
        raw = self._string(found)
        top.name = _decoded(raw) if len(raw) <= tree.MAX_TEXT else ""
        self._place = _at(_COLON.match(self._data, self._place))
        if not self._place:
            self._place = found.start()
            raise self._wrong("a key")

    def _follow(self) -> bool:
        """Go on behind a complete value; return False when the document is complete."""
        while len(self._open) > 1:
            found = _AFTER.match(self._data, self._place)
            if found is None:
                raise self._wrong("a comma or the end of a container")
            self._place = found.end()
            top = self._open[-1]
            mark = found[1]
            if mark == b",":
                self._pass_over(top)
                if not isinstance(top.node, Array):
                    self._key(top)
                return True
            if (mark == b"]") != isinstance(top.node, Array):
                raise self._wrong("the other end of the container")
            self._open.pop()
            self._close(self._open[-1], top)
        return False

    def _close(self, outer: Frame, inner: Frame) -> None:
        marked = inner.marked or (outer.name != "" and (names.telling(outer.name) or two_names(inner.node)))
        outer.take_container(inner, marked=marked, kept=self._kept)

    def _pass_over(self, top: Frame) -> None:
        """Pass over members that cannot matter, once the container is no small one."""
        if top.node.count < top.room:
            return
        plain = _ITEMS if isinstance(top.node, Array) else _PAIRS
        while (run := plain.match(self._data, self._place)) is not None:
            if names.FLAG_BYTES.search(self._data, self._place, run.end()):
                return
            self._place = run.end()

    def _wrong(self, expected: str) -> RefusedError:
        return RefusedError("format-mismatch", f"the file is not JSON: {expected} was expected", offset=self._place)


def two_names(node: Node) -> bool:
    """Tell whether an array is a module of Python's and a name in it, as a pipeline names its parts."""
    if not isinstance(node, Array) or node.count != 2:  # noqa: PLR2004
        return False
    first = node.items[0]
    return isinstance(first, str) and (names.Reference(first).standard or names.reference(first) is not None)


def _at(found: re.Match[bytes] | None) -> int:
    return found.end() if found is not None else 0


def _decoded(raw: bytes) -> str:
    # That all of the file is UTF-8 was seen before.
    if b"\\" not in raw:
        return str(raw[1:-1], "utf-8")
    text: str = scanstring(str(raw, "utf-8"), 1, True)[0]
    return text
