"""Whether this very process is a confined worker."""

from __future__ import annotations

import os
import socket
from typing import Final

from weighbridge import _libc

_FILTERED: Final = 2
_SOMEWHERE_ELSE: Final = "/"


def confined() -> bool:
    """Say whether confinement of files and network is in force around this process.

    It is asked of the kernel each time, never remembered: the process has given up privileges, has a system call
    filter, cannot make a socket and cannot list the root directory.
    """
    try:
        privileges = _libc.prctl(_libc.PR_GET_NO_NEW_PRIVS)
        filtered = _libc.prctl(_libc.PR_GET_SECCOMP)
    except (OSError, AttributeError):
        return False
    return privileges == 1 and filtered == _FILTERED and no_sockets() and no_files()


def no_sockets() -> bool:
    """Say whether the kernel refuses this process every kind of socket that is tried."""
    return all(_socket_refused(family) for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX))


def no_files() -> bool:
    """Say whether the kernel refuses this process to list the root directory, which nothing needs."""
    try:
        descriptor = os.open(_SOMEWHERE_ELSE, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:
        return True
    except OSError:
        return False
    os.close(descriptor)
    return False


def _socket_refused(family: int) -> bool:
    try:
        socket.socket(family, socket.SOCK_DGRAM).close()
    except PermissionError:
        return True
    except OSError:
        return False
    return False
