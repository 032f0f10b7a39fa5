"""Where data lies: a file, or a folder of files. Its digest is of the very bytes that were read.

The digest of a file is its SHA-256. That of a folder is ``dirHash``, as of a model: the SHA-256 of what ``sha256sum``
prints for all its files, sorted by name. Nothing in a folder may lead out of it, so links are refused.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from weighbridge._files import open_regular
from weighbridge.checks.data import limits
from weighbridge.checks.data.limits import DataError
from weighbridge.errors import ModelError
from weighbridge.model.names import require_name

_CHUNK: Final = 1 << 20
_MAX_DEPTH: Final = 8


def read_file(path: Path) -> bytes:
    """Return the bytes of a data file; who calls names it, so a link is followed.

    Raises:
        DataError: It cannot be read, or is too large.
    """
    try:
        with open_regular(path) as file:
            blob = file.read(limits.MAX_DATA_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path.name, error) from None
    if len(blob) > limits.MAX_DATA_BYTES:
        raise DataError(f"{path.name} has more than {limits.MAX_DATA_BYTES} bytes", remedy="Give fewer examples.")
    return blob


@dataclass(slots=True)
class Folder:
    """A folder of data, listed once: the names of its files, sorted by their bytes.

    ``size`` counts the bytes that were read so far. It remembers the checksum of what was read, so that its
    digest is of nothing else.
    """

    path: Path
    names: tuple[str, ...]
    size: int = 0
    _read: dict[str, str] = field(default_factory=dict)

    def read(self, name: str) -> bytes:
        """Return the bytes of one file of the list.

        Raises:
            DataError: It cannot be read, became another one since, or all files together are too large.
        """
        try:
            with open_regular(self.path / name, flags=os.O_RDONLY | os.O_NOFOLLOW) as file:
                blob = file.read(limits.MAX_DATA_BYTES + 1 - self.size)
        except (OSError, ValueError) as error:
            raise _unreadable(name, error) from None
        self._keep(name, hashlib.sha256(blob).hexdigest(), len(blob))
        return blob

    def listing(self) -> bytes:
        """Return what ``sha256sum`` prints for all files; those that nobody needed are read now.

        Raises:
            DataError: As ``read``.
        """
        for name in self.names:
            if name not in self._read:
                self.read(name)
        return "".join(f"{self._read[name]}  {name}\n" for name in self.names).encode()

    def _keep(self, name: str, checksum: str, size: int) -> None:
        self.size += size
        if self._read.setdefault(name, checksum) != checksum:
            raise DataError(f"{name} changed while it was read", remedy="Give data that nobody writes to.")
        if self.size > limits.MAX_DATA_BYTES:
            raise DataError(
                f"{self.path.name} has more than {limits.MAX_DATA_BYTES} bytes", remedy="Give fewer examples."
            )


def open_folder(path: Path) -> Folder:
    """List a folder of data.

    Raises:
        DataError: It cannot be listed, has too many files, a link, a device, or a name that no digest can bind.
    """
    names = sorted(_names(path, "", depth=0), key=os.fsencode)
    if not names:
        raise DataError(f"the folder {path.name} is empty", remedy="Give the folder that holds the data.")
    return Folder(path, tuple(names))


def _names(folder: Path, prefix: str, *, depth: int) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        raise DataError(f"{prefix} lies more than {_MAX_DEPTH} folders deep", remedy="Give data of fewer levels.")
    count = 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = prefix + entry.name
                _require_name(entry.name, name)
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    found: Iterator[str] = _names(folder / entry.name, f"{name}/", depth=depth + 1)
                elif stat.S_ISREG(status.st_mode):
                    found = iter((name,))
                else:
                    raise DataError(
                        f"{limits.shown_text(name)} is a link or no file; what a link leads to is not bound",
                        remedy="Put the file itself there.",
                    )
                for each in found:
                    count += 1
                    if count > limits.MAX_FILES:
                        raise DataError(f"a folder of data has more than {limits.MAX_FILES} files")
                    yield each
    except OSError as error:
        raise _unreadable(prefix or folder.name, error) from None


def _require_name(base: str, name: str) -> None:
    try:
        require_name(base, name=name)
    except ModelError as error:
        raise DataError(error.message, remedy=error.remedy) from None


def _unreadable(name: str, error: OSError | ValueError) -> DataError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return DataError(f"{limits.shown_text(name)} cannot be read: {reason}", remedy="Check the path.")


def bytes_to_bind(path: Path) -> bytes:
    """Return the bytes whose SHA-256 binds data: a file's own, or what ``sha256sum`` prints for a folder.

    Raises:
        DataError: It cannot be read.
    """
    return open_folder(path).listing() if path.is_dir() else read_file(path)


def digest_of(path: Path) -> str:
    """Return the digest of data without keeping a large file in memory.

    Raises:
        DataError: It cannot be read, or is too large.
    """
    if path.is_dir():
        return hashlib.sha256(open_folder(path).listing()).hexdigest()
    checksum, size = hashlib.sha256(), 0
    try:
        with open_regular(path) as stream:
            while chunk := stream.read(_CHUNK):
                checksum.update(chunk)
                size += len(chunk)
                if size > limits.MAX_DATA_BYTES:
                    raise DataError(f"{path.name} has more than {limits.MAX_DATA_BYTES} bytes")
    except (OSError, ValueError) as error:
        raise _unreadable(path.name, error) from None
    return checksum.hexdigest()
