"""Read an advisory bundle: JSON lines of OSV records, packed with gzip or plain.

A bundle begins with the header line that ``advisories build`` wrote, which has its date. Lines without one are a
source to build from and no bundle: the date is never taken from the file name, which whoever calls the check chooses,
nor from ``modified``: two records of the snapshot that is shipped claim to be from the future.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta

from weighbridge import _json
from weighbridge._files import open_regular
from weighbridge._struct import Wire
from weighbridge.checks.dependencies.osv import Record, decode_record
from weighbridge.clock import parse_instant
from weighbridge.errors import InputError, ParseError
from weighbridge.evidence.measurements import AdvisoryDatabase

MAX_PACKED: Final = 128 * 1024 * 1024
"""Largest bundle file that is read."""

MAX_UNPACKED: Final = 512 * 1024 * 1024
"""Largest bundle after decompression."""

MAX_RATIO: Final = 200
"""Highest ratio of unpacked to packed size; real bundles have about 8."""

MAX_LINE: Final = 4 * 1024 * 1024
"""Longest line, which is one record."""

MAX_RECORDS: Final = 2_000_000
"""Most records in one bundle."""

SCHEMA: Final = "weighbridge.dev/advisories/v1"
"""What the header line of a built bundle says it is."""

_GZIP: Final = b"\x1f\x8b"
_REMEDY: Final = "build a bundle with: weighbridge advisories build SOURCE... -o FILE --date YYYY-MM-DD"


class SourceCount(Wire):
    """One source of a bundle: the prefix of its ids and how many records have it."""

    name: Annotated[str, Meta(max_length=200)]
    records: Annotated[int, Meta(ge=0)]


class Header(Wire):
    """The first line of a built bundle."""

    schema: Literal["weighbridge.dev/advisories/v1"]
    built: Annotated[str, Meta(max_length=40)]
    records: Annotated[int, Meta(ge=1, le=MAX_RECORDS)]
    withdrawn: Annotated[int, Meta(ge=0)]
    sources: tuple[SourceCount, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was read: what it is, and all its records, withdrawn ones included."""

    database: AdvisoryDatabase
    records: tuple[Record, ...]


def read_bundle(path: Path) -> Bundle:
    """Read a bundle file and check it as a whole.

    Raises:
        InputError: When the file cannot be read, or is over a limit.
        ParseError: When it is truncated, empty, undated or contradicts itself, when a line is no OSV record, or
            when an id comes twice. The whole bundle is refused: an audit against part of one proves nothing.
    """
    return parse_bundle(read_packed(path), name=path.name)


def parse_bundle(packed: bytes, *, name: str) -> Bundle:
    """Read a bundle from bytes; ``name`` is its file name, for messages and the evidence.

    Raises:
        ParseError: As ``read_bundle``.
    """
    what = f"the advisory bundle {name}"
    lines = _unpack(packed, what).splitlines()
    if not lines:
        raise ParseError(f"{what} is empty", remedy=_REMEDY)
    header = _header(lines[0], what)
    if header is None:
        raise ParseError(f"{what} says no date: its first line is no header", remedy=_REMEDY)
    parse_instant(header.built, what=f"the date of {what}")
    records = _records(lines[1:], what=what)
    withdrawn = sum(record.withdrawn is not None for record in records)
    if withdrawn == len(records):
        raise ParseError(f"{what} holds no record that is in force", remedy=_REMEDY)
    sources = count_sources(records)
    if (header.records, header.withdrawn, header.sources) != (len(records), withdrawn, sources):
        raise ParseError(f"{what} does not hold the records that its header counts", remedy=_REMEDY)
    database = AdvisoryDatabase(
        sha256=hashlib.sha256(packed).hexdigest(),
        built=header.built,
        records=len(records),
        withdrawn=withdrawn,
        sources=tuple(source.name for source in sources),
        name=name,
        size=len(packed),
        counts={source.name: source.records for source in count_sources(_in_force(records))},
    )
    return Bundle(database=database, records=records)


def unpack_lines(packed: bytes, *, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a bundle, or of lines without a header, as their JSON, with their line numbers.

    Raises:
        InputError: When it is over a limit or is damaged.
    """
    what = f"the advisory bundle {name}"
    for number, line in enumerate(_unpack(packed, what).splitlines(), start=1):
        if len(line) > MAX_LINE:
            raise ParseError(f"line {number} of {what} is longer than {MAX_LINE} bytes")
        if number > 1 or _header(line, what) is None:
            yield number, line


def stated_date(path: Path) -> str | None:
    """Return the date that a bundle file states in its header; None where it has none.

    Raises:
        InputError: When the file cannot be read, is over a limit or is damaged.
    """
    what = f"the advisory bundle {path.name}"
    lines = _unpack(read_packed(path), what).splitlines()
    header = _header(lines[0], what) if lines else None
    return None if header is None else header.built


def count_sources(records: tuple[Record, ...]) -> tuple[SourceCount, ...]:
    """Count records by the prefix of their ids (PYSEC, GHSA, MAL), sorted by prefix."""
    counts = Counter(record.id.split("-", 1)[0] for record in records)
    return tuple(SourceCount(name=name[:200], records=count) for name, count in sorted(counts.items()))


def _in_force(records: tuple[Record, ...]) -> tuple[Record, ...]:
    return tuple(record for record in records if record.withdrawn is None)


def read_packed(path: Path) -> bytes:
    """Return the bytes of a bundle file, packed as they are.

    Raises:
        InputError: When the file cannot be read, or is larger than ``MAX_PACKED``.
    """
    try:
        with open_regular(path) as file:
            packed = file.read(MAX_PACKED + 1)
    except OSError as error:
        raise InputError(f"the advisory bundle {path.name} cannot be read: {error.strerror}", remedy=_REMEDY) from None
    if len(packed) > MAX_PACKED:
        raise InputError(f"the advisory bundle {path.name} is larger than {MAX_PACKED} bytes", remedy=_REMEDY)
    return packed


def _unpack(packed: bytes, what: str) -> bytes:
    if not packed.startswith(_GZIP):
        return packed
    unpacker = zlib.decompressobj(wbits=31)
    limit = min(MAX_UNPACKED, MAX_RATIO * len(packed))
    try:
        data = unpacker.decompress(packed, limit)
    except zlib.error as error:
        raise ParseError(f"{what} is damaged: {error}", remedy=_REMEDY) from None
    if unpacker.unconsumed_tail:
        raise ParseError(f"{what} unpacks to more than {limit} bytes, or more than {MAX_RATIO} times its size")
    if not unpacker.eof:
        raise ParseError(f"{what} is truncated", remedy=_REMEDY)
    if unpacker.unused_data:
        raise ParseError(f"{what} has {len(unpacker.unused_data)} bytes after its end")
    return data


def _header(line: bytes, what: str) -> Header | None:
    if b'"schema"' not in line[:200]:
        return None
    return _json.parse(line, Header, what=f"the header of {what}", max_bytes=MAX_LINE)


def _records(lines: list[bytes], *, what: str) -> tuple[Record, ...]:
    if len(lines) > MAX_RECORDS:
        raise ParseError(f"{what} has more than {MAX_RECORDS} lines")
    records = []
    seen: set[str] = set()
    for number, line in enumerate(lines, start=2):
        if len(line) > MAX_LINE:
            raise ParseError(f"line {number} of {what} is longer than {MAX_LINE} bytes")
        try:
            record = decode_record(line)
        except ParseError as error:
            raise ParseError(f"line {number} of {what} is no OSV record: {error}", remedy=_REMEDY) from None
        if record.id in seen:
            raise ParseError(f"{what} holds the record {record.id} twice", remedy=_REMEDY)
        seen.add(record.id)
        records.append(record)
    if not records:
        raise ParseError(f"{what} is empty", remedy=_REMEDY)
    return tuple(records)
