"""Reads a source forward, byte by byte or in pieces, and knows where it is."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.report import RefusedError
from weighbridge.checks.model_scan.source import CHUNK, Part, Source, pieces

MAX_PIECE: Final = 16 * 1024**2
"""Most bytes that are taken into memory in one piece."""


SHORT: Final = 256
"""Bytes from which on a piece that is passed over counts as data; a shorter one is part of what stands around it."""


class Reader:
    """A forward reader with constant memory. ``pickletools.genops`` needs a file and 2 us an opcode; this 0.1.

    It notes in the source's account, if there is one, what was read and what was passed over.
    """

    __slots__ = ("_base", "_chunks", "_ledger", "_settled", "_source", "buffer", "place")

    def __init__(self, source: Source, *, start: int = 0) -> None:
        self._source = source
        self._ledger = source.ledger if isinstance(source, Part) else None
        if self._ledger is not None:
            self._ledger.account.attend(self)
        self._chunks = pieces(source, start)
        self.buffer = b""
        self.place = 0
        self._base = self._settled = start

    def settle(self) -> None:
        """Note everything up to here as read."""
        if self._ledger is not None:
            place = self._base + self.place
            self._ledger.parsed(self._settled, place)
            self._settled = place

    def tell(self) -> int:
        """Return the offset of the next byte."""
        return self._base + self.place

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        if not chunk:
            return False
        self._base += self.place
        self.buffer = self.buffer[self.place :] + chunk
        self.place = 0
        return True

    def byte(self) -> int:
        """Return the next byte.

        Raises:
            RefusedError: There is none.
        """
        try:
            value = self.buffer[self.place]
        except IndexError:
            if not self._more():
                raise self._cut() from None
            value = self.buffer[0]
        self.place += 1
        return value

    def at_end(self) -> bool:
        """Tell whether no byte is left."""
        if self.place < len(self.buffer) or self._more():
            return False
        self.settle()
        return True

    def read(self, count: int) -> bytes:
        """Return exactly ``count`` bytes, at most ``MAX_PIECE``.

        Raises:
            RefusedError: Too few are left, or too many are asked for.
        """
        if count > MAX_PIECE:
            raise RefusedError("malformed", f"a piece of {count} bytes is not taken into memory", offset=self.tell())
        piece = self.buffer[self.place : self.place + count]
        while len(piece) < count:
            if not self._more():
                raise self._cut()
            piece = self.buffer[self.place : self.place + count]
        self.place += count
        return piece

    def number(self, width: int) -> int:
        """Return the unsigned little-endian number in the next bytes.

        Raises:
            RefusedError: Too few are left.
        """
        piece = self.buffer[self.place : self.place + width]
        if len(piece) < width:
            return int.from_bytes(self.read(width), "little")
        self.place += width
        return int.from_bytes(piece, "little")

    def skip(self, count: int) -> None:
        """Pass over exactly ``count`` bytes without keeping them; from ``SHORT`` on they count as data.

        Raises:
            RefusedError: Too few are left.
        """
        if self._ledger is None or count < SHORT:
            self._pass(count)
            return
        self.settle()
        self._pass(count)
        place = self._base + self.place
        self._ledger.data(self._settled, place)
        self._settled = place

    def _pass(self, count: int) -> None:
        size = self._source.size if count > CHUNK else None
        if size is not None:
            target = self.tell() + count
            if target > size:
                raise self._cut()
            # Nothing is read of numbers in a file whose length is known: a gigabyte is passed over at once.
            self._chunks, self.buffer, self.place, self._base = pieces(self._source, target), b"", 0, target
            return
        while True:
            here = len(self.buffer) - self.place
            if count <= here:
                self.place += count
                return
            count -= here
            self.place = len(self.buffer)
            if not self._more():
                raise self._cut()

    def line(self, limit: int) -> bytes:
        """Return the bytes before the next newline, at most ``limit``, and pass over the newline.

        Raises:
            RefusedError: There is no newline, or not soon enough.
        """
        while True:
            end = self.buffer.find(b"\n", self.place)
            if end >= 0:
                found = self.buffer[self.place : end]
                if len(found) > limit:
                    break
                self.place = end + 1
                return found
            if len(self.buffer) - self.place > limit:
                break
            if not self._more():
                raise self._cut()
        raise RefusedError("malformed", f"a line of more than {limit} bytes", offset=self.tell())

    def pass_line(self, keep: int) -> tuple[bytes, int]:
        """Pass over a line of any length and its newline; return its first ``keep`` bytes and its length.

        Raises:
            RefusedError: There is no newline.
        """
        kept, length = b"", 0
        while True:
            end = self.buffer.find(b"\n", self.place)
            stop = end if end >= 0 else len(self.buffer)
            kept += self.buffer[self.place : min(stop, self.place + keep - len(kept))]
            length += stop - self.place
            self.place = stop
            if end >= 0:
                self.place += 1
                return kept, length
            if not self._more():
                raise self._cut()

    def _cut(self) -> RefusedError:
        return RefusedError("truncated", "the bytes end too early", offset=self._base + len(self.buffer))
