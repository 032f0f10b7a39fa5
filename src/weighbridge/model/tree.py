"""A model's files as they lie on disk: listed once, read in order or side by side, and listed again.

What cannot be bound by name and bytes (a link, a device, a name that would break a line of ``sha256sum``) is refused
rather than skipped, and so is what changes while it is read. Links of one layout are read as files; ``hub_cache`` says
which.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import Final

from weighbridge.errors import ModelError
from weighbridge.model.clutter import advice
from weighbridge.model.hub_cache import COPY, HubCache, open_cache
from weighbridge.model.names import require_distinct, require_name

MAX_FILES: Final = 1_000_000
"""Most files that one model may have."""

MAX_DEPTH: Final = 64
"""Deepest directory that is entered."""

BUFFER: Final = 512 * 1024
"""Bytes that each thread reads at a time; memory does not grow with the size of the files."""

_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


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

    @classmethod
    def of(cls, name: str, status: os.stat_result, *, link: str = "") -> Entry:
        """Take what a status says."""
        inode = (status.st_dev, status.st_ino)
        return cls(name, status.st_size, status.st_mtime_ns, status.st_ctime_ns, inode, link)


@dataclass(frozen=True, slots=True)
class Tree:
    """An open model: a directory, or one file as a directory that holds that one name."""

    root: int
    entries: tuple[Entry, ...]
    """Every file, sorted by the bytes of its name."""
    directory: bool
    cache: HubCache | None = None
    """The Hub's cache that the directory is a snapshot of."""

    def read(self, entry: Entry, *, buffer: memoryview) -> Iterator[memoryview]:
        """Yield a file's bytes, each time in the same buffer; after the last, the file is still what was listed.

        Raises:
            ModelError: When it is not, or cannot be read.
        """
        descriptor = self.open(entry)
        try:
            yield from _chunks(descriptor, entry, buffer)
        finally:
            os.close(descriptor)

    def open(self, entry: Entry) -> int:
        """Open a file for reading, without following a link that the listing did not; the caller closes it.

        Raises:
            ModelError: When it cannot be opened.
        """
        if not self.directory:
            return os.dup(self.root)
        if self.cache is None or not entry.link:
            return _open_beneath(self.root, entry.name)
        try:
            if _link(self.root, entry.name) != entry.link:
                raise changed(entry.name)
            return self.cache.open(entry.link, name=entry.name)
        except OSError as error:
            raise _unreadable(entry.name, error) from None

    @property
    def above(self) -> int:
        """Return the open directory that all files lie beneath; of a snapshot of the Hub, that is its repository."""
        return self.root if self.cache is None else self.cache.repository

    def path_of(self, entry: Entry) -> str:
        """Return where a file's bytes lie beneath ``above``, without any link on the way."""
        return entry.name if self.cache is None else self.cache.path_of(entry.name, link=entry.link)

    def require_unchanged(self) -> None:
        """List the directory again, and return when it is as it was.

        Raises:
            ModelError: When a file was added, removed or written meanwhile.
        """
        if not self.directory:
            return
        if _listed(self.root, self.cache) != self.entries or (self.cache is not None and self.cache.moved()):
            raise changed("the directory")


@contextlib.contextmanager
def open_tree(model: Path) -> Iterator[Tree]:
    """Open a model and list it.

    Raises:
        ModelError: For a symlink, device, socket or FIFO anywhere, the model itself included; for a name that
            ``names`` refuses; for no file at all; for what cannot be read.
    """
    try:
        root = os.open(model, _OPEN)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ModelError(
                f"the model {str(model)!r} is a symlink, which could lead to another model when it is loaded",
                remedy="name what it leads to, as `realpath` prints it; of a model in the Hugging Face Hub's cache, "
                "name the directory snapshots/REVISION",
            ) from None
        raise _unreadable(str(model), error) from None
    try:
        status = os.fstat(root)
        if stat.S_ISDIR(status.st_mode):
            with open_cache(model, root=root) as cache:
                entries = _listed(root, cache)
                if not entries:
                    raise ModelError(
                        "the model has no file", remedy="name a directory with at least one file, or one file"
                    )
                yield Tree(root, entries, directory=True, cache=cache)
        else:
            name = _single_name(model)
            _refuse_special(name, status.st_mode)
            yield Tree(root, (Entry.of(name, status),), directory=False)
    finally:
        os.close(root)


class Buffers(local):
    """One read buffer a thread."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(BUFFER))

    def buffer(self) -> memoryview:
        """Return this thread's buffer."""
        return self._buffer


def cores() -> int:
    """Return how many threads are worth having."""
    return len(os.sched_getaffinity(0))


def _chunks(descriptor: int, entry: Entry, buffer: memoryview) -> Iterator[memoryview]:
    if Entry.of(entry.name, os.fstat(descriptor), link=entry.link) != entry:
        raise changed(entry.name)
    count = 0
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        with open(descriptor, "rb", buffering=0, closefd=False) as stream:
            while read := stream.readinto(buffer):
                count += read
                if count > entry.size:
                    break
                yield buffer[:read]
    except OSError as error:
        raise _unreadable(entry.name, error) from None
    if count != entry.size or Entry.of(entry.name, os.fstat(descriptor), link=entry.link) != entry:
        raise changed(entry.name)


def _listed(root: int, cache: HubCache | None) -> tuple[Entry, ...]:
    return tuple(sorted(_walk(root, cache), key=lambda entry: entry.name.encode()))


def _walk(root: int, cache: HubCache | None) -> Iterator[Entry]:
    found = 0
    pending: list[str] = [""]
    while pending:
        directory = pending.pop()
        descriptor = _open_beneath(root, directory) if directory else os.dup(root)
        try:
            with os.scandir(descriptor) as listing:
                names = [item.name for item in listing]
            for base in names:
                name = f"{directory}/{base}" if directory else base
                require_name(base, name=name)
                status = os.stat(base, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    if name.count("/") >= MAX_DEPTH:
                        raise ModelError(f"{name!r} lies deeper than {MAX_DEPTH} directories")
                    pending.append(name)
                    continue
                found += 1
                if found > MAX_FILES:
                    raise ModelError(f"the model has more than {MAX_FILES} files")
                yield _entry(descriptor, base, name, status, cache)
            require_distinct(names, directory=directory)
        except OSError as error:
            raise _unreadable(directory or "the model", error) from None
        finally:
            os.close(descriptor)


def _entry(directory: int, base: str, name: str, status: os.stat_result, cache: HubCache | None) -> Entry:
    if cache is not None and stat.S_ISLNK(status.st_mode):
        link = os.readlink(base, dir_fd=directory)
        if (blob := cache.status(link, name=name)) is not None:
            return Entry.of(name, blob, link=link)
    _refuse_special(name, status.st_mode)
    return Entry.of(name, status)


def _link(root: int, name: str) -> str:
    parent, _, base = name.rpartition("/")
    descriptor = _open_beneath(root, parent) if parent else os.dup(root)
    try:
        return os.readlink(base, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _open_beneath(root: int, name: str) -> int:
    # One component at a time, so that a directory swapped for a link cannot lead out of the tree.
    descriptor = os.dup(root)
    for part in name.split("/"):
        try:
            inner = os.open(part, _OPEN, dir_fd=descriptor)
        except OSError as error:
            raise _unreadable(name, error) from None
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def _single_name(model: Path) -> str:
    name = model.name or model.resolve().name
    require_name(name, name=name)
    return name


_NO_LINK: Final = f"replace it by a regular file, or {COPY}"

_KINDS: Final = (
    (stat.S_ISLNK, "a symlink"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)


def _refuse_special(name: str, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((words for test, words in _KINDS if test(mode)), "neither a file nor a directory")
    raise ModelError(
        f"{name!r} is {kind}; a model holds regular files and directories only",
        remedy=advice([name]) or (_NO_LINK if stat.S_ISLNK(mode) else "take it out of the model"),
    )


def changed(name: str) -> ModelError:
    """Say that a file is not what was listed."""
    return ModelError(
        f"{name} changed while it was read; its digest would describe nothing that exists",
        remedy="stop whatever writes there and try again",
    )


def _unreadable(name: str, error: OSError) -> ModelError:
    # O_NOFOLLOW reports a link as ELOOP, or as ENOTDIR where a directory was asked for.
    if error.errno == errno.ELOOP:
        return ModelError(
            f"{name!r} is a symlink; a model holds regular files and directories only",
            remedy=advice([name]) or _NO_LINK,
        )
    return ModelError(f"{name!r} cannot be read: {error.strerror}", remedy="check the path and its permissions")
