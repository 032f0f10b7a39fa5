"""One content before it is judged: how long it is, how it begins, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.source import Part, Source, pieces

HEAD: Final = 4096
"""First bytes that are kept."""

TAIL: Final = 65_557
"""Last bytes that are kept: a zip archive's end record with the longest comment."""


@dataclass(frozen=True, slots=True)
class Ends:
    """How many bytes a content has, its first and its last ones."""

    size: int
    head: bytes
    tail: bytes

    @classmethod
    def of(cls, source: Source) -> Ends:
        """Look at a source; one whose length is not known is read to its end."""
        part = Part(source, start=0)
        size = part.size
        if size is not None and part.reachable:
            start = max(0, size - TAIL)
            return cls(size, part.peek(0, HEAD), part.peek(start, size - start))
        return cls.passing(pieces(source))

    @classmethod
    def passing(cls, chunks: Iterable[bytes]) -> Ends:
        """Look at chunks as they come."""
        size, begin, end = 0, b"", b""
        for chunk in chunks:
            size += len(chunk)
            if len(begin) < HEAD:
                begin += chunk[: HEAD - len(begin)]
            end = chunk[-TAIL:] if len(chunk) >= TAIL else (end + chunk)[-TAIL:]
        return cls(size, begin, end)
