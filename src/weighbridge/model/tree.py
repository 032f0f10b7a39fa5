"""A model's files as they lie on disk: listed once, read in order or side by side, and listed again.

``listing`` says what may lie there; what changes while it is read is refused here.
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
from weighbridge.model.hub_cache import HubCache, open_cache, require_no_repository
from weighbridge.model.leases import open_patiently
from weighbridge.model.listing import (
    OPEN,
    Entry,
    list_files,
    open_beneath,
    read_link,
    refuse_special,
    refused,
    unreadable,
)
from weighbridge.model.names import require_name

BUFFER: Final = 512 * 1024
"""Bytes that each thread reads at a time; memory does not grow with the size of the files."""


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
            return open_beneath(self.root, entry.name)
        try:
            if read_link(self.root, entry.name) != entry.link:
                raise changed(entry.name)
            return self.cache.open(entry.link, name=entry.name)
        except OSError as error:
            raise unreadable(entry.name, error) from None

    @property
    def sources(self) -> tuple[int, ...]:
        """Return every open directory, or the open file, that names and bytes of the model come from."""
        return (self.root,) if self.cache is None else (self.root, self.cache.repository, self.cache.blobs)

    def places(self) -> tuple[int, tuple[str, ...]]:
        """Return one open directory, and where each file's bytes lie beneath it without any link on the way.

        Of a snapshot that directory is the blobs themselves, so that no name leads to other blobs than were hashed.
        Only where a snapshot holds files that are no links is it the repository above both.

        Raises:
            ModelError: When a link leads out of the cache.
        """
        cache = self.cache
        if cache is None:
            return self.root, tuple(entry.name for entry in self.entries)
        if all(entry.link for entry in self.entries):
            return cache.blobs, tuple(cache.checksum(entry.link, name=entry.name) for entry in self.entries)
        return cache.repository, tuple(cache.path_of(entry.name, link=entry.link) for entry in self.entries)

    def require_unchanged(self) -> None:
        """List the directory again, and return when it is as it was.

        Raises:
            ModelError: When a file was added, removed or written meanwhile.
        """
        if not self.directory:
            return
        if list_files(self.root, self.cache) != self.entries or (self.cache is not None and self.cache.moved()):
            raise changed("the directory")


@contextlib.contextmanager
def open_tree(model: Path) -> Iterator[Tree]:
    """Open a model and list it.

    Raises:
        ModelError: For a symlink, device, socket or FIFO anywhere, the model itself included; for a name that
            ``names`` refuses; for no file at all; for what cannot be read.
    """
    try:
        root = open_patiently(model, OPEN)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ModelError(
                f"the model {str(model)!r} is a symlink, which could lead to another model when it is loaded",
                remedy="name what it leads to, as `realpath` prints it; of a model in the Hugging Face Hub's cache, "
                "name the directory snapshots/REVISION",
            ) from None
        raise refused(str(model), error, remedy="check the path and its permissions") from None
    try:
        status = os.fstat(root)
        if stat.S_ISDIR(status.st_mode):
            require_no_repository(model, root=root)
            with open_cache(model, root=root) as cache:
                entries = list_files(root, cache)
                if not entries:
                    raise ModelError(
                        "the model has no file", remedy="name a directory with at least one file, or one file"
                    )
                yield Tree(root, entries, directory=True, cache=cache)
        else:
            name = _single_name(model)
            refuse_special(name, status.st_mode)
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
        raise unreadable(entry.name, error) from None
    if count != entry.size or Entry.of(entry.name, os.fstat(descriptor), link=entry.link) != entry:
        raise changed(entry.name)


def _single_name(model: Path) -> str:
    name = model.name or model.resolve().name
    require_name(name, name=name)
    return name


def changed(name: str) -> ModelError:
    """Say that a file is not what was listed."""
    return ModelError(
        f"{name} changed while it was read; its digest would describe nothing that exists",
        remedy="stop whatever writes there and try again",
    )
