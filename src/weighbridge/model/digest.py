r"""The identity of a model: one digest that binds names and bytes.

``dirHash`` of the in-toto DigestSet specification is Go's ``dirhash.Hash1`` in hex: sha256 over the lines that
``sha256sum`` prints for all files, sorted by name. Anyone can reproduce it without us::

    find . -type f | LC_ALL=C sort | xargs -d '\n' sha256sum | sed 's,  ./,  ,' | sha256sum

There is no ignore list. What cannot be bound by name and bytes (a link, a device, a name that would break a line or
that two systems read differently) is refused rather than skipped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol, TypeVar

from weighbridge.errors import ParseError
from weighbridge.model.listing import Entry
from weighbridge.model.tree import Buffers, cores, open_tree

ALGORITHM: Final = "dirHash"
"""The name of the digest in a DigestSet."""

T = TypeVar("T")

_HEX: Final = re.compile(r"[0-9a-f]{64}")


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


@dataclass(frozen=True, slots=True, order=True)
class ManifestDigest:
    """The digest of a model's OCI image, by which pods name it. ``ManifestDigest.parse(str(d)) == d``."""

    hex: str

    def __post_init__(self) -> None:
        if _HEX.fullmatch(self.hex) is None:
            raise ParseError(f"{self.hex!r} is not a sha256; expected 64 lower-case hex digits")

    def __str__(self) -> str:
        return f"sha256:{self.hex}"

    @classmethod
    def parse(cls, text: str) -> ManifestDigest:
        """Read ``sha256:<64 hex>``.

        Raises:
            ParseError: For anything else.
        """
        algorithm, separator, value = text.partition(":")
        if not separator or algorithm != "sha256":
            raise ParseError(f"{text!r} is not a manifest digest; expected sha256:<64 hex digits>")
        return cls(value)


class Progress(Protocol):
    """Hears how far hashing has come, in bytes; called from several threads."""

    def total(self, size: int, /) -> None:
        """Take the number of bytes that there are."""

    def advance(self, size: int, /) -> None:
        """Take the number of bytes that were just read."""


class Silent:
    """Hears nothing."""

    def total(self, size: int, /) -> None:
        """Ignore it."""

    def advance(self, size: int, /) -> None:
        """Ignore it."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model's identity and what it follows from: the sha256 of each file, by name."""

    digest: Digest
    files: Mapping[str, str]

    @classmethod
    def of(cls, files: Mapping[str, str]) -> ModelFiles:
        """Compute the digest that files of these names and checksums have."""
        ordered = sorted(files.items(), key=lambda item: item[0].encode())
        return cls(combine(ordered), MappingProxyType(dict(ordered)))


class Readable(Protocol):
    """A model's files, wherever they are held: as they lie on disk, or in a private view."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return every file, sorted by the bytes of its name."""

    def read(self, entry: Entry, *, buffer: memoryview) -> Iterator[memoryview]:
        """Yield a file's bytes, each time in the same buffer.

        Raises:
            ModelError: When they cannot be read, or are seen to change.
        """


def hash_model(model: Path, *, progress: Progress | None = None) -> Digest:
    """Compute the digest of a directory, or of one file as a directory that holds that one name.

    Files are read on all cores, streaming. The digest is of the bytes that were read. A file that is added, removed,
    exchanged or written by a system call meanwhile is seen by its times and refuses. A store through a shared memory
    map is **not** seen when the map had been written to before: the kernel marks a page once, and tells of later
    stores when it writes them back, or never (tmpfs). So the digest may be of bytes that the file never held together,
    or no longer holds. Where that matters, examine and hash a private view (``weighbridge.model.view``).

    Raises:
        ModelError: For a symlink, device, socket or FIFO anywhere, the model itself included, but for the links of
            the Hub's cache; for a name that ``names`` refuses, and for two that are one on some systems; for no file
            at all; for a tree that is seen to change; for what cannot be read.
    """
    return hash_files(model, progress=progress).digest


def hash_files(model: Path, *, progress: Progress | None = None) -> ModelFiles:
    """Compute the digest of a model like ``hash_model``, and return the checksum of each file with it.

    Raises:
        ModelError: For what ``hash_model`` refuses.
    """
    with open_tree(model) as tree:
        sums = checksums(tree, progress=progress or Silent())
        tree.require_unchanged()
        return ModelFiles.of(dict(zip((entry.name for entry in tree.entries), sums, strict=True)))


def checksums(source: Readable, *, progress: Progress) -> list[str]:
    """Return the sha256 of each file in hex, in the order of the entries, read on all cores.

    Raises:
        ModelError: When one cannot be read, or is seen to change.
    """
    progress.total(sum(entry.size for entry in source.entries))
    threads = Buffers()

    def hash_entry(entry: Entry) -> str:
        checksum = hashlib.sha256()
        for chunk in source.read(entry, buffer=threads.buffer()):
            checksum.update(chunk)
            progress.advance(len(chunk))
        return checksum.hexdigest()

    return on_all_cores(hash_entry, source.entries)


def on_all_cores(work: Callable[[Entry], T], entries: tuple[Entry, ...]) -> list[T]:
    """Do the same for each file, on as many threads as there are cores, and return the answers in order."""
    if len(entries) == 1:
        return [work(entries[0])]
    with ThreadPoolExecutor(max_workers=min(cores(), len(entries))) as pool:
        return list(pool.map(work, entries))


def combine(files: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> Digest:
    """Combine (name, sha256 in hex) pairs, already sorted by the bytes of the name, into the digest."""
    summary = hashlib.sha256()
    for name, checksum in files:
        summary.update(f"{checksum}  {name}\n".encode())
    return Digest(summary.hexdigest())
