"""Build an advisory bundle from what the databases publish.

Sources are the OSV export of the PyPI ecosystem (``all.zip``), directories of OSV records as JSON (for example a copy
of ossf/malicious-packages or of the GitHub advisory database), and other bundles. What an audit does not need is left
out, which makes a bundle about a tenth of its sources.
"""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from weighbridge import _json
from weighbridge._files import open_regular
from weighbridge.checks.dependencies.bundle import (
    MAX_RECORDS,
    MAX_UNPACKED,
    SCHEMA,
    Header,
    count_sources,
    parse_bundle,
    read_packed,
    stated_date,
    unpack_lines,
)
from weighbridge.checks.dependencies.osv import ECOSYSTEM, decode_record
from weighbridge.clock import parse_instant
from weighbridge.errors import InputError, ParseError
from weighbridge.evidence.measurements import AdvisoryDatabase

MAX_RECORD: Final = 8 * 1024 * 1024
"""Largest single record in a source, before what is not needed is left out."""

MAX_SUMMARY: Final = 240
"""Longest summary that is kept, in characters."""

_KEPT: Final = ("schema_version", "id", "modified", "published", "withdrawn", "aliases", "severity")


@dataclass(frozen=True, slots=True)
class BuiltBundle:
    """A new bundle: its bytes, what it is, and how many records of its sources it has not."""

    data: bytes
    database: AdvisoryDatabase
    other_ecosystems: int
    repeated: int


def build_bundle(sources: Sequence[Path], *, built: str) -> BuiltBundle:
    """Put the PyPI records of several sources into one bundle.

    ``built`` is the date (or instant, RFC 3339) from which the bundle's age counts: when the sources were fetched.
    A record that is in two sources is taken once, in its later version. The same sources give the same bytes.

    Raises:
        InputError: When a source cannot be read, when one holds something that is no OSV record, when two versions
            of a record differ and claim the same time, when a source is a bundle that is older than ``built``, or when
            no record in force is left.
    """
    parse_instant(built, what="the date of the bundle")
    chosen: dict[str, dict[str, Any]] = {}
    others = repeated = 0
    for label, data in _documents(sources, built):
        value = _json.loads(data, what=label, max_bytes=MAX_RECORD)
        record = _slim(value, label)
        if not record["affected"]:
            others += 1
            continue
        known = chosen.get(record["id"])
        repeated += known is not None
        chosen[record["id"]] = record if known is None else _later(known, record, label)
        if len(chosen) > MAX_RECORDS:
            raise InputError(f"the sources hold more than {MAX_RECORDS} records")
    data = _pack([chosen[one] for one in sorted(chosen)], built)
    # What was written is read back with the same strictness as any other bundle.
    return BuiltBundle(data, parse_bundle(data, name="that was built").database, others, repeated)


def _pack(records: list[dict[str, Any]], built: str) -> bytes:
    lines = [msgspec.json.encode(record) for record in records]
    typed = tuple(decode_record(line) for line in lines)
    if not any(record.withdrawn is None for record in typed):
        raise InputError(
            "the sources hold no PyPI record that is in force",
            remedy="give OSV's export (all.zip of PyPI), directories of OSV records in JSON, not YAML, or bundles",
        )
    header = Header(
        schema=SCHEMA,
        built=built,
        records=len(typed),
        withdrawn=sum(record.withdrawn is not None for record in typed),
        sources=count_sources(typed),
    )
    return gzip.compress(b"\n".join([_json.dumps(header), *lines]) + b"\n", compresslevel=9, mtime=0)


def _slim(value: object, label: str) -> dict[str, Any]:
    """Check one record strictly and leave out what an audit does not need."""
    try:
        record = decode_record(msgspec.json.encode(value))
        for entry in record.affected:
            entry.listed()
            for event in (event for each in entry.ranges for event in each.events):
                event.item()
        for instant in (record.modified, record.withdrawn):
            if instant is not None:
                parse_instant(instant, what="a date")
    except ParseError as error:
        raise ParseError(f"{label} is no OSV record: {error}") from None
    assert isinstance(value, dict)  # noqa: S101  # it was decoded as a record
    slim = {key: value[key] for key in _KEPT if value.get(key) not in (None, [])}
    summary = record.summary or str(value.get("details") or "")
    slim["summary"] = summary if len(summary) <= MAX_SUMMARY else summary[: MAX_SUMMARY - 1] + "…"
    slim["affected"] = [_slim_entry(entry) for entry in value["affected"] if entry["package"]["ecosystem"] == ECOSYSTEM]
    rated = value.get("database_specific")
    if isinstance(rated, dict) and isinstance(rated.get("severity"), str):
        slim["database_specific"] = {"severity": rated["severity"]}
    return slim


def _slim_entry(entry: dict[str, Any]) -> dict[str, Any]:
    slim: dict[str, Any] = {"package": {key: entry["package"][key] for key in ("ecosystem", "name")}}
    # GIT ranges say nothing about PyPI versions and are half of some records.
    slim["ranges"] = [
        {"type": each["type"], "events": each["events"]} for each in entry.get("ranges", []) if each["type"] != "GIT"
    ]
    slim.update({key: entry[key] for key in ("versions", "severity") if entry.get(key)})
    return slim


def _later(known: dict[str, Any], other: dict[str, Any], label: str) -> dict[str, Any]:
    if known == other:
        return known
    first, second = (parse_instant(each["modified"], what="modified") for each in (known, other))
    if first == second:
        raise InputError(f"{label} is {known['id']}, which another source has with other content and the same date")
    return known if first > second else other


def _documents(sources: Sequence[Path], built: str) -> Iterator[tuple[str, bytes]]:
    """Yield every record of the sources with a name for messages."""
    for source in sources:
        try:
            if source.is_dir():
                yield from _of_directory(source)
            elif _is_zip(source):
                yield from _of_zip(source)
            else:
                _refuse_younger(source, built)
                for number, line in unpack_lines(read_packed(source), name=source.name):
                    yield f"line {number} of {source.name}", line
        except OSError as error:
            raise InputError(f"{source.name} cannot be read: {error.strerror}") from None


def _refuse_younger(source: Path, built: str) -> None:
    """Refuse to give records a later date than the bundle that they come from: they would look fresh for ever."""
    date = stated_date(source)
    if date is not None and parse_instant(date, what="a date") < parse_instant(built, what="a date"):
        raise InputError(
            f"{source.name} is of {date}, so a bundle that holds it cannot be of {built}",
            remedy=f"fetch the records again, or give --date {date}",
        )


def _of_directory(source: Path) -> Iterator[tuple[str, bytes]]:
    for folder, folders, files in os.walk(source, followlinks=False):
        folders.sort()
        for name in sorted(files):
            path = Path(folder, name)
            if name.endswith(".json") and not path.is_symlink():
                with open_regular(path) as file:
                    yield path.relative_to(source).as_posix(), file.read(MAX_RECORD + 1)


def _is_zip(source: Path) -> bool:
    with open_regular(source) as file:
        return zipfile.is_zipfile(file)


def _of_zip(source: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    try:
        with open_regular(source) as file, zipfile.ZipFile(file) as archive:
            for member in sorted(archive.infolist(), key=lambda one: one.filename):
                if not member.filename.endswith(".json"):
                    continue
                with archive.open(member) as record:
                    data = record.read(MAX_RECORD + 1)
                total += len(data)
                if total > 4 * MAX_UNPACKED:
                    raise InputError(f"{source.name} unpacks to more than {4 * MAX_UNPACKED} bytes")
                yield f"{member.filename[:200]} in {source.name}", data
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(f"{source.name} is no zip archive that can be read: {error}") from None
