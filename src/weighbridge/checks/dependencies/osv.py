"""Records of the OSV schema, as far as an audit of PyPI packages needs them.

Source: the OSV schema, https://ossf.github.io/osv-schema/. It allows fields that are not listed here, so unknown
fields are skipped; a field that is listed must have its type. The types hold no cycles, so the garbage collector need
not look at the hundred thousand values of a bundle (``gc=False``).
"""

from __future__ import annotations

from typing import Final

import msgspec

from weighbridge.errors import ParseError

ECOSYSTEM: Final = "PyPI"
"""The one ecosystem whose packages are judged; entries of others are left aside."""

MAX_ID: Final = 128
"""Longest id of a record, in characters."""

MAX_EVENTS: Final = 20_000
"""Most events in one range."""


class Package(msgspec.Struct, frozen=True, gc=False):
    """The package that an entry is about; the name is as the database writes it."""

    ecosystem: str
    name: str


class Event(msgspec.Struct, frozen=True, gc=False):
    """One point in the history of a range; exactly one of the four fields is set."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None

    def item(self) -> tuple[str, str]:
        """Return the event as kind and version.

        Raises:
            ParseError: When none or more than one of the four is set.
        """
        found = []
        if self.introduced is not None:
            found.append(("introduced", self.introduced))
        if self.fixed is not None:
            found.append(("fixed", self.fixed))
        if self.last_affected is not None:
            found.append(("last_affected", self.last_affected))
        if self.limit is not None:
            found.append(("limit", self.limit))
        if len(found) != 1:
            raise ParseError(f"an event of a range must say exactly one thing; this one says {len(found)}")
        return found[0]


class Range(msgspec.Struct, frozen=True, gc=False):
    """A range of versions; only those of type ECOSYSTEM speak about PyPI versions."""

    type: str
    events: list[Event]


class SeverityEntry(msgspec.Struct, frozen=True, gc=False):
    """A severity vector and the version of CVSS it is in."""

    type: str
    score: str


class Affected(msgspec.Struct, frozen=True, gc=False):
    """One affected package. ``versions`` stays unread until it is needed: it is most of a bundle's bytes."""

    package: Package
    ranges: list[Range] = []
    versions: msgspec.Raw = msgspec.Raw(b"[]")
    severity: list[SeverityEntry] | None = None

    def listed(self) -> list[str]:
        """Return the enumerated versions.

        Raises:
            ParseError: When they are no list of strings.
        """
        try:
            return _VERSIONS.decode(self.versions) or []
        except msgspec.DecodeError as error:
            raise ParseError(f"the versions of {self.package.name!r} are not a list of strings: {error}") from None


class Record(msgspec.Struct, frozen=True, gc=False):
    """One advisory."""

    id: str
    modified: str
    affected: list[Affected]
    aliases: list[str] | None = None
    withdrawn: str | None = None
    summary: str | None = None
    severity: list[SeverityEntry] | None = None
    database_specific: msgspec.Raw = msgspec.Raw(b"null")


_VERSIONS: Final = msgspec.json.Decoder(list[str] | None)
_RECORD: Final = msgspec.json.Decoder(Record)


def decode_record(line: bytes) -> Record:
    """Read one record from JSON.

    Raises:
        ParseError: When it is not JSON, lacks a field or has a field of another type.
    """
    try:
        record = _RECORD.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ParseError(str(error)) from None
    if not 0 < len(record.id) <= MAX_ID or not record.id.isascii() or not record.id.isprintable():
        raise ParseError(f"its id is empty, longer than {MAX_ID} characters or not printable ASCII")
    if any(len(each.events) > MAX_EVENTS for entry in record.affected for each in entry.ranges):
        raise ParseError(f"one range has more than {MAX_EVENTS} events")
    return record
