"""Decide what bytes are by the bytes alone, and hand them to the format's scanner; then ask what else they could be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from weighbridge.checks.model_scan import sniff
from weighbridge.checks.model_scan.account import Account, Ledger
from weighbridge.checks.model_scan.archive import scan_zip
from weighbridge.checks.model_scan.content import Ends
from weighbridge.checks.model_scan.documents import scan_jinja, scan_json, scan_plain, scan_triton, scan_yaml
from weighbridge.checks.model_scan.npy import scan_npy
from weighbridge.checks.model_scan.onnx import is_onnx, scan_onnx
from weighbridge.checks.model_scan.pickle_scan import scan_pickle
from weighbridge.checks.model_scan.pickle_walk import Reading, read_as_pickle
from weighbridge.checks.model_scan.readings import note_other_readings
from weighbridge.checks.model_scan.safetensors import scan_safetensors
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Memory, Part, Source, Unpacked, head
from weighbridge.checks.model_scan.ubjson import BEGINNING, scan_ubjson
from weighbridge.checks.model_scan.unread import hinted, said_of

_SCANNERS: Final[dict[str, Callable[[Scan, Source, str], None]]] = {
    "pickle": scan_pickle,
    "npy": scan_npy,
    "safetensors": scan_safetensors,
    "onnx": scan_onnx,
    "json": scan_json,
    "text": scan_plain,
    "jinja": scan_jinja,
    "ubjson": scan_ubjson,
    "yaml": scan_yaml,
    "pbtxt": scan_triton,
    "zip": lambda scan, source, location: scan_zip(scan, source, location, examine=scan_content),
}

MAX_WIDE: Final = 16 * 1024**2
"""Largest text of wider letters that is read."""


def scan_content(scan: Scan, source: Source, location: str, *, name: str, ends: Ends | None = None) -> str:
    """Scan bytes, whatever they are called, and return their format.

    Everything ends in one of three ways: scanned by its format, a finding, or undecided by name. A name decides only
    that a text is a program, since that is how programs are found; what is empty is nothing, whatever it is called.
    """
    ends = ends or Ends.of(source)
    account = scan.account(location=location, size=ends.size)
    if not ends.size:
        return "empty"
    if ends.size == len(ends.tail):
        source = Memory(ends.tail)  # all of it is there already, and need not be unpacked again
    kind = sniff.sniff(ends.head)
    suffix = sniff.extension(name)
    if kind in sniff.CODE or suffix in sniff.CODE_EXTENSIONS:
        scan.notes.finding(
            "code-in-model",
            f"the file is a program ({kind if kind in sniff.CODE else suffix})",
            location=location,
            severity="critical",
        )
        return kind if kind in sniff.CODE else "code"
    if sniff.is_lfs_pointer(ends.head):
        scan.notes.finding(
            "missing-large-file",
            "a pointer of Git LFS stands where the file should be",
            location=location,
        )
        return "git-lfs"
    before = scan.notes.count
    reading = Reading.NONE
    if kind != "pickle":
        # A text that could be a pickle for too long is undecided, and judged as what it is all the same.
        def walk(scan: Scan, source: Source, location: str) -> None:
            nonlocal reading
            del location
            reading = read_as_pickle(source, scan.budget)

        scan.guard(walk, source, location)
        kind = _recognise(kind, source, ends, reading, name=name)
    note_other_readings(scan, source, location, ends=ends, kind=kind, reading=reading)
    part = Part(source, start=0, ledger=Ledger(account))
    if kind == "unknown" and (narrow := _narrowed(part, ends)) is not None:
        kind = "utf-16 or utf-32"
        scan_content(scan.deeper(), narrow, f"{location}!text", name=name)
    elif kind in _SCANNERS:
        scan.guard(_SCANNERS[kind], part, location)
    elif kind in sniff.PACKED:
        scan.guard(lambda inner, data, place: _scan_packed(inner, data, place, kind=kind, name=name), part, location)
    elif scan.notes.count == before:
        kind = hinted(ends.head) if kind == "unknown" else kind
        code, reason = said_of(kind)
        scan.notes.cannot_decide(code, reason, location=location)
    _require_whole(scan, account, location, before=before)
    return kind


def _recognise(kind: str, source: Source, ends: Ends, reading: Reading, *, name: str) -> str:
    """Return the format of bytes that no magic tells.

    A name that makes a loader read text in one way, such as ``.yaml``, is one more way to judge it and excuses nothing.
    """
    if kind != "unknown":
        return kind
    if reading in (Reading.WHOLE, Reading.IMPORTS, Reading.CALLS):
        return "pickle"
    if sniff.is_text(source):
        named = sniff.text_kind(ends.head, name=name)
        return "json" if named == "text" and sniff.is_json(source, ends.head) else named
    if is_onnx(source):
        return "onnx"
    return "ubjson" if ends.head.startswith(BEGINNING) else "unknown"


def _narrowed(source: Source, ends: Ends) -> Memory | None:
    """Return text of wider letters in UTF-8, as readers of JSON and YAML take it; None where it is none."""
    encoding = sniff.wide_text(ends.head)
    if encoding is None or ends.size > MAX_WIDE:
        return None
    try:
        narrow = Memory(head(source, ends.size).decode(encoding).removeprefix("\ufeff").encode())
    except UnicodeError:
        return None
    return narrow if narrow.data and sniff.is_text(narrow) else None


def _require_whole(scan: Scan, account: Account, location: str, *, before: int) -> None:
    """Leave no byte clean that no parser read or passed over on purpose."""
    gap = next((one for one in account.close() if one.how == "undecided"), None)
    if gap is not None and scan.notes.count == before:
        scan.notes.cannot_decide(
            "unread-bytes", f"{gap.length} bytes from byte {gap.start} on were read by no parser", location=location
        )


def _scan_packed(scan: Scan, source: Source, location: str, *, kind: str, name: str) -> None:
    unpacked = Unpacked(source, kind=kind, budget=scan.budget)
    # The whole stream is unpacked once, so that damage and bytes behind it are found whatever the content needs.
    ends = Ends.of(unpacked)
    suffix = sniff.extension(name)
    packed_name = suffix in (".gz", ".bz2", ".xz", ".lzma", ".z")
    scan_content(
        scan.deeper(),
        unpacked,
        f"{location}!{kind}",
        name=name[: -len(suffix)] if packed_name else name,
        ends=ends,
    )
