"""Landlock: this process may read the paths it was given, write its scratch directory, and nothing else.

Source: ``Documentation/userspace-api/landlock.rst`` and ``include/uapi/linux/landlock.h`` of Linux 6.15. Each newer
ABI knows more rights; a right that a kernel does not know is left out, never assumed.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from weighbridge import _libc

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
# These three have the same numbers on every architecture.

_GET_VERSION: Final = 1
_PATH_BENEATH: Final = 1

WRITE_FILE: Final = 1 << 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
REMOVE_FILE: Final = 1 << 5
MAKE_REG: Final = 1 << 8
REFER: Final = 1 << 13
TRUNCATE: Final = 1 << 14
IOCTL_DEV: Final = 1 << 15
"""File system rights by their bit."""

_FIRST_RIGHTS: Final = (1 << 13) - 1
_TRUNCATION_SINCE: Final = 3
_RIGHTS_SINCE: Final = {2: REFER, _TRUNCATION_SINCE: TRUNCATE, 5: IOCTL_DEV}
_TCP: Final = 0b11  # bind and connect
_TCP_SINCE: Final = 4
_SCOPES: Final = 0b11  # abstract unix sockets, signals
_SCOPES_SINCE: Final = 6

READ: Final = READ_FILE | READ_DIR
"""What is granted beneath the model, its inputs and the interpreter. Execution is granted nowhere."""

SCRATCH: Final = READ | WRITE_FILE | TRUNCATE | MAKE_REG | REMOVE_FILE
"""What is granted beneath the scratch directory: plain files, no directories, links, sockets or devices."""

_FILE_RIGHTS: Final = READ_FILE | WRITE_FILE | TRUNCATE


Place = Path | int
"""A path, or a descriptor of what somebody else has opened and looked at."""


def abi() -> int:
    """Return the kernel's Landlock ABI; 0 where it has none or has switched it off."""
    try:
        return _libc.syscall(_CREATE_RULESET, None, 0, _GET_VERSION)
    except OSError:
        return 0


def restricts_tcp(version: int) -> bool:
    """Say whether this ABI denies TCP (not UDP, which only the system call filter does)."""
    return version >= _TCP_SINCE


def restricts_truncation(version: int) -> bool:
    """Say whether this ABI denies emptying a file that may only be read; before, only the system call filter does."""
    return version >= _TRUNCATION_SINCE


def restrict(*, readable: Iterable[Place], devices: Iterable[Place], scratch: Place) -> int:
    """Confine this thread and all that it starts from now on; return the ABI, 0 when nothing is in force.

    The caller has set no_new_privs, and closes the descriptors. Paths that do not exist are left out: what is not there
    cannot be read.

    Raises:
        OSError: When the kernel has Landlock and still refuses the rules.
    """
    version = abi()
    if version == 0:
        return 0
    handled = _handled(version)
    ruleset = _create(version, handled)
    try:
        for place in readable:
            _allow(ruleset, place, READ)
        for place in devices:
            _allow(ruleset, place, READ_FILE | WRITE_FILE)
        _allow(ruleset, scratch, SCRATCH & handled)
        _libc.syscall(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def _handled(version: int) -> int:
    handled = _FIRST_RIGHTS
    for since, right in _RIGHTS_SINCE.items():
        if version >= since:
            handled |= right
    return handled


def _create(version: int, handled: int) -> int:
    # struct landlock_ruleset_attr grows by one 64-bit word with each family of rights.
    words = [handled]
    if version >= _TCP_SINCE:
        words.append(_TCP)
    if version >= _SCOPES_SINCE:
        words.append(_SCOPES)
    attributes = struct.pack(f"={len(words)}Q", *words)
    return _libc.syscall(_CREATE_RULESET, ctypes.c_char_p(attributes), len(attributes), 0)


def _allow(ruleset: int, place: Place, rights: int) -> None:
    if isinstance(place, int):
        _add(ruleset, place, rights)
        return
    try:
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _add(ruleset, descriptor, rights)
    finally:
        os.close(descriptor)


def _add(ruleset: int, descriptor: int, rights: int) -> None:
    if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
        rights &= _FILE_RIGHTS
    rule = struct.pack("=Qi", rights, descriptor)
    _libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0)
