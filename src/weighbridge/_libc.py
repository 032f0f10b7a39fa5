"""The C library as we call it: system calls by number, with errors as ``OSError``."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from typing import Final

PR_SET_PDEATHSIG: Final = 1
PR_GET_DUMPABLE: Final = 3
PR_SET_DUMPABLE: Final = 4
PR_GET_SECCOMP: Final = 21
PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38
PR_GET_NO_NEW_PRIVS: Final = 39
"""Options of prctl(2), from ``linux/prctl.h``."""

_RENAMEAT2: Final = {"x86_64": 316, "aarch64": 276}
_AT_FDCWD: Final = -100
_RENAME_NOREPLACE: Final = 1


def machine() -> str:
    """Return the machine as ``uname -m`` names it."""
    return platform.machine()


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: object) -> int:
    """Make a system call.

    Raises:
        OSError: With the call's errno.
    """
    converted = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = _library().syscall(ctypes.c_long(number), *converted)
    return _checked(int(result))


def prctl(option: int, *arguments: object) -> int:
    """Change how the kernel treats this process. Arguments that are not given are zero, which newer kernels demand.

    Raises:
        OSError: With the call's errno.
    """
    padded = (*arguments, *((0,) * (4 - len(arguments))))
    converted = [ctypes.c_ulong(each) if isinstance(each, int) else each for each in padded]
    return _checked(int(_library().prctl(ctypes.c_int(option), *converted)))


def rename_new(source: str, target: str) -> None:
    """Give a file another name that nothing has yet (renameat2(2), ``RENAME_NOREPLACE``).

    Raises:
        OSError: With the call's errno: ``EEXIST`` when something has the name, ``EINVAL`` where the file system cannot.
    """
    number = _RENAMEAT2.get(machine())
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    names = [ctypes.c_char_p(os.fsencode(name)) for name in (source, target)]
    syscall(number, _AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_NOREPLACE)


def capset(header: ctypes.Array[ctypes.c_uint32], data: ctypes.Array[ctypes.c_uint32]) -> None:
    """Set the capabilities of this process.

    Raises:
        OSError: With the call's errno.
    """
    _checked(int(_library().capset(header, data)))


def capget(header: ctypes.Array[ctypes.c_uint32], data: ctypes.Array[ctypes.c_uint32]) -> None:
    """Read the capabilities of this process.

    Raises:
        OSError: With the call's errno.
    """
    _checked(int(_library().capget(header, data)))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
