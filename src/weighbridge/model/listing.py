"""List what lies in a model's directory, and open it one name at a time, without following a link.

What cannot be bound by name and bytes (a link, a device, a name that would break a line of ``sha256sum``) is refused
rather than skipped. Links of one layout are listed as files; ``hub_cache`` says which.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from weighbridge.errors import ModelError
from weighbridge.model.clutter import advice
from weighbridge.model.hub_cache import COPY, HubCache
from weighbridge.model.leases import open_patiently
from weighbridge.model.names import require_distinct, require_name

MAX_FILES: Final = 1_000_000
"""Most files and directories that one model may have."""

MAX_DEPTH: Final = 64
"""Deepest directory that is entered."""

MAX_PATH: Final = 4095 - len("./")
"""Longest name of a file, in bytes: with the ``./`` that ``find`` writes before it, no longer one can be opened."""

_SHOWN: Final = 120
"""Characters of a long name that a message shows."""

OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Entry:
    """One file as the walk found it; equal before and after when nothing touched it."""

    name: str
    size: int
    modified: int
    changed: int
    inode: tuple[int, int]
    link: str = ""
    """What the link says, where a link of the Hub's cache is read as the file that it leads to."""
    names: int = field(default=1, compare=False)
    """How many names the file has on disk. A link made or taken away shows in ``changed`` already."""

    @classmethod
    def of(cls, name: str, status: os.stat_result, *, link: str = "") -> Entry:
        """Take what a status says."""
        inode = (status.st_dev, status.st_ino)
        return cls(name, status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode, link, status.st_nlink)


def list_files(root: int, cache: HubCache | None) -> tuple[Entry, ...]:
    """Return every file beneath an open directory, sorted by the bytes of its name.

    Raises:
        ModelError: For what a model may not hold, a name that ``names`` refuses, and what cannot be read.
    """
    return tuple(sorted(_walk(root, cache), key=lambda entry: entry.name.encode()))


def _walk(root: int, cache: HubCache | None) -> Iterator[Entry]:
    found = 0
    pending: list[str] = [""]
    environments: list[str] = []
    while pending:
        directory = pending.pop()
        descriptor = open_beneath(root, directory) if directory else os.dup(root)
        try:
            names = _names(descriptor, most=MAX_FILES - found)
            found += len(names)
            if _ENVIRONMENT in names:
                environments.append(f"{directory}/")
            for base in names:
                name = f"{directory}/{base}" if directory else base
                require_name(base, name=name)
                _refuse_long(name)
                status = os.stat(base, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    _refuse_deep(name)
                    pending.append(name)
                else:
                    _refuse_environment(name, status.st_mode, environments)
                    yield _entry(descriptor, base, name, status, cache)
            require_distinct(names, directory=directory)
        except OSError as error:
            raise unreadable(directory or "the model", error) from None
        finally:
            os.close(descriptor)


def _names(directory: int, *, most: int) -> list[str]:
    # Directories count as files do: whoever fills a disk with them would else have the walk go on for days.
    with os.scandir(directory) as listing:
        names = [item.name for item in islice(listing, most + 1)]
    if len(names) > most:
        raise ModelError(
            f"the model has more than {MAX_FILES} files and directories",
            remedy="take out what is no part of it, or put many small files into one archive",
        )
    return names


def _refuse_environment(name: str, mode: int, environments: list[str]) -> None:
    # A link in a virtual environment is no mistake that is to be mended: the environment is no part of the model.
    place = next((one for one in environments if name.startswith(one.lstrip("/"))), None)
    if place is not None and stat.S_ISLNK(mode):
        shown = place.strip("/") or "."
        raise ModelError(
            f"{shown!r} is a virtual environment of Python, with links out of the model, such as {name!r}",
            remedy="move it out of the model's folder; `weighbridge audit --environment` judges what is in it",
        )


def _refuse_deep(name: str) -> None:
    if name.count("/") >= MAX_DEPTH:
        raise ModelError(
            f"{name!r} lies deeper than {MAX_DEPTH} directories",
            remedy="name the directory that holds the model itself, or put its files into fewer directories",
        )


def _refuse_long(name: str) -> None:
    if len(name.encode()) > MAX_PATH:
        raise ModelError(
            f"the name {name[:_SHOWN]!r}… has more than {MAX_PATH} bytes, so sha256sum cannot open it",
            remedy="give the directories shorter names, or put the files into fewer directories",
        )


def _entry(directory: int, base: str, name: str, status: os.stat_result, cache: HubCache | None) -> Entry:
    if cache is not None and stat.S_ISLNK(status.st_mode):
        link = os.readlink(base, dir_fd=directory)
        if (blob := cache.status(link, name=name)) is not None:
            return Entry.of(name, blob, link=link)
    refuse_special(name, status.st_mode)
    return Entry.of(name, status)


def read_link(root: int, name: str) -> str:
    """Return what the link of this name says; links on the way to it are not followed.

    Raises:
        ModelError, OSError: When there is no such link any more.
    """
    parent, _, base = name.rpartition("/")
    descriptor = open_beneath(root, parent) if parent else os.dup(root)
    try:
        return os.readlink(base, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def open_beneath(root: int, name: str) -> int:
    """Open what has this name beneath an open directory; the caller closes it.

    Raises:
        ModelError: When there is a link on the way, or it cannot be opened.
    """
    # One component at a time, so that a directory swapped for a link cannot lead out of the tree.
    descriptor = os.dup(root)
    for part in name.split("/"):
        try:
            inner = open_patiently(part, OPEN, beneath=descriptor)
        except OSError as error:
            raise unreadable(name, error) from None
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


_ENVIRONMENT: Final = "pyvenv.cfg"
"""The file by which Python knows a virtual environment (PEP 405)."""

_NO_LINK: Final = f"replace it by a regular file, or {COPY}"

_KINDS: Final = (
    (stat.S_ISLNK, "a symlink"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)


def refuse_special(name: str, mode: int) -> None:
    """Return when this is the mode of a regular file.

    Raises:
        ModelError: When it is not; it says what there is instead.
    """
    if stat.S_ISREG(mode):
        return
    kind = next((words for test, words in _KINDS if test(mode)), "neither a file nor a directory")
    raise ModelError(
        f"{name!r} is {kind}; a model holds regular files and directories only",
        remedy=advice([name]) or (_NO_LINK if stat.S_ISLNK(mode) else "take it out of the model"),
    )


def unreadable(name: str, error: OSError) -> ModelError:
    """Say why a part of the model cannot be read."""
    # O_NOFOLLOW reports a link as ELOOP, or as ENOTDIR where a directory was asked for.
    if error.errno == errno.ELOOP:
        return ModelError(
            f"{name!r} is a symlink; a model holds regular files and directories only",
            remedy=advice([name]) or _NO_LINK,
        )
    return refused(name, error, remedy=advice([name]) or "check the path and its permissions")


def refused(name: str, error: OSError, *, remedy: str) -> ModelError:
    """Say why something cannot be read, and what to do unless the error itself says it."""
    if error.errno == errno.EAGAIN:
        return ModelError(
            f"{name!r} cannot be read: another program holds it by a lease, and did not give it back when it was asked",
            remedy="close the file in whatever has it open, maybe on a network share of it, and try again",
        )
    return ModelError(f"{name!r} cannot be read: {error.strerror}", remedy=remedy)
