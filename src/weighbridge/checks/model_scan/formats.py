"""Decide a file's format by content, hold its extension to it, and hand it to the format's scanner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from weighbridge.checks.model_scan import sniff
from weighbridge.checks.model_scan.documents import scan_jinja, scan_json, scan_text, scan_yaml
from weighbridge.checks.model_scan.npy import scan_npy
from weighbridge.checks.model_scan.onnx import scan_onnx
from weighbridge.checks.model_scan.pickle_scan import make_context, scan_pickle
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.safetensors import scan_safetensors
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import FileRange, Memory, Source, Unpacked, head
from weighbridge.checks.model_scan.text import refuse_hidden_pickle
from weighbridge.checks.model_scan.torch_archive import is_archive, scan_archive
from weighbridge.checks.model_scan.zip_reader import check_content, read_members

MAX_INNER_ARCHIVE: Final = 64 * 1024**2
"""Largest archive inside an archive or a compressed stream that is taken into memory."""

_SCANNERS: Final[dict[str, Callable[[Scan, Source, str], None]]] = {
    "pickle": scan_pickle,
    "npy": scan_npy,
    "safetensors": scan_safetensors,
    "onnx": scan_onnx,
    "jinja": scan_jinja,
    "json": scan_json,
    "text": scan_text,
    "yaml": scan_yaml,
}


def scan_content(scan: Scan, source: Source, location: str, *, name: str) -> str:
    """Scan bytes of which only the name and the content are known, and return their format.

    Everything ends in one of three ways: scanned by its format, a finding, or undecided by name.
    """
    suffix = sniff.extension(name)
    start = head(source, sniff.HEAD)
    kind = sniff.decide(start, suffix=suffix)
    if not start:
        scan.guard(_judge_empty(suffix), source, location)
        return "empty"
    if kind in sniff.CODE or suffix in sniff.CODE_EXTENSIONS:
        scan.notes.finding(
            "code-in-model",
            f"the file is a program ({kind if kind in sniff.CODE else suffix})",
            location=location,
            severity="critical",
            remedy="remove it: a model holds numbers and configuration; code belongs into a reviewed package",
        )
        return kind if kind in sniff.CODE else "code"
    expected = sniff.EXPECTED.get(suffix)
    if sniff.is_lfs_pointer(start) and "text" not in (expected or ()):
        scan.notes.finding(
            "missing-large-file",
            "a pointer of Git LFS stands where the file should be",
            location=location,
            remedy="fetch the file with `git lfs pull`, or download the model with a client that fetches large files",
        )
        return "git-lfs"
    if expected is not None and kind not in expected:
        scan.notes.finding(
            "format-mismatch",
            f"the file is called {suffix} and its content is {kind}",
            location=location,
            remedy="give the file the extension of its format, or find out why it has another one",
        )
    judged = _examine(scan, source, location, kind=kind, name=name)
    if judged and expected is None:
        scan.notes.cannot_decide(
            f"the extension {suffix or '(none)'!r} belongs to no format that is judged", location=location
        )
    return kind


def _examine(scan: Scan, source: Source, location: str, *, kind: str, name: str) -> bool:
    """Examine by a format; return False for one that has no parser, which is then undecided."""
    if kind in _SCANNERS:
        scan.guard(_SCANNERS[kind], source, location)
    elif kind == "zip":
        scan.guard(lambda inner, data, place: scan_zip(inner, data, place, name=name), source, location)
    elif kind in sniff.PACKED:
        scan.guard(lambda inner, data, place: _scan_packed(inner, data, place, kind=kind, name=name), source, location)
    else:
        if kind == "unknown":
            scan.guard(refuse_hidden_pickle, source, location)
        scan.notes.cannot_decide(
            f"the format {kind} is not judged; convert the model to safetensors or ONNX", location=location
        )
        return False
    return True


def _judge_empty(suffix: str) -> Callable[[Scan, Source, str], None]:
    def examine(scan: Scan, source: Source, location: str) -> None:
        del scan, source, location
        if suffix not in (".txt", ".md", ".csv", ".tsv"):
            raise RefusedError("format-mismatch", "the file is empty", offset=0)

    return examine


def _scan_packed(scan: Scan, source: Source, location: str, *, kind: str, name: str) -> None:
    unpacked = Unpacked(source, kind=kind, budget=scan.budget)
    # The whole stream is unpacked once, so that damage and bytes behind it are found whatever the content needs.
    for _ in unpacked.chunks():
        pass
    suffix = sniff.extension(name)
    stem = name[: -len(suffix)] if suffix in (".gz", ".bz2", ".xz", ".lzma", ".z") else name
    inner = scan.deeper()
    content = sniff.decide(head(unpacked, sniff.HEAD), suffix=sniff.extension(stem))
    if content in sniff.PACKED and stem == name:
        raise RefusedError("format-mismatch", "a compressed stream lies in another one")
    scan_content(inner, unpacked, f"{location}!{kind}", name=stem)


def scan_zip(scan: Scan, source: Source, location: str, *, name: str) -> None:
    """Scan an archive: its structure, every member's checksum, then each member by its own content.

    Raises:
        RefusedError: The structure does not hold.
        UndecidedError: It is too large to be judged where it lies.
    """
    archive = source if isinstance(source, FileRange) else Memory(head(source, MAX_INNER_ARCHIVE + 1))
    if isinstance(archive, Memory) and len(archive.data) > MAX_INNER_ARCHIVE:
        raise UndecidedError(f"an archive inside an archive has more than {MAX_INNER_ARCHIVE} bytes")
    inner = scan.deeper()
    members = read_members(archive, scan.budget)
    for member, content in members:
        check_content(member, content)
    found = {member.name: (member.size, content) for member, content in members if not member.name.endswith("/")}
    suffix = sniff.extension(name)
    root = is_archive(set(found))
    judged: set[str] = set()
    if suffix in (".pt", ".pth", ".bin", ".ckpt"):
        if root is None:
            raise RefusedError("format-mismatch", "the archive is not one that torch writes")
        data = f"{root}/data.pkl"
        judged = scan_archive(make_context(inner, found[data][1], f"{location}!{data}"), found, root)
    elif suffix == ".npz" and not all(one.endswith(".npy") for one in found):
        raise RefusedError("format-mismatch", "an npz archive holds something else than arrays")
    for member_name, (_, content) in found.items():
        if member_name not in judged:
            scan_content(replace(inner), content, f"{location}!{member_name}", name=member_name)
