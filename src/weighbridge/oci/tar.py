"""Deterministic tar streams: the same names and sizes give the same headers, on every machine and version.

Format: POSIX.1-2001 (pax), https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html. The standard library
writes tar too, but its choices between ustar and pax are its own and may change; a digest must not.
"""

from __future__ import annotations

from typing import Final

from weighbridge.errors import ParseError

BLOCK: Final = 512
"""Everything in a tar file is a multiple of this many bytes."""

END: Final = bytes(2 * BLOCK)
"""What ends a tar file."""

_NAME: Final = 100
_LARGEST: Final = 0o77777777777
PAX: Final = b"x"
"""Kind of the entry that holds a name or size too large for the next header."""

_FILE, _DIRECTORY = b"0", b"5"
_FILE_MODE, _DIRECTORY_MODE = 0o444, 0o555


def file_header(name: str, size: int) -> bytes:
    """Return what stands before the bytes of a file: owned by root, readable by all, from the year 1970."""
    return _entry(name, size, _FILE, _FILE_MODE)


def directory_header(name: str) -> bytes:
    """Return the entry of a directory."""
    return _entry(name + "/", 0, _DIRECTORY, _DIRECTORY_MODE)


def padding(size: int) -> bytes:
    """Return what stands behind the bytes of a file of this size."""
    return bytes(-size % BLOCK)


def _entry(name: str, size: int, kind: bytes, mode: int) -> bytes:
    raw = name.encode()
    records = b""
    if len(raw) > _NAME or not name.isascii():
        records += _record("path", raw)
    if size > _LARGEST:
        records += _record("size", str(size).encode())
    plain = _header(raw[:_NAME], size if size <= _LARGEST else 0, kind, mode)
    if not records:
        return plain
    return _header(b"pax", len(records), PAX, _FILE_MODE) + records + padding(len(records)) + plain


def _record(key: str, value: bytes) -> bytes:
    # The length counts its own digits.
    rest = b" " + key.encode() + b"=" + value + b"\n"
    length = len(rest)
    while length != (found := len(rest) + len(str(length))):
        length = found
    return str(length).encode() + rest


def _header(name: bytes, size: int, kind: bytes, mode: int) -> bytes:
    before = b"".join(
        (
            name.ljust(_NAME, b"\0"),
            b"%07o\0" % mode,
            b"0000000\0",  # owner
            b"0000000\0",  # group
            b"%011o\0" % size,
            b"00000000000\0",  # time
        )
    )
    after = b"".join((kind, bytes(100), b"ustar\x0000", bytes(32), bytes(32), b"0000000\0", b"0000000\0", bytes(155)))
    checksum = sum(before) + sum(after) + 8 * ord(" ")
    return (before + b"%06o\0 " % checksum + after).ljust(BLOCK, b"\0")


def kind_of(header: bytes) -> bytes:
    """Return the kind of an entry, as its header states it."""
    return header[156:157]


def name_of(header: bytes) -> bytes:
    """Return the name in a header."""
    return header[:_NAME].rstrip(b"\0")


def size_of(header: bytes) -> int:
    """Return the size in a header.

    Raises:
        ParseError: When it is not eleven octal digits.
    """
    digits = header[124:135]
    if not digits or digits.strip(b"01234567"):
        raise ParseError("a header in a layer states no size in octal digits")
    return int(digits, 8)


def records_of(body: bytes) -> dict[str, bytes]:
    """Return the records of an extended header that we write: path and size.

    Raises:
        ParseError: For anything else.
    """
    found: dict[str, bytes] = {}
    while body:
        digits, space, _ = body.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) <= 6 else 0  # noqa: PLR2004 - far beyond any header
        key, equals, value = body[len(digits) + 1 : length - 1].partition(b"=")
        name = key.decode(errors="replace")
        if not (space and equals) or length > len(body) or name not in ("path", "size") or name in found:
            raise ParseError("an extended header in a layer holds something unknown")
        if name == "size" and not (value.isdigit() and len(value) <= 18):  # noqa: PLR2004 - less than 2**63
            raise ParseError("an extended header in a layer states no size")
        found[name] = value
        body = body[length:]
    return found
