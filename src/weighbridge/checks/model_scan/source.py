"""Where bytes come from: a range of an open file, memory, or what a decompressor gives.

A source can be read from its start any number of times, in chunks and with constant memory. Nothing here trusts a
size that the bytes themselves claim.
"""

from __future__ import annotations

import bz2
import lzma
import os
import zlib
from collections.abc import Iterator
from typing import Final, Protocol

from weighbridge.checks.model_scan.budget import MAX_RATIO, MAX_RATIO_FREE, Budget
from weighbridge.checks.model_scan.report import RefusedError

CHUNK: Final = 1 << 18
"""Bytes that are read at a time."""


class Source(Protocol):
    """Bytes that can be read from any place on."""

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from ``start`` on, never an empty chunk."""


class FileRange:
    """A range of an open file, read with pread so that ranges do not disturb each other."""

    def __init__(self, descriptor: int, *, start: int, length: int) -> None:
        self.descriptor = descriptor
        self.start = start
        self.length = length

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the range; a file that became shorter meanwhile ends early."""
        place, end = self.start + start, self.start + self.length
        while place < end:
            chunk = os.pread(self.descriptor, min(CHUNK, end - place), place)
            if not chunk:
                return
            place += len(chunk)
            yield chunk

    def read(self, start: int, count: int) -> bytes:
        """Return up to ``count`` bytes at ``start``."""
        count = max(0, min(count, self.length - start))
        return os.pread(self.descriptor, count, self.start + start)


class Memory:
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes."""
        for place in range(start, len(self.data), CHUNK):
            yield self.data[place : place + CHUNK]


class Part:
    """A range of another source."""

    def __init__(self, whole: Source, *, start: int, length: int | None = None) -> None:
        self._whole = whole
        self._start = start
        self._length = length

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the range, or what the other source has of it."""
        left = None if self._length is None else self._length - start
        for chunk in self._whole.chunks(self._start + start):
            if left is None:
                yield chunk
                continue
            if left <= 0:
                return
            yield chunk[:left]
            left -= len(chunk)


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _make(kind: str) -> _Decompressor:
    if kind in ("deflate", "gzip", "zlib"):
        return zlib.decompressobj({"deflate": -15, "gzip": 31, "zlib": 15}[kind])
    if kind == "bz2":
        return bz2.BZ2Decompressor()
    wanted = lzma.FORMAT_XZ if kind == "xz" else lzma.FORMAT_ALONE
    return lzma.LZMADecompressor(format=wanted, memlimit=128 * 1024**2)


class Unpacked:
    """The bytes that a decompressor makes of another source: one stream, complete, with nothing behind it."""

    def __init__(self, packed: Source, *, kind: str, budget: Budget) -> None:
        self._packed = packed
        self._kind = kind
        self._budget = budget

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield what comes out.

        Raises:
            RefusedError: A damaged or cut stream, bytes or a second stream behind it, a decompression bomb.
            UndecidedError: The budget is spent.
        """
        skip = start
        for chunk in self._all():
            if skip >= len(chunk):
                skip -= len(chunk)
            else:
                yield chunk[skip:]
                skip = 0

    def _all(self) -> Iterator[bytes]:
        machine = _make(self._kind)
        taken = given = 0
        for packed in self._packed.chunks():
            if machine.eof:
                raise RefusedError("trailing-bytes", f"bytes follow the {self._kind} stream", offset=taken)
            taken += len(packed)
            for chunk in self._feed(machine, packed):
                given += len(chunk)
                self._budget.unpack(len(chunk))
                if given > MAX_RATIO_FREE and given > MAX_RATIO * taken:
                    raise RefusedError("decompression-bomb", f"{taken} {self._kind} bytes unpack to over {given}")
                yield chunk
        if not machine.eof:
            raise RefusedError("malformed-stream", f"the {self._kind} stream is cut off")
        if machine.unused_data:
            raise RefusedError("trailing-bytes", f"{len(machine.unused_data)} bytes follow the {self._kind} stream")

    def _feed(self, machine: _Decompressor, packed: bytes) -> Iterator[bytes]:
        try:
            chunk = machine.decompress(packed, CHUNK)
            while chunk:
                yield chunk
                # zlib keeps its unread input in unconsumed_tail; bz2 and lzma keep it inside.
                chunk = b"" if machine.eof else machine.decompress(getattr(machine, "unconsumed_tail", b""), CHUNK)
        except (zlib.error, lzma.LZMAError, OSError, ValueError, EOFError) as error:
            raise RefusedError("malformed-stream", f"the {self._kind} stream is damaged: {error}") from None


def head(source: Source, count: int) -> bytes:
    """Return the first ``count`` bytes, or fewer when there are no more."""
    collected = b""
    for chunk in source.chunks():
        collected += chunk[: count - len(collected)]
        if len(collected) >= count:
            break
    return collected


def length_of(source: Source) -> int:
    """Count the bytes of a source by reading all of them."""
    return sum(len(chunk) for chunk in source.chunks())
