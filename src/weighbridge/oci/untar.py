"""Unpack a layer that ``weighbridge push`` wrote, and nothing else.

Every header is computed anew from the name and size that it states and must be the same bytes. So there are no links,
devices, owners, extensions, or two ways to read one header: what is not a plain file or directory of ours is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from weighbridge.errors import OutputError, ParseError
from weighbridge.model.listing import MAX_DEPTH, MAX_FILES
from weighbridge.oci import tar

MAX_PAX_BYTES: Final = 64 * 1024
"""Most bytes of a file's extended header: a long name and a size."""

_REMEDY: Final = "pull only images that `weighbridge push` wrote"


class Source:
    """Bytes that arrive in pieces, read in other pieces."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def pieces(self, count: int) -> Iterator[memoryview]:
        """Yield exactly this many bytes.

        Raises:
            ParseError: When there are fewer.
        """
        while count:
            if not self._rest:
                self._rest = memoryview(next(self._chunks, b""))
                if not self._rest:
                    raise ParseError("a layer ends in the middle of a file", remedy=_REMEDY)
            piece, self._rest = self._rest[:count], self._rest[count:]
            count -= len(piece)
            yield piece

    def exactly(self, count: int) -> bytes:
        """Return exactly this many bytes; for small amounts."""
        return b"".join(self.pieces(count))

    def require_end(self) -> None:
        """Return when nothing follows; this also lets the other side compare its digest.

        Raises:
            ParseError: When something does.
        """
        if self._rest or any(self._chunks):
            raise ParseError("a layer goes on behind its end", remedy=_REMEDY)


def unpack(chunks: Iterator[bytes], *, into: Path) -> None:
    """Write a layer's files into a directory that nobody else can reach yet.

    Raises:
        OutputError: When a file cannot be written.
        ParseError: For everything that ``weighbridge push`` would not have written.
    """
    source = Source(chunks)
    count = 0
    while True:
        header = source.exactly(tar.BLOCK)
        if header == bytes(tar.BLOCK):
            if source.exactly(tar.BLOCK) != bytes(tar.BLOCK):
                raise ParseError("a layer does not end as it must", remedy=_REMEDY)
            source.require_end()
            return
        count += 1
        if count > MAX_FILES:
            raise ParseError(f"a layer has more than {MAX_FILES} entries", remedy=_REMEDY)
        _unpack_entry(header, source, into)


def _unpack_entry(header: bytes, source: Source, into: Path) -> None:
    raw = header
    records: dict[str, bytes] = {}
    if tar.kind_of(header) == tar.PAX:
        size = tar.size_of(header)
        if size > MAX_PAX_BYTES:
            raise ParseError("an extended header in a layer is too large", remedy=_REMEDY)
        body = source.exactly(size + len(tar.padding(size)))
        records = tar.records_of(body[:size])
        header = source.exactly(tar.BLOCK)
        raw += body + header
    name = (records.get("path") or tar.name_of(header)).decode(errors="replace")
    directory = name.endswith("/")
    name = name.removesuffix("/")
    size = int(records["size"]) if "size" in records else tar.size_of(header)
    if raw != (tar.directory_header(name) if directory else tar.file_header(name, size)):
        raise ParseError(
            f"the entry {name[:200]!r} in a layer is not a plain file or directory as `weighbridge push` writes them",
            remedy=_REMEDY,
        )
    _refuse_name(name)
    try:
        if directory:
            (into / name).mkdir(exist_ok=True)
        else:
            _write(into / name, source.pieces(size))
            if any(source.exactly(len(tar.padding(size)))):
                raise ParseError("a layer hides bytes behind a file", remedy=_REMEDY)
    except FileExistsError:
        raise ParseError(f"the layers hold {name!r} twice", remedy=_REMEDY) from None
    except (FileNotFoundError, NotADirectoryError):
        raise ParseError(f"{name[:200]!r} in a layer lies in no directory of it", remedy=_REMEDY) from None
    except OSError as error:
        raise OutputError(
            f"{name!r} cannot be written: {error.strerror}", remedy="free space, or choose another place"
        ) from None


def _write(path: Path, pieces: Iterator[memoryview]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    with open(descriptor, "wb") as stream:
        for piece in pieces:
            stream.write(piece)


def _refuse_name(name: str) -> None:
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts) or len(parts) > MAX_DEPTH + 1:
        raise ParseError(f"the name {name[:200]!r} in a layer leads out of it, or too deep", remedy=_REMEDY)
    if any(character < " " or character in "\\\x7f" for character in name):
        raise ParseError(f"the name {name[:200]!r} in a layer has a control character or a backslash", remedy=_REMEDY)
