"""The last resort: a model is examined where it lies, and everything that tells of a writer is looked at.

The worst writer stores through a memory map that he has dirtied before: no time of change ever tells. Only a read
lease does, which the kernel refuses while such a map exists. Where leases are not to be had, hashing before and after
is what is left.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from weighbridge.errors import ModelError
from weighbridge.model.digest import Progress, Silent, checksums
from weighbridge.model.leases import Lease, lease_holds, take_lease
from weighbridge.model.listing import Entry
from weighbridge.model.pack import CLOCK_TICK
from weighbridge.model.tree import Tree, changed

MAX_LEASES: Final = 256
"""Most files for which a lease is asked: each needs a descriptor for as long as the check lasts."""


@dataclass(frozen=True, slots=True)
class Watch:
    """A model in place, as it was when the watch began."""

    tree: Tree
    sums: tuple[str, ...]
    directories: tuple[Entry, ...]
    leases: dict[str, int]

    @property
    def leased(self) -> bool:
        """Tell whether the kernel answers for every file."""
        return len(self.leases) == len(self.tree.entries)

    def require_untouched(self, *, progress: Progress | None = None) -> None:
        """Return when nothing tells of a change since the watch began; the files are hashed again.

        Raises:
            ModelError: Naming the first file or directory that changed, was exchanged, or was opened for writing.
        """
        for name, descriptor in self.leases.items():
            if not lease_holds(descriptor):
                raise changed(f"somebody opened {name} for writing: it")
        self.tree.require_unchanged()
        for before, after in zip(self.directories, _directories(self.tree), strict=True):
            if before != after:
                raise changed(f"the directory {before.name}")
        again = checksums(self.tree, progress=progress or Silent())
        for entry, before_sum, after_sum in zip(self.tree.entries, self.sums, again, strict=True):
            if before_sum != after_sum:
                raise changed(entry.name)
        self.tree.require_unchanged()


def start_watch(tree: Tree, stack: ExitStack, *, progress: Progress) -> Watch:
    """Ask for leases, then hash: what is written after the lease breaks it, what was mapped before refuses it.

    Descriptors that hold leases are closed by the stack.

    Raises:
        ModelError: When somebody has a file open for writing, or mapped so that writing reaches it; when the model
            cannot be read or is seen to change.
    """
    leases = dict(_leases(tree, stack)) if len(tree.entries) <= MAX_LEASES else {}
    directories = _directories(tree)
    # What is exchanged from now on, and put back, must not carry the times that were just seen.
    time.sleep(CLOCK_TICK)
    sums = checksums(tree, progress=progress)
    tree.require_unchanged()
    return Watch(tree, tuple(sums), directories, leases)


def _leases(tree: Tree, stack: ExitStack) -> Iterator[tuple[str, int]]:
    for entry in tree.entries:
        descriptor = tree.open(entry)
        if Entry.of(entry.name, os.fstat(descriptor), link=entry.link) != entry:
            os.close(descriptor)
            raise changed(entry.name)
        if take_lease_or_close(descriptor, entry.name) is Lease.HELD:
            stack.callback(os.close, descriptor)
            yield entry.name, descriptor


def take_lease_or_close(descriptor: int, name: str) -> Lease:
    """Take a lease; the descriptor stays open only when there is one.

    Raises:
        ModelError: As ``take_lease``.
    """
    lease = None
    try:
        lease = take_lease(descriptor, name=name)
        return lease
    finally:
        if lease is not Lease.HELD:
            os.close(descriptor)


def _directories(tree: Tree) -> tuple[Entry, ...]:
    # Exchanging a directory and putting it back changes no file in it; it leaves its trace in the directories.
    if not tree.directory:
        return ()
    names = {""}
    for entry in tree.entries:
        parts = entry.name.split("/")[:-1]
        names.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return (*(_directory(tree, name) for name in sorted(names)), *_of_the_cache(tree))


def _directory(tree: Tree, name: str) -> Entry:
    try:
        return Entry.of(name or ".", os.stat(name or ".", dir_fd=tree.root, follow_symlinks=False))
    except OSError as error:
        raise _gone(name or ".", error) from None


def _of_the_cache(tree: Tree) -> Iterator[Entry]:
    if tree.cache is None:
        return
    try:
        found = tree.cache.directories()
    except OSError as error:
        raise _gone("of blobs or snapshots", error) from None
    for name, status in found.items():
        yield Entry.of(f"{name or '.'} of the Hub's cache", status)


def _gone(name: str, error: OSError) -> ModelError:
    return ModelError(
        f"the directory {name} of the model is gone: {error.strerror}",
        remedy="stop whatever writes there and try again",
    )
