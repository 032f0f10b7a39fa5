"""A private copy of a model: all its files in one file without a name, so that one descriptor holds any number.

Each file begins at the start of a page, so that a reader can map it. Two kinds: in memory and sealed, where the kernel
refuses every change to everybody for ever; and on disk, where mode and the holder's own protection keep others out.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import mmap
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge.errors import ModelError
from weighbridge.model.digest import Progress, checksums, on_all_cores
from weighbridge.model.leases import Lease, lease_holds, take_lease
from weighbridge.model.listing import Entry
from weighbridge.model.tree import Buffers, Tree, changed

SEALS: Final = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
"""No writing, no other size, and no way back: not for root, not for who has the descriptor open already."""

CLOCK_TICK: Final = 0.02
"""Seconds after which a change gets another time of change: kernels before 6.13 write times once in a clock tick."""

_NOT_EXECUTABLE: Final = (
    0x8  # MFD_NOEXEC_SEAL, since Linux 6.3; where the kernel is set to demand it, nothing else works
)
_MODE: Final = 0o400


class NoRoomError(Exception):
    """This kind of copy cannot be made here; the message says why. Another kind may do."""


@dataclass(frozen=True, slots=True)
class Pack:
    """The files of a model in one descriptor, each from its start on."""

    descriptor: int
    entries: tuple[Entry, ...]
    starts: dict[str, int]

    def read(self, entry: Entry, *, buffer: memoryview) -> Iterator[memoryview]:
        """Yield a file's bytes, each time in the same buffer.

        Raises:
            ModelError: When they are not all there.
        """
        place = self.starts[entry.name]
        end = place + entry.size
        while place < end:
            count = os.preadv(self.descriptor, [buffer[: end - place]], place)
            if not count:
                raise changed(entry.name)
            place += count
            yield buffer[:count]


def layout(entries: tuple[Entry, ...]) -> tuple[dict[str, int], int]:
    """Return where each file begins, and how large the whole is."""
    starts, place = {}, 0
    for entry in entries:
        starts[entry.name] = place
        place += -(-entry.size // mmap.PAGESIZE) * mmap.PAGESIZE
    return starts, place


def seal(tree: Tree, *, progress: Progress) -> tuple[Pack, list[str]]:
    """Copy a model into memory, seal it, and only then hash it: whatever anybody did before is in the checksums.

    The caller closes the descriptor.

    Raises:
        ModelError: When the model cannot be read, or is seen to change.
        NoRoomError: When the kernel does not give such a file, or not that large.
    """
    with _refusals("memory"):
        descriptor = _memory_file()
    with _closed_on_error(descriptor):
        starts, size = layout(tree.entries)
        with _refusals("memory"):
            os.ftruncate(descriptor, size)
            _fill(tree, descriptor, starts)
            # A writer that had the file mapped would make this fail; who had it open can no longer write.
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, SEALS)
            held = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
        if held & SEALS != SEALS:
            raise NoRoomError("memory is not to be had: the kernel did not apply every seal")
        pack = Pack(descriptor, tree.entries, starts)
        return pack, checksums(pack, progress=progress)


def copy(tree: Tree, directory: Path, *, progress: Progress) -> tuple[Pack, list[str], Lease]:
    """Copy a model into a file without a name, hashing what is written, and close the way to write it.

    The caller keeps this process from being looked into meanwhile and while it holds the copy, calls
    ``require_untouched`` at the end, and closes the descriptor.

    Raises:
        ModelError: When the model cannot be read or is seen to change, or when somebody has the copy open.
        NoRoomError: When the file cannot be made or does not fit, or when another process could have opened it and
            the file system does not tell.
    """
    starts, size = layout(tree.entries)
    progress.total(sum(entry.size for entry in tree.entries))
    with _refusals("a file"):
        writer, had_a_name = _unnamed(directory)
    try:
        with _refusals("a file"):
            os.ftruncate(writer, size)
            sums = _fill_and_hash(tree, writer, starts, progress)
            os.fchmod(writer, _MODE)
            reader = os.open(f"/proc/self/fd/{writer}", os.O_RDONLY | os.O_CLOEXEC)
    finally:
        os.close(writer)
    with _closed_on_error(reader):
        lease = take_lease(reader, name="the private copy")
        # Who opened it by its name could have it mapped, and no time of change need tell what is stored through a map.
        if had_a_name and lease is not Lease.HELD:
            raise NoRoomError(
                f"a private copy in {directory} is not to be had: a file there has a name for a moment, and the file "
                "system does not say whether somebody opened it"
            )
        # A change from now on must not carry the same time of change as ours.
        time.sleep(CLOCK_TICK)
        return Pack(reader, tree.entries, starts), sums, lease


def require_untouched(pack: Pack, *, made: os.stat_result, lease: Lease) -> None:
    """Return when nobody opened a copy to write it, nor changed its mode, since it was made.

    Raises:
        ModelError: Otherwise. Mode 0400 must be changed before it can be opened, and the kernel writes down when.
    """
    now = os.fstat(pack.descriptor)
    fields = ("st_mode", "st_uid", "st_size", "st_mtime_ns", "st_ctime_ns")
    same = all(getattr(now, name) == getattr(made, name) for name in fields)
    if not same or (lease is Lease.HELD and not lease_holds(pack.descriptor)):
        raise ModelError(
            "the private copy of the model was changed while it was examined; nothing that was found counts",
            remedy="look for another process of this user that meddles, or run as a user of its own",
        )


def _fill(tree: Tree, descriptor: int, starts: dict[str, int]) -> None:
    threads = Buffers()

    def write(entry: Entry) -> None:
        for _ in _written(tree, entry, descriptor, starts[entry.name], threads.buffer()):
            pass

    on_all_cores(write, tree.entries)
    tree.require_unchanged()


def _fill_and_hash(tree: Tree, descriptor: int, starts: dict[str, int], progress: Progress) -> list[str]:
    threads = Buffers()

    def write(entry: Entry) -> str:
        checksum = hashlib.sha256()
        for chunk in _written(tree, entry, descriptor, starts[entry.name], threads.buffer()):
            checksum.update(chunk)
            progress.advance(len(chunk))
        return checksum.hexdigest()

    sums = on_all_cores(write, tree.entries)
    tree.require_unchanged()
    return sums


def _written(tree: Tree, entry: Entry, descriptor: int, place: int, buffer: memoryview) -> Iterator[memoryview]:
    # Each chunk is yielded after it was written, from the same buffer, which belongs to this thread alone.
    for chunk in tree.read(entry, buffer=buffer):
        rest = chunk
        while rest:
            count = os.pwrite(descriptor, rest, place)
            rest, place = rest[count:], place + count
        yield chunk


def _memory_file() -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        return os.memfd_create("weighbridge-model", flags | _NOT_EXECUTABLE)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return os.memfd_create("weighbridge-model", flags)


def _unnamed(directory: Path) -> tuple[int, bool]:
    # Also whether the file had a name for a moment, by which another process of this user may have opened it.
    try:
        return os.open(directory, os.O_RDWR | os.O_TMPFILE | os.O_EXCL | os.O_CLOEXEC, 0o600), False
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL):
            raise
    path = directory / f".weighbridge-{secrets.token_hex(16)}"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with _closed_on_error(descriptor):
        path.unlink()
    return descriptor, True


@contextlib.contextmanager
def _refusals(what: str) -> Iterator[None]:
    # What the source refuses is a ModelError by now; what is left comes from the place that is written to.
    try:
        yield
    except OSError as error:
        raise NoRoomError(f"{what} for a private copy is not to be had: {error.strerror}") from None


@contextlib.contextmanager
def _closed_on_error(descriptor: int) -> Iterator[None]:
    try:
        yield
    except BaseException:
        os.close(descriptor)
        raise
