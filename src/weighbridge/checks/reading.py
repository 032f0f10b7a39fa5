"""Read a model's files as a request lists them: out of a private copy, or where they lie. No check has another way."""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.interface import ModelFile

_PLAIN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file of the model: ``size`` bytes of the descriptor from ``start`` on; ``regular`` says if it is one."""

    descriptor: int
    start: int
    size: int
    status: os.stat_result

    @property
    def regular(self) -> bool:
        """Tell whether it is a file as models hold them."""
        return stat.S_ISREG(self.status.st_mode)

    def unchanged(self) -> bool:
        """Tell whether no time of change nor size says that it was written since it was opened."""
        now = os.fstat(self.descriptor)
        before = self.status
        return (now.st_size, now.st_mtime_ns, now.st_ctime_ns) == (
            before.st_size,
            before.st_mtime_ns,
            before.st_ctime_ns,
        )


@contextlib.contextmanager
def opened(file: ModelFile) -> Iterator[Opened]:
    """Open a file of the model for reading with pread; a link is never followed.

    Raises:
        OSError: When it cannot be opened, or is not as long as the parent listed it.
    """
    descriptor = _descriptor_of(file)
    try:
        status = os.fstat(descriptor)
        end = file.start + file.size
        lies_in_a_pack = file.descriptor is not None and not file.path
        if stat.S_ISREG(status.st_mode) and (status.st_size < end if lies_in_a_pack else status.st_size != end):
            raise OSError(0, "it is not as long as it was")
        yield Opened(descriptor, file.start, file.size, status)
    finally:
        os.close(descriptor)


def read_whole(file: ModelFile, *, limit: int) -> bytes:
    """Return all bytes of a file, or its first ``limit`` + 1 when it has more.

    Raises:
        OSError: When it cannot be read, or ends before its size.
    """
    with opened(file) as found:
        wanted = min(found.size, limit + 1)
        content = bytearray(wanted)
        place = 0
        while place < wanted:
            count = os.preadv(found.descriptor, [memoryview(content)[place:]], found.start + place)
            if not count:
                raise OSError(0, "it ends too early")
            place += count
        return bytes(content)


@contextlib.contextmanager
def mapped(file: ModelFile) -> Iterator[memoryview]:
    """Map a file's bytes for reading; nothing is read before it is looked at.

    Raises:
        OSError: When it cannot be mapped.
    """
    with opened(file) as found:
        if found.size == 0:
            yield memoryview(b"")
            return
        # Private, because a sealed file cannot be mapped as shared before Linux 6.7, not even to read it.
        with (
            mmap.mmap(
                found.descriptor, found.size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ, offset=found.start
            ) as content,
            memoryview(content) as view,
        ):
            yield view


def _descriptor_of(file: ModelFile) -> int:
    if file.descriptor is None:
        return os.open(file.path, _PLAIN)
    if not file.path:
        return os.dup(file.descriptor)
    # One component at a time, so that a directory exchanged for a link cannot lead out of the model.
    descriptor = os.dup(file.descriptor)
    for part in file.path.split("/"):
        try:
            inner = os.open(part, _PLAIN, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor
