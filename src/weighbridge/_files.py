"""Read small files within a limit, and write files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from weighbridge.errors import InputError, OutputError, WeighbridgeError


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


def _read(path: Path, flags: int, limit: int, what: str) -> bytes:
    try:
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InputError(f"{what} {path} is not a regular file")
            data = stream.read(limit + 1)
    except OSError as error:
        raise InputError(
            f"{what} {path} cannot be read: {error.strerror}", remedy="check the path and its permissions"
        ) from None
    if len(data) > limit:
        raise InputError(f"{what} {path} is larger than {limit} bytes")
    return data


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that a reader sees the old bytes, or all new bytes, and never a part.

    Raises:
        OutputError: When that is impossible (disk full, read-only, no such directory); no temporary file is left.
    """
    temporary = _beside(path)
    try:
        _write(temporary, data, mode)
        os.replace(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        # Gone when it was renamed; still there after an error, and when a signal came in between.
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_new(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file like ``write_atomically``, but refuse to replace one.

    Raises:
        OutputError: Also when the file exists.
    """
    temporary = _beside(path)
    try:
        _write(temporary, data, mode)
        os.link(temporary, path)
    except OSError as error:
        raise _cannot_write(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def make_directory(path: Path) -> None:
    """Create a directory and its parents.

    Raises:
        OutputError: When that is impossible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from None


def _beside(path: Path) -> Path:
    # Not with_name, which fails on "." and "/"; short, so that every name that fits can be written.
    return path.parent / f".weighbridge-{secrets.token_hex(8)}.part"


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with open(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(descriptor)


def _cannot_write(path: Path, error: OSError) -> WeighbridgeError:
    return OutputError(
        f"{path} cannot be written: {error.strerror}; nothing was left behind",
        remedy="free space, choose another place, or remove what is there",
    )
