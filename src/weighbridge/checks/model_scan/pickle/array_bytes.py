"""Read the bytes of arrays after the whole pickle was followed, in one pass over the file."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.pickle.rules.dtypes import layout_of
from weighbridge.checks.model_scan.pickle.rules.parts import ArrayParts, array_parts
from weighbridge.checks.model_scan.pickle.values import Blob, Instance, Value
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.source import Memory, Part, Source

MAX_PIECE: Final = 1 << 20
"""Bytes of an array that are in memory at a time."""


@dataclass(frozen=True, slots=True)
class ArrayBytes:
    """The bytes of a row of elements: how wide each is, and how many there are."""

    content: bytes | Blob
    is_text: bool
    width: int
    count: int

    @property
    def place(self) -> int:
        """Return where in the file they begin; -1 for those that are in memory."""
        return self.content.offset if type(self.content) is Blob else -1

    def reader(self, passing: Reader, source: Source) -> Reader:
        """Return a reader of the bytes; ``passing`` is the one that goes through the file for all arrays by place."""
        content = self.content
        if type(content) is not Blob:
            return Reader(Memory(bytes(content)))  # type: ignore[arg-type]
        if self.is_text:
            return Reader(_Letters(Part(source, start=content.offset, length=content.length), kind=content.kind))
        if passing.tell() > content.offset:
            return Reader(Part(source, start=content.offset, length=content.length))
        passing.skip(content.offset - passing.tell())
        return passing


def row_of(value: Value) -> ArrayBytes | None:
    """Return the bytes of an array of one dimension; None for anything else, and for objects."""
    parts = array_parts(value)
    return None if parts is None else bytes_of(parts)


def bytes_of(parts: ArrayParts) -> ArrayBytes | None:
    """Return the bytes of an array that was taken apart already; None as for ``row_of``."""
    content, layout, lengths = parts.content, layout_of(parts.dtype), parts.lengths
    is_text = type(content) is Instance and content.maker.name == "encode"
    if type(content) is Instance and content.args.items:
        content = content.args.items[0]
    if is_text and isinstance(content, str):
        content = content.encode("latin-1", "replace")
    if layout is None or layout.holds_objects or lengths is None or len(lengths) != 1:
        return None
    if not isinstance(content, bytes | Blob):
        # Nothing is written of an array without elements.
        return None if lengths[0] else ArrayBytes(b"", is_text=False, width=layout.size, count=0)
    return ArrayBytes(content, is_text=is_text, width=layout.size, count=lengths[0])


class _Letters:
    """The bytes that protocols before 3 have as text, each byte a letter, escaped in a line of protocol 0."""

    def __init__(self, text: Part, *, kind: str) -> None:
        self._text = text
        self._encoding = "raw-unicode-escape" if kind == "line" else "utf-8"

    @property
    def size(self) -> int | None:
        """Return nothing: how many bytes there are is not known before they are read."""
        return None

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes; what is no byte becomes one that no element has in its place by chance."""
        decoder = codecs.getincrementaldecoder(self._encoding)("replace")
        skip = start
        for piece in itertools.chain(self._text.chunks(), [b""]):
            found = decoder.decode(piece, not piece).encode("latin-1", "replace")
            if found[skip:]:
                yield found[skip:]
            skip = max(0, skip - len(found))
