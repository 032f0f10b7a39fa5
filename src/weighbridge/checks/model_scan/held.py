"""A file that is the same at every read: what is judged is what was hashed, whoever writes to it meanwhile.

A private copy in sealed memory needs nothing more. Any other file is read once: a small one stays in memory; of a large
one the state of the hash is kept at every block, and each block that is read again has to lead from one state to the
next. A writer who changes the file in between gets no answer about either.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from typing import Final

from weighbridge.checks.model_scan.report import UndecidedError
from weighbridge.checks.model_scan.source import CHUNK, FileRange, Memory
from weighbridge.checks.reading import Opened

MAX_KEPT: Final = 16 * 1024**2
"""Largest file that is kept in memory as it was hashed."""

MAX_BLOCKS: Final = 4096
"""Most states of the hash that are kept of one file; a larger file has larger blocks."""

_SEALS: Final = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK


class HeldRange(FileRange):
    """A range of a file that was hashed once, and whose every later read is held against that."""

    def __init__(self, descriptor: int, *, start: int, length: int) -> None:
        super().__init__(descriptor, start=start, length=length)
        self._block = max(CHUNK, 1 << (length // MAX_BLOCKS).bit_length())
        self._last: tuple[int, bytes] = (-1, b"")
        state = hashlib.sha256()
        self._states = [state.copy()]
        for place in range(0, length, self._block):
            data = super().read(place, self._block)
            if len(data) != min(self._block, length - place):
                raise changed()
            state.update(data)
            self._states.append(state.copy())
            self._last = (place // self._block, data)
        self.sha256 = state.hexdigest()

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from ``start`` on, block by block, so that none is hashed twice.

        Raises:
            UndecidedError: They are others by now.
        """
        place = start
        while place < self.length:
            end = (place // self._block + 1) * self._block
            chunk = self.read(place, end - place)
            place += len(chunk)
            yield chunk

    def read(self, start: int, count: int) -> bytes:
        """Return up to ``count`` bytes at ``start``, as they were when they were hashed.

        Raises:
            UndecidedError: They are others by now.
        """
        end = min(start + count, self.length)
        if start >= end:
            return b""
        first, last = start // self._block, (end - 1) // self._block
        data = b"".join(self._hashed(number) for number in range(first, last + 1))
        return data[start - first * self._block : end - first * self._block]

    def _hashed(self, number: int) -> bytes:
        if self._last[0] == number:
            return self._last[1]
        data = super().read(number * self._block, self._block)
        state = self._states[number].copy()
        state.update(data)
        if state.digest() != self._states[number + 1].digest():
            raise changed()
        self._last = (number, data)
        return data


def hold(found: Opened) -> tuple[FileRange | Memory, str]:
    """Return a file's bytes as they will be judged, and the sha256 of those very bytes.

    Raises:
        UndecidedError: The file became shorter while it was read.
    """
    if not is_sealed(found.descriptor):
        if found.size > MAX_KEPT:
            held = HeldRange(found.descriptor, start=found.start, length=found.size)
            return held, held.sha256
        data = b"".join(FileRange(found.descriptor, start=found.start, length=found.size).chunks())
        if len(data) != found.size:
            raise changed()
        return Memory(data), hashlib.sha256(data).hexdigest()
    sealed = FileRange(found.descriptor, start=found.start, length=found.size)
    checksum = hashlib.sha256()
    for chunk in sealed.chunks():
        checksum.update(chunk)
    return sealed, checksum.hexdigest()


def is_sealed(descriptor: int) -> bool:
    """Tell whether nobody, root included, can change what the descriptor is open on."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GET_SEALS) & _SEALS == _SEALS
    except OSError:
        return False  # only files in memory have seals


def changed() -> UndecidedError:
    """Return what to raise about a file that is not what it was."""
    return UndecidedError(
        "file-changed", "the file changed while it was scanned; stop whatever writes there and scan again"
    )
