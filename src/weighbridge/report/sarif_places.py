"""Where a SARIF result points: a file of the model by a URI, what lies inside it by name, and what stays the same.

Code scanning refuses a whole log for one result without an artifact's location, so what is in no file points to the
model as a whole. A URI is relative, to the directory the program ran in when the model lies there, else to the model.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from weighbridge.evidence.measurements import ModelScanMeasurements
from weighbridge.evidence.record import CheckName, CheckRecord, Finding
from weighbridge.report._text import clean, cut
from weighbridge.report.interface import ReportInput

Json = dict[str, Any]

RUN_IN: Final = "%SRCROOT%"
"""The base of paths when the model lies beneath the directory in which the program ran; code scanning's own name."""

INSIDE: Final = "MODEL"
"""The base of paths inside a model of which nobody said where it lies."""

BASES: Final[dict[str, Json]] = {
    RUN_IN: {"description": {"text": "The directory in which Weighbridge ran."}},
    INSIDE: {"description": {"text": "The model's directory, or the directory of a model of one file."}},
}
"""What the bases of paths are. They have no address: the log says nothing about the machine."""

_NUMBERED: Final = re.compile(r"(?P<path>.+?):(?P<number>[0-9]{1,15})", re.DOTALL)
_NOT_RELATIVE: Final = re.compile(r"/|[A-Za-z][A-Za-z0-9+.-]*://|(?:.*/)?\.\.?(?:/|$)")


@dataclass(frozen=True, slots=True)
class Spot:
    """One location of a record, taken apart: a file, a member inside it, and the number behind the last colon.

    ``file`` is empty for what is in no file, such as a worker that died.
    """

    file: str
    member: str = ""
    number: int | None = None

    @classmethod
    def parse(cls, text: str, *, files: Mapping[str, int]) -> Spot:
        """Take a location apart.

        A name of a file may hold the signs that separate, so where the files are known only they are files.
        """
        match = _NUMBERED.fullmatch(text)
        plain, number = (match["path"], int(match["number"])) if match else (text, None)
        if text in files:
            return cls(text)
        if plain in files:
            return cls(plain, number=number)
        for place, letter in enumerate(plain):
            if letter == "!" and plain[:place] in files:
                return cls(plain[:place], plain[place + 1 :], number)
        file, _, member = plain.partition("!")
        return cls("") if files else cls(file, member, number) if file else cls(plain, number=number)


def files_of(record: CheckRecord) -> Mapping[str, int]:
    """Return the model's files with their sizes, of which one is in every location; none for an audit, of others."""
    if record.check is CheckName.DEPENDENCY_AUDIT:
        return {}
    measured = record.measurements
    sizes = {file.path: file.size for file in record.files}
    if isinstance(measured, ModelScanMeasurements):
        sizes |= {file.path: file.size for file in measured.files}
    return sizes


def whole_model(report: ReportInput, *, about: str) -> Json:
    """Return the location of something that lies in no file of the model: the model, and what it is by name."""
    if report.place is not None and _is_relative(report.place.model):
        artifact: Json = {"uri": quote(report.place.model, safe="/"), "uriBaseId": RUN_IN}
    else:
        name = clean(report.model)
        artifact = {"uri": quote(name, safe="") if name not in ("", ".", "..") else "model"}
    return {
        "physicalLocation": {"artifactLocation": artifact},
        "logicalLocations": [{"fullyQualifiedName": cut(about) or "model"}],
    }


def location_of(check: CheckName, spot: Spot, text: str, *, size: int | None, report: ReportInput) -> Json:
    """Return where a finding is.

    The number behind a colon is a line of an audited file, and the offset of a byte in a scanned one. Of a member the
    offset is not one of the file, so it stands in the message, and the region is the whole file when its size is known.
    """
    if not _is_relative(spot.file):
        return whole_model(report, about=text)
    physical: Json = {"artifactLocation": _artifact(check, spot.file, report)}
    place: Json = {"physicalLocation": physical}
    if spot.member:
        place["logicalLocations"] = [
            # The name of a member may be nothing but spaces, which are not shown, and a name may not be empty.
            {
                "name": cut(spot.member) or "member",
                "fullyQualifiedName": cut(f"{spot.file}!{spot.member}"),
                "kind": "member",
            }
        ]
    if check is CheckName.DEPENDENCY_AUDIT:
        if spot.number:
            physical["region"] = {"startLine": spot.number}
    elif spot.number is not None and not spot.member:
        physical["region"] = {"byteOffset": spot.number}
    elif size is not None:
        physical["region"] = {"byteOffset": 0, "byteLength": size}
    return place


def inside(spot: Spot) -> str:
    """Return where in a member something is, as the start of a message; empty for what is in no member."""
    if not spot.member:
        return ""
    return f"{cut(spot.member, limit=200)}{'' if spot.number is None else f', byte {spot.number}'}: "


def fingerprints(check: CheckName, found: Sequence[tuple[Finding, Spot]]) -> list[dict[str, str]]:
    """Return what tells the findings of one record apart and stays the same.

    Neither where the model lies, nor the order, the words of a message or an offset is part of it. Findings that are
    the same in everything else are told apart by a number, in the order of their offsets.
    """
    keys = [_key(check, finding, spot) for finding, spot in found]
    order = sorted(range(len(found)), key=lambda place: _at(found[place][1]))
    seen: Counter[str] = Counter()
    prints: list[dict[str, str]] = [{} for _ in found]
    for place in order:
        seen[keys[place]] += 1
        prints[place] = fingerprint(keys[place], str(seen[keys[place]]))
    return prints


def fingerprint(*parts: str) -> dict[str, str]:
    """Return the fingerprints of one result: our own, and the one that code scanning follows an alert by."""
    whole = _sha256(*parts)
    return {"weighbridge/v2": whole, "primaryLocationLineHash": f"{whole[:16]}:1"}


def _at(spot: Spot) -> int:
    return -1 if spot.number is None else spot.number


def _key(check: CheckName, finding: Finding, spot: Spot) -> str:
    component = f"{finding.component.name}=={finding.component.version}" if finding.component else ""
    return _sha256(check.value, finding.rule, spot.file, spot.member, finding.about, finding.advisory or "", component)


def _sha256(*parts: str) -> str:
    summary = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogatepass")
        summary.update(len(data).to_bytes(8, "big") + data)
    return summary.hexdigest()


def _artifact(check: CheckName, file: str, report: ReportInput) -> Json:
    if check is CheckName.DEPENDENCY_AUDIT:
        # Audited files are inputs: they lie where the caller named them, not in the model.
        return {"uri": quote(file, safe="/")}
    if report.place is None or (report.place.base and not _is_relative(report.place.base)):
        return {"uri": quote(file, safe="/"), "uriBaseId": INSIDE}
    whole = f"{report.place.base}/{file}" if report.place.base else file
    return {"uri": quote(whole, safe="/"), "uriBaseId": RUN_IN}


def _is_relative(path: str) -> bool:
    return bool(path) and path == clean(path) and not _NOT_RELATIVE.match(path)
