r"""The identity of a model: one digest that binds names and bytes.

``dirHash`` of the in-toto DigestSet specification is Go's ``dirhash.Hash1`` in hex: sha256 over the lines that
``sha256sum`` prints for all files, sorted by name. Anyone can reproduce it without us::

    find . -type f | cut -c3- | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum

There is no ignore list. What cannot be bound by name and bytes (a link, a device, a name that would break a line)
is refused rather than skipped.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import local
from typing import Final, Protocol

from weighbridge.errors import ModelError, ParseError

ALGORITHM: Final = "dirHash"
"""The name of the digest in a DigestSet."""

MAX_FILES: Final = 1_000_000
"""Most files that one model may have."""

MAX_DEPTH: Final = 64
"""Deepest directory that is entered."""

BUFFER: Final = 512 * 1024
"""Bytes that each thread reads at a time; memory does not grow with the size of the files."""

_HEX: Final = re.compile(r"[0-9a-f]{64}")
_OPEN: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A model's identity. ``Digest.parse(str(d)) == d``."""

    hex: str

    def __post_init__(self) -> None:
        if _HEX.fullmatch(self.hex) is None:
            raise ParseError(f"{self.hex!r} is not a {ALGORITHM}; expected 64 lower-case hex digits")

    def __str__(self) -> str:
        return f"{ALGORITHM}:{self.hex}"

    @property
    def short(self) -> str:
        """Return the first twelve digits, for file names and tables. Never compare by it."""
        return self.hex[:12]

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``dirHash:<64 hex>``.

        Raises:
            ParseError: For anything else.
        """
        algorithm, separator, value = text.partition(":")
        if not separator or algorithm != ALGORITHM:
            raise ParseError(f"{text!r} is not a model digest; expected {ALGORITHM}:<64 hex digits>")
        return cls(value)


class Progress(Protocol):
    """Hears how far hashing has come, in bytes; called from several threads."""

    def total(self, size: int, /) -> None:
        """Take the number of bytes that there are."""

    def advance(self, size: int, /) -> None:
        """Take the number of bytes that were just read."""


class _Silent:
    def total(self, size: int, /) -> None:
        pass

    def advance(self, size: int, /) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _Entry:
    """One file as the walk found it; equal before and after when nothing touched it."""

    name: str
    size: int
    modified: int
    changed: int
    inode: tuple[int, int]

    @classmethod
    def of(cls, name: str, status: os.stat_result) -> _Entry:
        return cls(name, status.st_size, status.st_mtime_ns, status.st_ctime_ns, (status.st_dev, status.st_ino))


def hash_model(model: Path, *, progress: Progress | None = None) -> Digest:
    """Compute the digest of a directory, or of one file as a directory that holds that one name.

    Files are read on all cores, streaming. The tree is listed again afterwards: a file that was added, removed or
    written meanwhile refuses.

    Raises:
        ModelError: For a symlink, device, socket or FIFO anywhere, the model itself included; for a name that is
            not UTF-8 or has a control character or backslash (``sha256sum`` escapes those); for no file at all;
            for a tree that changes; for what cannot be read.
    """
    meter = progress or _Silent()
    try:
        root = os.open(model, _OPEN)
    except OSError as error:
        raise _unreadable(str(model), error) from None
    try:
        status = os.fstat(root)
        if stat.S_ISDIR(status.st_mode):
            return _hash_directory(root, meter)
        return _hash_single(root, status, _single_name(model), meter)
    finally:
        os.close(root)


def _hash_directory(root: int, meter: Progress) -> Digest:
    entries = sorted(_walk(root), key=lambda entry: entry.name.encode())
    if not entries:
        raise ModelError("the model has no file", remedy="name a directory with at least one file, or one file")
    meter.total(sum(entry.size for entry in entries))
    threads = _Buffers()

    def hash_entry(entry: _Entry) -> str:
        descriptor = _open_beneath(root, entry.name)
        try:
            return _hash_open(descriptor, entry, threads.buffer(), meter)
        finally:
            os.close(descriptor)

    if len(entries) == 1:
        sums = [hash_entry(entries[0])]
    else:
        with ThreadPoolExecutor(max_workers=min(_cores(), len(entries))) as pool:
            sums = list(pool.map(hash_entry, entries))
    if sorted(_walk(root), key=lambda entry: entry.name.encode()) != entries:
        raise _changed("the directory")
    return combine(zip((entry.name for entry in entries), sums, strict=True))


def _hash_single(descriptor: int, status: os.stat_result, name: str, meter: Progress) -> Digest:
    _refuse_special(name, status.st_mode)
    entry = _Entry.of(name, status)
    meter.total(entry.size)
    return combine([(name, _hash_open(descriptor, entry, memoryview(bytearray(BUFFER)), meter))])


def combine(files: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> Digest:
    """Combine (name, sha256 in hex) pairs, already sorted by the bytes of the name, into the digest."""
    summary = hashlib.sha256()
    for name, checksum in files:
        summary.update(f"{checksum}  {name}\n".encode())
    return Digest(summary.hexdigest())


class _Buffers(local):
    """One read buffer a thread."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(BUFFER))

    def buffer(self) -> memoryview:
        return self._buffer


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _hash_open(descriptor: int, entry: _Entry, buffer: memoryview, meter: Progress) -> str:
    if _Entry.of(entry.name, os.fstat(descriptor)) != entry:
        raise _changed(entry.name)
    checksum = hashlib.sha256()
    count = 0
    try:
        with open(descriptor, "rb", buffering=0, closefd=False) as stream:
            while read := stream.readinto(buffer):
                checksum.update(buffer[:read])
                count += read
                meter.advance(read)
                if count > entry.size:
                    break
    except OSError as error:
        raise _unreadable(entry.name, error) from None
    if count != entry.size or _Entry.of(entry.name, os.fstat(descriptor)) != entry:
        raise _changed(entry.name)
    return checksum.hexdigest()


def _walk(root: int) -> Iterator[_Entry]:
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
                _refuse_name(base, name)
                status = os.stat(base, dir_fd=descriptor, follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    if name.count("/") >= MAX_DEPTH:
                        raise ModelError(f"{name!r} lies deeper than {MAX_DEPTH} directories")
                    pending.append(name)
                    continue
                _refuse_special(name, status.st_mode)
                found += 1
                if found > MAX_FILES:
                    raise ModelError(f"the model has more than {MAX_FILES} files")
                yield _Entry.of(name, status)
        except OSError as error:
            raise _unreadable(directory or "the model", error) from None
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
    _refuse_name(name, name)
    return name


def _refuse_name(base: str, name: str) -> None:
    # Where the locale is not UTF-8, Python's name is not that of the bytes on disk, and two trees would share a digest.
    raw = os.fsencode(base)
    if raw != base.encode(errors="replace"):
        raise ModelError(
            f"the name {raw!r} is not UTF-8, or this process reads names in another encoding",
            remedy="rename the file, or set LC_ALL=C.UTF-8",
        )
    if any(character < " " or character in "\\\x7f" for character in base):
        raise ModelError(
            f"the name {name!r} has a control character or a backslash, which sha256sum would escape",
            remedy="rename the file",
        )


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
        remedy="replace it by a regular file, or name the resolved path",
    )


def _changed(name: str) -> ModelError:
    return ModelError(
        f"{name} changed while it was read; its digest would describe nothing that exists",
        remedy="stop whatever writes there and try again",
    )


def _unreadable(name: str, error: OSError) -> ModelError:
    # O_NOFOLLOW reports a link as ELOOP, or as ENOTDIR where a directory was asked for.
    if error.errno == errno.ELOOP:
        return ModelError(
            f"{name!r} is a symlink; a model holds regular files and directories only",
            remedy="replace it by a regular file, or name the resolved path",
        )
    return ModelError(f"{name!r} cannot be read: {error.strerror}", remedy="check the path and its permissions")
