"""A zip reader that believes nothing twice: local headers and central directory must tell the same.

Python's zipfile reads the central directory, other readers the local headers; an archive in which the two differ
shows one model to a scanner and another to a loader. Here the local headers must follow each other without gap,
overlap or prefix, and each must agree with its central entry (APPNOTE 6.3.10, sections 4.3 to 4.5).
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.budget import MAX_MEMBERS, Budget
from weighbridge.checks.model_scan.content import Ends
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.source import Part, Source, Unpacked

_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64: Final = struct.Struct("<4sLQL")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_FULL16: Final = 0xFFFF
_FULL32: Final = 0xFFFFFFFF
_ENCRYPTED: Final = 0x2041
_DESCRIPTOR: Final = 0x08
_KNOWN_FLAGS: Final = 0x080E  # compression options, data descriptor, UTF-8 names
_STORED, _DEFLATED = 0, 8
_ZIP64_EXTRA, _UNICODE_PATH_EXTRA = 0x0001, 0x7075
MAX_DIRECTORY: Final = 16 * 1024**2
"""Largest central directory that is read."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member as both headers describe it."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    header: int

    def source(self, archive: Source, data: int, budget: Budget) -> Source:
        """Return the member's content; reading it from deflate is bounded by the budget."""
        part = Part(archive, start=data, length=self.packed)
        return part if self.method == _STORED else Unpacked(part, kind="deflate", budget=budget)


def _bad(message: str, offset: int | None = None) -> RefusedError:
    return RefusedError("malformed-zip", message, offset=offset)


def _piece(archive: Part, start: int, count: int) -> bytes:
    data = archive.read(start, count)
    if len(data) != count:
        raise _bad("the archive is cut off", start)
    return data


def _size(archive: Part) -> int:
    return archive.size or 0


def read_members(archive: Part, budget: Budget) -> list[tuple[Member, Source]]:
    """Read an archive's members after checking that its two descriptions agree.

    Raises:
        RefusedError: They do not agree, bytes belong to neither, or a member has a name or flag that is refused.
        UndecidedError: Too many members, or a compression that is not known.
    """
    start, length, count = _find_directory(archive)
    members = _read_directory(archive, start, length, count)
    _check_names(members)
    place = 0
    found: list[tuple[Member, Source]] = []
    for member in sorted(members, key=lambda one: one.header):
        if member.header != place:
            raise _bad(f"bytes before {member.name!r} belong to no member, or members overlap", place)
        data = _check_local(archive, member)
        found.append((member, member.source(archive, data, budget)))
        place = _after(archive, member, data)
    if place != start:
        raise _bad("bytes before the central directory belong to no member", place)
    return found


def _find_directory(archive: Part) -> tuple[int, int, int]:
    size = _size(archive)
    if size < _END.size:
        raise _bad("the archive is too short", 0)
    end = size - _END.size
    signature, disk, first, here, count, length, start, comment = _END.unpack(_piece(archive, end, _END.size))
    if signature != b"PK\x05\x06" or comment:
        raise _bad("the archive does not end with its end record; a comment or bytes follow it", end)
    if disk or first or here != count:
        raise _bad("the archive has several parts", end)
    if _FULL16 in (count,) or _FULL32 in (length, start) or _has_locator(archive, end):
        start, length, count, end = _read_end64(archive, end, (start, length, count))
    if start + length != end:
        raise _bad("the central directory does not end where the end record begins", end)
    if count > MAX_MEMBERS or length > MAX_DIRECTORY:
        raise UndecidedError("too-many-members", f"the archive has {count} members; at most {MAX_MEMBERS} are read")
    return start, length, count


def _has_locator(archive: Part, end: int) -> bool:
    place = end - _LOCATOR64.size
    return place >= 0 and _piece(archive, place, 4) == b"PK\x06\x07"


def _read_end64(archive: Part, end: int, short: tuple[int, int, int]) -> tuple[int, int, int, int]:
    place = end - _LOCATOR64.size
    if place < _END64.size:
        raise _bad("the archive lacks its zip64 record", end)
    signature, disk, record, disks = _LOCATOR64.unpack(_piece(archive, place, _LOCATOR64.size))
    if signature != b"PK\x06\x07" or disk or disks != 1 or record != place - _END64.size:
        raise _bad("the zip64 locator does not point to a record right before it", place)
    fields = _END64.unpack(_piece(archive, record, _END64.size))
    signature, length64, _, _, disk, first, here, count, length, start = fields
    if signature != b"PK\x06\x06" or length64 != _END64.size - 12 or disk or first or here != count:
        raise _bad("the zip64 end record is not as expected", record)
    limits = (_FULL32, _FULL32, _FULL16)
    for value, full, brief in zip((start, length, count), limits, short, strict=True):
        if brief not in (full, value):
            raise _bad("the two end records differ", record)
    return start, length, count, record


def _read_directory(archive: Part, start: int, length: int, count: int) -> list[Member]:
    if length < 0 or start < 0:
        raise _bad("the central directory lies outside the archive")
    data = _piece(archive, start, length)
    members: list[Member] = []
    place = 0
    while place < length:
        if length - place < _CENTRAL.size or len(members) >= count:
            raise _bad("the central directory has bytes behind its last entry", start + place)
        fields = _CENTRAL.unpack_from(data, place)
        if fields[0] != b"PK\x01\x02":
            raise _bad("an entry of the central directory has no signature", start + place)
        _, _, _, flags, method, _, _, crc, packed, size, names, extras, comment, disk, _, mode, header = fields
        name_at = place + _CENTRAL.size
        extra = data[name_at + names : name_at + names + extras]
        packed, size, header = _widen(extra, packed=packed, size=size, header=header)
        if comment or disk or (mode >> 28) == 0xA:  # noqa: PLR2004 - a symbolic link
            raise _bad("a member has a comment, lies in another part, or is a symbolic link", start + place)
        name = _name(data[name_at : name_at + names], flags, start + place)
        members.append(Member(name, flags, method, crc, packed, size, header))
        place = name_at + names + extras
    if place != length or len(members) != count:
        raise _bad("the central directory has another number of entries than the end record says", start)
    return members


def _extras(extra: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind in found or place + 4 + length > len(extra) or kind == _UNICODE_PATH_EXTRA:
            raise _bad("an extra field is cut off, appears twice, or gives a member another name")
        found[kind] = extra[place + 4 : place + 4 + length]
        place += 4 + length
    if place != len(extra):
        raise _bad("bytes follow the extra fields")
    return found


def _widen(extra: bytes, *, packed: int, size: int, header: int) -> tuple[int, int, int]:
    wide = _extras(extra).get(_ZIP64_EXTRA)
    values = [size, packed, header]
    if wide is None:
        if _FULL32 in values:
            raise _bad("a member lacks its zip64 sizes")
        return packed, size, header
    place = 0
    for index, value in enumerate(values):
        if value == _FULL32:
            if place + 8 > len(wide):
                raise _bad("a zip64 field is cut off")
            values[index] = int.from_bytes(wide[place : place + 8], "little")
            place += 8
    if place and place != len(wide):
        raise _bad("a zip64 field holds more than it should")
    return values[1], values[0], values[2]


def _name(raw: bytes, flags: int, offset: int) -> str:
    try:
        name = raw.decode("utf-8" if flags & 0x800 else "ascii")
    except UnicodeDecodeError:
        raise _bad("a member's name is neither ASCII nor marked UTF-8", offset) from None
    parts = name.rstrip("/").split("/")
    if (
        not name
        or not name.isprintable()
        or "\\" in name
        or ":" in parts[0]
        or not set(parts).isdisjoint({"", ".", ".."})
    ):
        raise RefusedError("unsafe-member-name", f"a member is called {name!r}", offset=offset)
    return name


def _check_names(members: list[Member]) -> None:
    seen: set[str] = set()
    for member in members:
        if member.name.endswith("/") and member.size:
            raise _bad(f"the folder {member.name!r} has a content of its own", member.header)
        key = unicodedata.normalize("NFC", member.name).casefold()
        if key in seen:
            raise RefusedError("duplicate-member", f"two members are called {member.name!r}", offset=member.header)
        seen.add(key)
        if member.flags & _ENCRYPTED:
            raise RefusedError("encrypted-member", f"{member.name!r} is encrypted", offset=member.header)
        if member.flags & ~_KNOWN_FLAGS:
            raise _bad(f"{member.name!r} has unknown flags", member.header)
        if member.method not in (_STORED, _DEFLATED):
            raise UndecidedError(
                "unknown-compression", f"{member.name!r} is compressed by method {member.method}", offset=member.header
            )
        if member.method == _STORED and member.packed != member.size:
            raise _bad(f"{member.name!r} is stored with two sizes", member.header)


def _check_local(archive: Part, member: Member) -> int:
    fields = _LOCAL.unpack(_piece(archive, member.header, _LOCAL.size))
    signature, _, flags, method, _, _, crc, packed, size, names, extras = fields
    if signature != b"PK\x03\x04":
        raise _bad(f"{member.name!r} has no local header", member.header)
    rest = _piece(archive, member.header + _LOCAL.size, names + extras)
    name = _name(rest[:names], flags, member.header)
    packed, size, _ = _widen(rest[names:], packed=packed, size=size, header=0)
    same = (name, flags, method) == (member.name, member.flags, member.method)
    told = (crc, packed, size)
    later = flags & _DESCRIPTOR and told == (0, 0, 0)
    if not same or not (later or told == (member.crc, member.packed, member.size)):
        raise RefusedError(
            "zip-disagreement",
            f"local header and central directory differ about {member.name!r}",
            offset=member.header,
            severity="critical",
        )
    return member.header + _LOCAL.size + len(rest)


def _after(archive: Part, member: Member, data: int) -> int:
    end = data + member.packed
    if not member.flags & _DESCRIPTOR:
        return end
    for layout, marked in (("<4s3L", True), ("<4sL2Q", True), ("<3L", False), ("<L2Q", False)):
        form = struct.Struct(layout)
        if end + form.size > _size(archive):
            continue
        fields = form.unpack(_piece(archive, end, form.size))
        fields = fields[1:] if marked and fields[0] == b"PK\x07\x08" else fields
        if fields == (member.crc, member.packed, member.size):
            following = _piece(archive, end + form.size, 4)
            if following in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x06\x06"):
                return end + form.size
    raise RefusedError("zip-disagreement", f"the data descriptor of {member.name!r} differs", offset=end)


def check_content(member: Member, source: Source) -> Ends:
    """Read a member to its end and check size and CRC-32; return how it begins and ends.

    Raises:
        RefusedError: One differs from the headers.
    """
    crc = 0

    def summed() -> Iterator[bytes]:
        nonlocal crc
        for chunk in source.chunks():
            crc = zlib.crc32(chunk, crc)
            yield chunk

    ends = Ends.passing(summed())
    if ends.size != member.size or crc != member.crc:
        raise RefusedError("checksum-mismatch", f"{member.name!r} has another size or CRC than its headers say")
    return ends
