"""Read the files of an environment, and say by one digest what decided about it.

What is imported from an environment is every file of its sites, whether a RECORD names it or not, byte code too. So the
digest is over these: which directories are the sites, the names of all directories, the bytes of all files, where links
to directories lead, and the bytes of what is read outside the sites (``pyvenv.cfg``, recorded scripts). Names are
relative to the directory that was handed in, so that a part of an environment never has the digest of the whole.

Each file counts with the bytes that were read of it first: what a finding is about is what the digest is over, also
when somebody writes meanwhile. A file of which a RECORD has the SHA-256 is read once for both.
"""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from weighbridge._files import open_regular
from weighbridge.checks.dependencies.reasons import not_judged
from weighbridge.checks.dependencies.sources.environment_listing import EnvironmentListing, list_sites, name_in
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import InputError
from weighbridge.evidence.record import Undecided

MAX_SHOWN: Final = 5
"""How many names a reason has."""

_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EnvironmentTree:
    """An environment that is being read. Names are relative to its top, as its listing has them."""

    listing: EnvironmentListing
    _sums: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, top: Path, sites: Sequence[Path]) -> EnvironmentTree:
        """List the sites of an environment, to read them.

        Raises:
            InputError: As ``list_sites``.
        """
        return cls(list_sites(top, sites))

    def recorded(self, site: str, written: str) -> str | None:
        """Return the name of a file by how a RECORD of a site writes it; None for what is not below the top."""
        if os.path.isabs(written):
            return None
        name = name_in(site, written)
        if name in self.listing.files:
            return name
        return self.listing.within(posixpath.join(site, written))

    def read(self, name: str, *, limit: int) -> bytes:
        """Return the first ``limit`` + 1 bytes of a file; its sum is over all of it.

        Raises:
            OSError: When it is not there, is no file or cannot be read.
            InputError: When it is not what was read before.
        """
        kept = bytearray()
        self._hash(name, "sha256", kept, limit + 1)
        return bytes(kept)

    def hash(self, name: str, algorithm: str = "sha256") -> bytes:
        """Return the digest of a file by an algorithm of hashlib.

        Raises:
            OSError: As ``read``.
            InputError: As ``read``.
        """
        if algorithm == "sha256" and name in self._sums:
            return bytes.fromhex(self._sums[name])
        return self._hash(name, algorithm, bytearray(), 0)

    def finish(self) -> tuple[str, tuple[Undecided, ...]]:
        """Read what was not read yet; return the digest over all of it, and what is not under the digest."""
        unread = []
        for name in sorted(self.listing.files - self._sums.keys()):
            try:
                self.hash(name)
            except (OSError, InputError):
                unread.append(name)
        digest = hashlib.sha256()
        for parts in sorted(self._records()):
            # As with `sha256sum --zero`: no name holds a zero byte, so no name can be read as two records.
            digest.update(b"".join(os.fsencode(part) + b"\0" for part in parts))
        return digest.hexdigest(), tuple(self._doubts(unread))

    def _records(self) -> Iterator[tuple[str, str, str]]:
        yield from (("site", site, "") for site in self.listing.sites)
        yield from (("directory", name, "") for name in self.listing.directories)
        yield from (("link", name, target) for name, target in self.listing.links.items())
        yield from (("file", name, found) for name, found in self._sums.items())

    def _doubts(self, unread: list[str]) -> Iterator[Undecided]:
        listing = self.listing
        astray = [name for name, target in listing.links.items() if listing.site_of(target) is None]
        for names, reason in (
            (sorted(listing.away), "it leads out of the environment, so what it leads to is not judged"),
            (sorted(astray), "it leads to a directory that is not judged"),
            (unread, "it is no file, or cannot be read, so it is not under the digest of the environment"),
        ):
            for name in names[:MAX_SHOWN]:
                more = f" ({len(names)} such names)" if len(names) > 1 else ""
                yield not_judged("environment-not-followed", reason + more, location=plain(name, limit=300))

    def _require(self, name: str) -> None:
        # What is in a site and was not listed came later, so that it is not under the digest.
        listing = self.listing
        if listing.is_directory(name):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        if name not in listing.files and (listing.site_of(name) is not None or listing.within(name) is None):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)

    def _hash(self, name: str, algorithm: str, kept: bytearray, wanted: int) -> bytes:
        self._require(name)
        sums = {each: hashlib.new(each) for each in {"sha256", algorithm}}
        with open_regular(self.listing.top / name) as file:
            while chunk := file.read(_CHUNK):
                kept += chunk[: max(0, wanted - len(kept))]
                for each in sums.values():
                    each.update(chunk)
        found = sums["sha256"].hexdigest()
        if self._sums.setdefault(name, found) != found:
            raise InputError("it was changed while it was read")
        return sums[algorithm].digest()
