"""A system call filter: no sockets, no new processes, no reach into other processes.

Written as classic BPF for seccomp(2) (``Documentation/userspace-api/seccomp_filter.rst``). It denies by number: what
Landlock already denies by path is left to Landlock. A call of another architecture, or of the x32 ABI, kills the
process, because its numbers mean something else.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from typing import Final

from weighbridge import _libc
from weighbridge.checks.worker.syscalls import CONDITIONAL, GROUPS, LAST_KNOWN

_ARCHITECTURES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column in the table of numbers, and AUDIT_ARCH value."""

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_EQUAL: Final = 0x15
_JUMP_AT_LEAST: Final = 0x35
_JUMP_ANY_BIT: Final = 0x45
_AND: Final = 0x54
_RETURN: Final = 0x06

_KILL: Final = 0x80000000
_ERRNO: Final = 0x00050000
_ALLOW: Final = 0x7FFF0000
_FILTER_MODE: Final = 2

_NUMBER_OFFSET: Final = 0
_ARCHITECTURE_OFFSET: Final = 4
_ARGUMENTS_OFFSET: Final = 16
_X32: Final = 0x40000000

_CLONE_THREAD: Final = 0x00010000
_O_ACCMODE_AND_TRUNC: Final = 0o1003
_O_TRUNC: Final = 0o1000
_DENIED_PRCTL: Final = (1, 4, 22, 0x59616D61)
# PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_PTRACER: none may loosen what the launcher set.
_DENIED_FCNTL: Final = (8, 10, 15)
# F_SETOWN, F_SETSIG, F_SETOWN_EX: these make the kernel send any signal to any process of the same user.
_DENIED_IOCTL: Final = (0x5412, 0x541C)
# TIOCSTI and TIOCLINUX type into a terminal.
_IOCTL_FAMILY: Final = 0xFF00
_DENIED_IOCTL_FAMILIES: Final = (0x8900, 0x8B00)
# What sockets are asked, those without a network too: interfaces, bridges, wireless; and FIOSETOWN, F_SETOWN again.

Instruction = tuple[int, int, int, int]


def supported() -> bool:
    """Tell whether there is a filter for this machine's architecture."""
    return _libc.machine() in _ARCHITECTURES


def install(*, pid: int) -> bool:
    """Put the filter in force for this process; return False where the architecture or the kernel has none.

    The caller has set no_new_privs and has one thread. ``pid`` is the only process that may still be signalled.
    """
    known = _ARCHITECTURES.get(_libc.machine())
    if known is None:
        return False
    code = b"".join(struct.pack("=HBBI", *each) for each in program(*known, pid=pid))
    buffer = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a 16-bit count and a pointer, with the padding of the platform.
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    try:
        _libc.prctl(_libc.PR_SET_SECCOMP, _FILTER_MODE, ctypes.c_char_p(header))
    except OSError:
        return False
    return True


def program(column: int, architecture: int, *, pid: int) -> list[Instruction]:
    """Return the filter for one column of the table of numbers."""
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE_OFFSET),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        (_JUMP_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
        (_JUMP_AT_LEAST, 0, 1, LAST_KNOWN + 1),
        _refuse(errno.ENOSYS),
    ]
    for group in GROUPS.values():
        for numbers in group.values():
            code += _for_call(numbers[column], [_refuse(errno.EPERM)])
    for name, body in _conditional(pid).items():
        code += _for_call(CONDITIONAL[name][column], body)
    code.append((_RETURN, 0, 0, _ALLOW))
    return code


def _conditional(pid: int) -> dict[str, list[Instruction]]:
    truncating = [(_AND, 0, 0, _O_ACCMODE_AND_TRUNC)]
    return {
        "clone": [_argument(0), (_JUMP_ANY_BIT, 1, 0, _CLONE_THREAD), _refuse(errno.EPERM), _allow()],
        # The flags of clone3 lie behind a pointer; glibc falls back to clone when it is not implemented.
        "clone3": [_refuse(errno.ENOSYS)],
        "kill": _only(0, (pid,)),
        "tgkill": _only(0, (pid,)),
        "prlimit64": _only(0, (0, pid)),
        "prctl": _never(0, _DENIED_PRCTL),
        "fcntl": _never(1, _DENIED_FCNTL),
        "ioctl": _never(1, _DENIED_IOCTL, families=_DENIED_IOCTL_FAMILIES),
        # Before ABI 3 Landlock lets a file that may only be read be emptied by opening it.
        "open": _never(1, (_O_TRUNC,), masked=truncating),
        "openat": _never(2, (_O_TRUNC,), masked=truncating),
        "openat2": [_refuse(errno.ENOSYS)],
    }


def _for_call(number: int | None, body: list[Instruction]) -> list[Instruction]:
    # Every body ends in a return, so the number is still loaded for whatever follows.
    return [] if number is None else [(_JUMP_EQUAL, 0, len(body), number), *body]


def _only(index: int, values: tuple[int, ...]) -> list[Instruction]:
    tests = [(_JUMP_EQUAL, len(values) - place, 0, value) for place, value in enumerate(values)]
    return [_argument(index), *tests, _refuse(errno.EPERM), _allow()]


def _never(
    index: int, values: tuple[int, ...], *, masked: list[Instruction] | None = None, families: tuple[int, ...] = ()
) -> list[Instruction]:
    asked: list[int | None] = [*values, *((None, *families) if families else ())]
    tests: list[Instruction] = [
        (_AND, 0, 0, _IOCTL_FAMILY) if value is None else (_JUMP_EQUAL, len(asked) - place, 0, value)
        for place, value in enumerate(asked)
    ]
    return [_argument(index), *(masked or []), *tests, _allow(), _refuse(errno.EPERM)]


def _argument(index: int) -> Instruction:
    # The low half; both architectures are little-endian and the kernel itself reads these arguments as 32 bits.
    return (_LOAD, 0, 0, _ARGUMENTS_OFFSET + 8 * index)


def _refuse(number: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | number)


def _allow() -> Instruction:
    return (_RETURN, 0, 0, _ALLOW)
