"""Read a protobuf message in its text form, strictly, into the nodes that documents are judged by.

https://protobuf.dev/reference/protobuf/textformat-spec/ without what no configuration of a model has: extensions and
``Any`` in brackets, and fields by number. A member that comes twice is there twice, as for a repeated field.
"""

from __future__ import annotations

import re
from typing import Final

from weighbridge.checks.model_scan.documents.tree import Array, Kept, Node, Object
from weighbridge.checks.model_scan.report import UndecidedError

MAX_TOKENS: Final = 300_000
"""Most words, numbers, texts and signs of one message."""

MAX_DEPTH: Final = 32
"""Deepest message in a message."""

_TOKEN: Final = re.compile(
    r"(?:[ \t\r\n\f\v]|#[^\n]*)*"
    r"(?:(?P<text>\"(?:[^\"\\\n]|\\[^\n])*\"|'(?:[^'\\\n]|\\[^\n])*')"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>-?[ \t]*(?:0[xX][\da-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?[fF]?|\.\d+(?:[eE][-+]?\d+)?[fF]?"
    r"|inf(?:inity)?|nan))"
    r"|(?P<sign>[{}<>\[\]:,;])|(?P<end>\Z))",
    re.ASCII,
)
_ESCAPE: Final = re.compile(r"\\(?:x([\da-fA-F]{1,2})|([0-7]{1,3})|(.))")
_LETTERS: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "?": "?", "\\": "\\", "'": "'",
    '"': '"',
}  # fmt: skip
_CLOSING: Final = {"{": "}", "<": ">"}


def read_message(text: str) -> Object:
    """Return a message as an object.

    Raises:
        UndecidedError: It is not in the text form, or too much of it.
    """
    return _Parser(text).run()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._kept = Kept()
        self._tokens = 0
        self._kind = self._value = ""
        self._next()

    def run(self) -> Object:
        message = self._fields(0, "")
        if self._kind != "end":
            raise self._wrong("the end")
        return message

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._place)
        self._tokens += 1
        if self._tokens > MAX_TOKENS:
            raise UndecidedError("document-too-large", f"the message has more than {MAX_TOKENS} words")
        if found is None or found.lastgroup is None:
            raise self._wrong("a word, a number, a text or a sign")
        self._place = found.end()
        self._kind, self._value = found.lastgroup, found[found.lastgroup]

    def _take(self, sign: str) -> bool:
        if self._kind != "sign" or self._value != sign:
            return False
        self._next()
        return True

    def _fields(self, depth: int, closing: str) -> Object:
        if depth > MAX_DEPTH:
            raise UndecidedError("nests-too-deep", f"the message nests deeper than {MAX_DEPTH} levels")
        message = Object()
        while self._kind == "name":
            name = self._value
            self._next()
            colon = self._take(":")
            for value in self._values(depth, colon=colon):
                message.members.append((name, value))
                self._kept.more(1, len(value) if isinstance(value, str) else 0)
            if not self._take(","):
                self._take(";")
        message.count = len(message.members)
        if closing and not self._take(closing):
            raise self._wrong(closing)
        return message

    def _values(self, depth: int, *, colon: bool) -> list[Node]:
        if not self._take("["):
            return [self._one(depth, colon=colon)]
        found: list[Node] = []
        while not self._take("]"):
            found.append(self._one(depth, colon=colon))
            if not self._take(",") and not (self._kind == "sign" and self._value == "]"):
                raise self._wrong("a comma or the end of the list")
        return found or [Array()]

    def _one(self, depth: int, *, colon: bool) -> Node:
        opening = self._value
        if self._kind == "sign" and opening in _CLOSING:
            self._next()
            return self._fields(depth + 1, _CLOSING[opening])
        if not colon:
            raise self._wrong("a colon or a message")
        kind, value = self._kind, self._value
        if kind == "text":
            return self._strings()
        if kind not in ("name", "number"):
            raise self._wrong("a value")
        self._next()
        return value if kind == "name" else int(any(digit in "123456789infa" for digit in value))

    def _strings(self) -> str:
        """Return texts that stand side by side, which are one."""
        parts: list[str] = []
        while self._kind == "text":
            parts.append(_ESCAPE.sub(self._escaped, self._value[1:-1]))
            self._next()
        return "".join(parts)

    def _escaped(self, found: re.Match[str]) -> str:
        if found[3] is not None:
            if found[3] not in _LETTERS:
                raise self._wrong("a known escape")
            return _LETTERS[found[3]]
        return chr(int(found[1], 16) if found[1] else int(found[2], 8))

    def _wrong(self, expected: str) -> UndecidedError:
        line = self._text.count("\n", 0, self._place) + 1
        return UndecidedError(
            "no-parser-settings",
            f"recognised as protobuf text by its name, and near line {line} {expected} was expected",
        )
