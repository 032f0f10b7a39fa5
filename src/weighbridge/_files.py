"""Read small files within a limit, and write files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from io import BufferedReader
from pathlib import Path
from typing import Final

from weighbridge.errors import InputError, OutputError, WeighbridgeError

_NO_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What link(2) says on a file system that has no hard links."""


def read_limited(path: Path, *, limit: int, what: str) -> bytes:
    """Read a regular file of at most ``limit`` bytes; the caller names it, so a link is followed.

    Kubernetes mounts Secrets and ConfigMaps as links.

    Raises:
        InputError: When it is missing, unreadable, not a regular file, or larger.
    """
    return _read(path, os.O_RDONLY, limit, what)


def read_entry(path: Path, *, limit: int, what: str) -> bytes:
    """Read a file that was found in a directory: like ``read_limited``, but a link is refused, wherever it leads."""
    return _read(path, os.O_RDONLY | os.O_NOFOLLOW, limit, what)


def open_regular(path: Path | str, *, flags: int = os.O_RDONLY) -> BufferedReader:
    """Open a regular file for reading, and nothing else.

    Raises:
        OSError: When it cannot be opened, or is something else: a FIFO would wait for a writer for ever, and a device
            may have no end.
        ValueError: When the path holds a NUL, or what no file system can name.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def _read(path: Path, flags: int, limit: int, what: str) -> bytes:
    try:
        with open_regular(path, flags=flags) as stream:
            data = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(
            f"{what} {path} cannot be read: {reason}", remedy="check the path and its permissions"
        ) from None
    if len(data) > limit:
        raise InputError(f"{what} {path} is larger than {limit} bytes")
    return data


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old bytes, or all new bytes, and never a part.

    Raises:
        OutputError: When that is impossible (disk full, read-only, no such directory), and when something else than a
            regular file lies there, such as a device; no temporary file is left.
    """
    temporary = _beside(path)
    try:
        _refuse_special(path)
        _write(temporary, data, mode)
        os.replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        # Gone when it was renamed; still there after an error, and when a signal came in between.
        with contextlib.suppress(OSError):
            temporary.unlink()


def replace_contents(path: Path, data: bytes) -> None:
    """Write other bytes into a file that is there, like ``write_atomically``; its mode stays.

    A link to it stays too: who reads the file by its own name must not find the old bytes.

    Raises:
        OutputError: When that is impossible, as ``write_atomically``; also when there is no file.
    """
    try:
        real = Path(os.path.realpath(path, strict=True))
        mode = stat.S_IMODE(os.stat(real).st_mode)
    except OSError as error:
        raise _cannot_write(path, error) from None
    write_atomically(real, data, mode=mode)


def write_new(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file like ``write_atomically``, but refuse to replace one.

    Raises:
        OutputError: Also when the file exists.
    """
    temporary = _beside(path)
    try:
        _write(temporary, data, mode)
        _name_if_free(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def make_directory(path: Path, *, mode: int = 0o777) -> None:
    """Create a directory and its parents; the mode is that of the directory alone.

    Raises:
        OutputError: When that is impossible.
    """
    try:
        path.mkdir(mode, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from None


def _beside(path: Path) -> Path:
    # Not with_name, which fails on "." and "/"; short, so that every name that fits can be written.
    return path.parent / f".weighbridge-{secrets.token_hex(8)}.part"


def _name_if_free(temporary: Path, path: Path) -> None:
    # A link is refused where the name is taken, on every file system that has links. FAT, exFAT and many file systems
    # in user space have none, and rename without replacing.
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    else:
        return
    from weighbridge import _libc  # noqa: PLC0415 - `verify` is to start fast, and needs no C library

    try:
        _libc.rename_new(str(temporary), str(path))
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS):
            raise
        reason = "its file system can give a file no name without replacing what may have it"
        raise OSError(error.errno, reason, str(path)) from None


def _refuse_special(path: Path) -> None:
    # Whoever is root would replace /dev/null, or what /dev/stdout stands for, for every other program.
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(errno.EINVAL, "something lies there that is not a regular file", str(path))


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(descriptor)


def _cannot_write(path: Path, error: OSError) -> WeighbridgeError:
    if isinstance(error, FileExistsError):
        return OutputError(
            f"{path} cannot be written: {error.strerror}; it was left as it is",
            remedy="choose another place, or remove what is there when you no longer need it",
        )
    return OutputError(
        f"{path} cannot be written: {error.strerror}; nothing was left behind",
        remedy="free space, choose another place, or remove what is there",
    )
