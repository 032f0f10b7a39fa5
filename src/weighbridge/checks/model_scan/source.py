"""Where bytes come from: a range of an open file, memory, or what a decompressor gives.

A source can be read from its start any number of times, in chunks and with constant memory. Nothing here trusts a
size that the bytes themselves claim. What is read through a ``Part`` with a ledger is noted in its account.
"""

from __future__ import annotations

import bz2
import lzma
import os
import zlib
from collections.abc import Iterator
from typing import Final, Protocol

from weighbridge.checks.model_scan.account import Ledger
from weighbridge.checks.model_scan.budget import MAX_RATIO, MAX_RATIO_FREE, Budget
from weighbridge.checks.model_scan.report import RefusedError

CHUNK: Final = 1 << 18
"""Bytes that are read at a time."""


class Source(Protocol):
    """Bytes that can be read from any place on."""

    @property
    def size(self) -> int | None:
        """Return how many there are, when that is known without reading them."""

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from ``start`` on, never an empty chunk."""


class FileRange:
    """A range of an open file, read with pread so that ranges do not disturb each other."""

    def __init__(self, descriptor: int, *, start: int, length: int) -> None:
        self.descriptor = descriptor
        self.start = start
        self.length = length

    @property
    def size(self) -> int:
        """Return the length of the range."""
        return self.length

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the range; a file that became shorter meanwhile ends early."""
        place = start
        while place < self.length:
            chunk = self.read(place, CHUNK)
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

    @property
    def size(self) -> int:
        """Return how many there are."""
        return len(self.data)

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes."""
        for place in range(start, len(self.data), CHUNK):
            yield self.data[place : place + CHUNK]

    def read(self, start: int, count: int) -> bytes:
        """Return up to ``count`` bytes at ``start``."""
        return self.data[start : start + count]


class Part:
    """A range of another source. With a ledger, of its own or of the other source, it notes what is read."""

    def __init__(self, whole: Source, *, start: int, length: int | None = None, ledger: Ledger | None = None) -> None:
        outer = whole.ledger if isinstance(whole, Part) else None
        self.ledger: Ledger | None = ledger or (outer.at(start) if outer is not None else None)
        self._whole = whole
        self._start = start
        self._length = length

    @property
    def size(self) -> int | None:
        """Return the length of the range, as far as the other source has it."""
        if self._whole.size is None:
            return None
        there = max(0, self._whole.size - self._start)
        return there if self._length is None else min(self._length, there)

    @property
    def reachable(self) -> bool:
        """Tell whether any place of it can be read without what lies before."""
        return self._whole.reachable if isinstance(self._whole, Part) else isinstance(self._whole, FileRange | Memory)

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the range, or what the other source has of it."""
        place = start
        for chunk in self.pieces(start):
            if self.ledger is not None:
                self.ledger.parsed(place, place + len(chunk))
            place += len(chunk)
            yield chunk

    def pieces(self, start: int = 0) -> Iterator[bytes]:
        """Yield the range as ``chunks`` does, and note nothing."""
        left = None if self._length is None else self._length - start
        if left is not None and left <= 0:
            return
        for chunk in pieces(self._whole, self._start + start):
            if left is None:
                yield chunk
                continue
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return

    def peek(self, start: int, count: int) -> bytes:
        """Return up to ``count`` bytes at ``start``, and note nothing; only where any place is reachable."""
        if self._length is not None:
            count = max(0, min(count, self._length - start))
        whole = self._whole
        if isinstance(whole, Part):
            return whole.peek(self._start + start, count)
        return whole.read(self._start + start, count) if isinstance(whole, FileRange | Memory) else b""

    def read(self, start: int, count: int) -> bytes:
        """Return up to ``count`` bytes at ``start``; only where any place is reachable."""
        found = self.peek(start, count)
        if self.ledger is not None:
            self.ledger.parsed(start, start + len(found))
        return found


def pieces(source: Source, start: int = 0) -> Iterator[bytes]:
    """Yield a source's bytes without noting that they were read."""
    return source.pieces(start) if isinstance(source, Part) else source.chunks(start)


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

    @property
    def size(self) -> None:
        """Return None: how much comes out is known when it came out."""

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
    collected: list[bytes] = []
    wanted = count
    # A part of just this length notes in the account what is taken and no more.
    for chunk in Part(source, start=0, length=count).chunks():
        collected.append(chunk[:wanted])
        wanted -= len(chunk)
        if wanted <= 0:
            break
    return b"".join(collected)
