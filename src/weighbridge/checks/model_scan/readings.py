"""What else a reader could take bytes for that were judged as one format.

A file is read by what its name says, by its first bytes, by its last ones, or by all of them one after the other. So
bytes may be two things at once, and the second is what an attacker means. Every format and the whole file are looked
at; formats that are told by the same first bytes exclude each other, so what is left is pickle (from the first byte
on), zip (from the end), tar (by its checksum) and HDF5 (at any power of two).
"""

from __future__ import annotations

import struct
from typing import Final

from weighbridge.checks.model_scan import sniff
from weighbridge.checks.model_scan.content import Ends
from weighbridge.checks.model_scan.onnx import is_onnx
from weighbridge.checks.model_scan.pickle_walk import Reading
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Part, Source

RULE: Final = "second-reading"
"""The rule that bytes are one thing, whoever reads them."""

_END: Final = struct.Struct("<4s4H2LH")
_ENTRY: Final = 46
_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_FIRST_SUPERBLOCK: Final = 512


def note_other_readings(scan: Scan, source: Source, location: str, *, ends: Ends, kind: str, reading: Reading) -> None:
    """Report every other format that a reader could take the bytes for."""
    others: list[str] = []
    if kind != "pickle" and reading in (Reading.IMPORTS, Reading.CALLS):
        others.append(f"a pickle ({reading.value})")
    if kind != "zip" and _ends_as_zip(source, ends):
        others.append("a zip archive, which is found from the end")
    if kind != "tar" and sniff.is_tar(ends.head):
        others.append("a tar archive, whose first header is valid")
    if kind != "hdf5" and (place := _superblock(source, ends)):
        others.append(f"an HDF5 file, which begins at byte {place}")
    if kind != "onnx" and is_onnx(source):
        others.append("an ONNX model")
    for other in others:
        scan.notes.finding(
            RULE,
            f"the bytes were judged as {kind}, and another reader would take them for {other}",
            location=location,
            severity="critical",
            remedy="find out who made the file and for what: no program writes one that is two things; save it again",
        )


def _ends_as_zip(source: Source, ends: Ends) -> bool:
    place = ends.tail.rfind(b"PK\x05\x06")
    while place >= 0:
        if place + _END.size <= len(ends.tail) and _has_directory(source, ends, place):
            return True
        place = ends.tail.rfind(b"PK\x05\x06", 0, place)
    return False


def _has_directory(source: Source, ends: Ends, place: int) -> bool:
    _, disk, first, here, count, length, start, _ = _END.unpack_from(ends.tail, place)
    if place >= 20 and ends.tail[place - 20 : place - 16] == b"PK\x06\x07":  # noqa: PLR2004 - zip64's locator
        return True
    if disk or first or here != count or not count or length < _ENTRY * count:
        return False
    end = ends.size - len(ends.tail) + place
    part = Part(source, start=0)
    if not part.reachable:
        return True
    return any(at >= 0 and part.peek(at, 4) == b"PK\x01\x02" for at in (end - length, start))


def _superblock(source: Source, ends: Ends) -> int | None:
    part = Part(source, start=0)
    place = _FIRST_SUPERBLOCK
    while place < ends.size:
        there = part.peek(place, len(_HDF5)) if part.reachable else ends.head[place : place + len(_HDF5)]
        if there == _HDF5:
            return place
        place *= 2
    return None
