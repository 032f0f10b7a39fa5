"""The interpreter as a program that nobody may read, so that nobody can look into a worker, not even as it starts.

A worker closes itself to others of its user, but some milliseconds after it was born; whoever has opened its memory by
then keeps it. A process that runs a file which its user may not read is closed from its first instruction: the kernel
sees to that when it starts the program (``would_dump`` in fs/exec.c). So the interpreter is copied into memory, sealed,
given mode 0111, and started from there. Who may read every file, as root does, is not kept out by this.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import re
import stat
from collections.abc import Iterator
from typing import Final

MAX_PROGRAM: Final = 128 * 1024 * 1024
"""Largest interpreter that is copied, in bytes."""

_MODE: Final = 0o111
_SEALS: Final = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
_EXECUTABLE: Final = 0x10  # MFD_EXEC, since Linux 6.3; where the kernel is set to forbid it, there is no copy
_ELF: Final = b"\x7fELF"
_BY_ITS_PLACE: Final = re.compile(rb"\$\{?ORIGIN")


@contextlib.contextmanager
def unreadable(path: str) -> Iterator[int | None]:
    """Open a copy of a program that may be executed by ``/proc/self/fd`` and not be read.

    None where there is no such copy, and the program must be started as it lies there: a script, which its interpreter
    reads; a program that finds its libraries by its own place (``$ORIGIN``); a kernel that lets no memory be executed.
    """
    descriptor = _copied(path)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _copied(path: str) -> int | None:
    with contextlib.suppress(OSError), open(path, "rb", buffering=0) as program:
        status = os.fstat(program.fileno())
        if not stat.S_ISREG(status.st_mode) or not len(_ELF) < status.st_size <= MAX_PROGRAM:
            return None
        with mmap.mmap(program.fileno(), 0, prot=mmap.PROT_READ) as content:
            if content[: len(_ELF)] != _ELF or _BY_ITS_PLACE.search(content):
                return None
        descriptor = _memory_file()
        try:
            _fill(descriptor, program.fileno(), status.st_size)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
    return None


def _memory_file() -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        return os.memfd_create("weighbridge-worker", flags | _EXECUTABLE)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return os.memfd_create("weighbridge-worker", flags)


def _fill(descriptor: int, program: int, size: int) -> None:
    place = 0
    while place < size:
        count = os.sendfile(descriptor, program, place, size - place)
        if not count:
            raise OSError(errno.EIO, "it ends too early")
        place += count
    os.fchmod(descriptor, _MODE)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
