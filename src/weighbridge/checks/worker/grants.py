"""Paths that were opened once: what was looked at is what a worker is granted, wherever the names lead afterwards.

A name may be exchanged for a link as soon as it was looked at, by whoever may write its directory. So a path is opened
before anything is decided about it, and from then on only its descriptor counts, in this process and in the worker's.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge.errors import UsageError

Identity = tuple[int, int]
"""Which file something is, whatever its name: the numbers of its device and of its inode."""

_FULL: Final = (errno.EMFILE, errno.ENFILE)


@dataclass(frozen=True, slots=True)
class Grant:
    """A file or directory as it was opened: the name that was asked for, and where that led."""

    descriptor: int
    name: Path
    real: Path
    identity: Identity
    directory: bool

    def files(self) -> Iterator[tuple[Path, Identity]]:
        """Return the regular files that are granted with this, by name; links are not followed."""
        if not self.directory:
            yield self.name, self.identity
            return
        for folder, _, names, inside in os.fwalk(".", dir_fd=self.descriptor):
            for name in names:
                with contextlib.suppress(OSError):
                    status = os.stat(name, dir_fd=inside, follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        yield self.name / folder / name, identity_of(status)


def identity_of(status: os.stat_result) -> Identity:
    """Return which file a status is of."""
    return status.st_dev, status.st_ino


@contextlib.contextmanager
def opened(paths: Iterable[Path]) -> Iterator[tuple[Grant, ...]]:
    """Open each path, links followed, without a right to read it.

    What cannot be opened is left out: nobody can read it, and it is not granted when it comes to be there later.

    Raises:
        UsageError: When this process may open no more.
    """
    with contextlib.ExitStack() as stack:
        yield tuple(grant for path in dict.fromkeys(paths) if (grant := _open(path, stack)) is not None)


def _open(path: Path, stack: contextlib.ExitStack) -> Grant | None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except ValueError:
        return None
    except OSError as error:
        if error.errno in _FULL:
            raise UsageError(
                f"the input {path} cannot be opened: {error.strerror}",
                remedy="raise the limit on open files (`ulimit -n`), or give fewer inputs",
            ) from None
        return None
    stack.callback(os.close, descriptor)
    status = os.fstat(descriptor)
    return Grant(descriptor, path, _real(descriptor, path), identity_of(status), stat.S_ISDIR(status.st_mode))


def _real(descriptor: int, path: Path) -> Path:
    try:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}"))
    except OSError:
        return Path(os.path.realpath(path))
