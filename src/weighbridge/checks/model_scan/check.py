"""The entry of the model scan: every file of a model, one report, nothing skipped."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from weighbridge.checks.interface import MAX_FINDINGS, CheckOutput, CheckRequest
from weighbridge.checks.model_scan import sniff
from weighbridge.checks.model_scan.allow import load_lists
from weighbridge.checks.model_scan.formats import scan_content
from weighbridge.checks.model_scan.report import FileReport, Notes, RefusedError, TooManyNotesError, UndecidedError
from weighbridge.checks.model_scan.scan import Reference, Scan
from weighbridge.checks.model_scan.source import FileRange, head
from weighbridge.evidence.measurements import FileCoverage, ModelScanMeasurements
from weighbridge.evidence.record import Finding, Undecided


def scan_file(path: Path, *, name: str) -> FileReport:
    """Scan one file; ``name`` is what locations say and where its extension is taken from.

    It raises nothing for bad input: what cannot be read is undecided, what breaks a rule is a finding.
    """
    return _scan(path, name)[0]


def run(request: CheckRequest) -> CheckOutput:
    """Scan every file of the model and account for each of them in the coverage."""
    model = Path(request.model)
    reports: dict[str, FileReport] = {}
    references: list[Reference] = []
    for path, name in _files(model):
        report, used = _scan(path, name)
        reports[name] = report
        references += used
    _judge_references(reports, references, model)
    findings: list[Finding] = []
    undecided: list[Undecided] = []
    for report in reports.values():
        findings += report.findings
        undecided += report.undecided
    if not reports:
        undecided.append(Undecided(location=model.name, reason="the model has no file"))
    if len(findings) > MAX_FINDINGS or len(undecided) >= MAX_FINDINGS:
        note = Undecided(location=model.name, reason="there are more findings than one report may hold")
        findings, undecided = findings[:MAX_FINDINGS], [note, *undecided[: MAX_FINDINGS - 1]]
    return CheckOutput(
        findings=tuple(findings),
        undecided=tuple(undecided),
        measurements=ModelScanMeasurements(
            files=tuple(report.coverage for report in reports.values()), allow_lists=load_lists().digests
        ),
    )


def _files(model: Path) -> Iterator[tuple[Path, str]]:
    """Yield everything in the model that is not a directory, by sorted name; links are yielded, not followed."""
    if model.is_symlink() or not model.is_dir():
        yield model, model.name
        return
    waiting = [model]
    while waiting:
        folder = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            # Yielded as if it were a file, so that it is reported as one that cannot be read.
            yield folder, folder.relative_to(model).as_posix()
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            else:
                yield path, path.relative_to(model).as_posix()


def _scan(path: Path, name: str) -> tuple[FileReport, list[Reference]]:
    shown = os.fsencode(name).decode("utf-8", "backslashreplace")
    scan = Scan.start()
    kind, size = "unreadable", 0
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        _cannot_open(scan.notes, path, shown, error)
        return scan.notes.close(path=shown, size=0, kind=kind, sha256=None), []
    checksum = None
    try:
        status = os.fstat(descriptor)
        size = status.st_size
        if stat.S_ISREG(status.st_mode):
            kind = scan_content(scan, FileRange(descriptor, start=0, length=size), shown, name=shown)
            checksum = _checksum(descriptor, status)
        else:
            scan.notes.finding("special-file", "a model holds regular files only", location=shown)
    except TooManyNotesError as error:
        last = scan.notes.undecided if scan.notes.undecided else scan.notes.findings
        last.pop()
        scan.notes.cannot_decide(error.message, location=shown)
    except (RefusedError, UndecidedError) as error:
        scan.notes.error(error, location=shown)
    except OSError as error:
        scan.notes.cannot_decide(f"the file cannot be read: {error.strerror}", location=shown)
    finally:
        os.close(descriptor)
    return scan.notes.close(path=shown, size=size, kind=kind, sha256=checksum), scan.references


def _checksum(descriptor: int, status: os.stat_result) -> str:
    """Return the sha256 of a file that was just scanned.

    Raises:
        UndecidedError: When it was written to since.
    """
    checksum = hashlib.sha256()
    for piece in FileRange(descriptor, start=0, length=status.st_size).chunks():
        checksum.update(piece)
    now = os.fstat(descriptor)
    if (now.st_size, now.st_mtime_ns, now.st_ctime_ns) != (status.st_size, status.st_mtime_ns, status.st_ctime_ns):
        raise UndecidedError("the file changed while it was scanned")
    return checksum.hexdigest()


def _cannot_open(notes: Notes, path: Path, shown: str, error: OSError) -> None:
    if path.is_symlink():
        notes.finding(
            "symbolic-link",
            "the name is a symbolic link, which may point to anything when the model is loaded",
            location=shown,
            remedy="put the file itself in its place",
        )
    else:
        notes.cannot_decide(f"the file cannot be opened: {error.strerror}", location=shown)


def _judge_references(reports: dict[str, FileReport], references: list[Reference], model: Path) -> None:
    """Settle files that hold nothing but numbers of an ONNX model beside them."""
    needed: dict[str, int] = {}
    for reference in references:
        owner = reference.location.partition("!")[0]
        folder = owner.rpartition("/")[0]
        target = f"{folder}/{reference.path}" if folder else reference.path
        needed[target] = max(needed.get(target, 0), reference.end)
        report = reports.get(target)
        if report is None or report.coverage.size < reference.end:
            scan = Scan.start()
            scan.notes.finding(
                "missing-external-data",
                f"{target!r} is missing or shorter than a tensor that lies in it",
                location=owner,
                remedy="put the external data beside the ONNX file",
            )
            old = reports[owner]
            reports[owner] = FileReport(
                findings=(*old.findings, *scan.notes.findings),
                undecided=old.undecided,
                coverage=_state(old.coverage, "refused", kind=old.coverage.format),
            )
    for target in needed:
        report = reports.get(target)
        path = model / target if model.is_dir() else model
        if report is None or not _is_numbers(report, path):
            continue
        reports[target] = FileReport(
            findings=(), undecided=(), coverage=_state(report.coverage, "clean", kind="onnx-external-data")
        )


def _is_numbers(report: FileReport, path: Path) -> bool:
    """Tell whether a file was undecided, or refused as torch's, only since nothing marks raw numbers as such."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        start = head(FileRange(descriptor, start=0, length=report.coverage.size), sniff.HEAD)
    finally:
        os.close(descriptor)
    suffix = sniff.extension(report.coverage.path)
    loadable = suffix in sniff.EXPECTED or suffix in sniff.CODE_EXTENSIONS
    return sniff.sniff(start) == "unknown" and not loadable


def _state(coverage: FileCoverage, state: Literal["clean", "refused"], *, kind: str) -> FileCoverage:
    return msgspec.structs.replace(coverage, format=kind, state=state)
