"""Read leases: the kernel's word that nobody has a file open for writing, and that it will tell who tries.

A lease is refused while anybody has the file open for writing, or mapped so that stores reach it, even when the
descriptor is long closed. That is what no time of change tells. Once it is held, whoever opens the file for writing
or cuts it off breaks it. Only the owner of a file and root get one. Other programs hold leases too, and must be asked.
"""

from __future__ import annotations

import enum
import errno
import fcntl
import os
import signal
import time
from pathlib import Path
from typing import Final

from weighbridge.errors import ModelError

_TOLD_BY: Final = signal.SIGURG  # ignored where nobody handles it; the usual SIGIO would end the process


GIVEN_BACK_WITHIN: Final = 60.0
"""Seconds for which a writer's lease is waited for; the kernel takes it away after 45, unless it was told otherwise."""

_PAUSE: Final = 0.02


class Lease(enum.Enum):
    """Whether the kernel gave a lease."""

    HELD = enum.auto()
    NOT_TO_BE_HAD = enum.auto()


def take_lease(descriptor: int, *, name: str) -> Lease:
    """Ask for a read lease on a file that is open for reading; it ends when the descriptor is closed.

    Raises:
        ModelError: When somebody has the file open for writing, or mapped so that stores reach it.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, _TOLD_BY)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        if error.errno == errno.EAGAIN:
            raise ModelError(
                f"somebody has {name} open for writing, or mapped so that writing reaches it",
                remedy="stop whatever writes there and try again",
            ) from None
        return Lease.NOT_TO_BE_HAD
    return Lease.HELD


def lease_holds(descriptor: int) -> bool:
    """Tell whether a lease that was given is still whole: nobody has tried to write since."""
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GETLEASE) == fcntl.F_RDLCK
    except OSError:
        return False


def open_patiently(path: Path | str, flags: int, *, beneath: int | None = None) -> int:
    """Open a file without waiting for anything but for who holds a lease on it to give that back; the caller closes it.

    A Samba server holds a lease on every file that a client may write behind its back, and gives it back when asked.

    Raises:
        OSError: As ``os.open``; ``BlockingIOError`` when the lease was not given back.
    """
    until = time.monotonic() + GIVEN_BACK_WITHIN
    while True:
        try:
            return os.open(path, flags | os.O_NONBLOCK, dir_fd=beneath)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
            time.sleep(_PAUSE)
