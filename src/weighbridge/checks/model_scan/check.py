"""The entry of the model scan: every file of a model, one report, nothing skipped."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
from pathlib import Path
from typing import Literal

import msgspec

from weighbridge.checks.interface import MAX_FINDINGS, CheckOutput, CheckRequest, ModelFile
from weighbridge.checks.model_scan import sniff
from weighbridge.checks.model_scan.allow import load_lists
from weighbridge.checks.model_scan.formats import scan_content
from weighbridge.checks.model_scan.report import FileReport, Notes, RefusedError, TooManyNotesError, UndecidedError
from weighbridge.checks.model_scan.scan import Reference, Scan
from weighbridge.checks.model_scan.source import FileRange, head
from weighbridge.checks.reading import Opened, opened
from weighbridge.evidence.measurements import FileCoverage, ModelScanMeasurements
from weighbridge.evidence.record import Finding, Undecided


def scan_file(path: Path, *, name: str) -> FileReport:
    """Scan one file where it lies; ``name`` is what locations say and where its extension is taken from.

    It raises nothing for bad input: what cannot be read is undecided, what breaks a rule is a finding.
    """
    size = 0
    with contextlib.suppress(OSError):
        size = path.stat(follow_symlinks=False).st_size
    return _scan(ModelFile(name=name, size=size, path=str(path)))[0]


def run(request: CheckRequest) -> CheckOutput:
    """Scan every file of the model and account for each of them in the coverage."""
    name = Path(request.model).name
    files = {_shown(file.name): file for file in request.files}
    reports: dict[str, FileReport] = {}
    references: list[Reference] = []
    for shown, file in files.items():
        report, used = _scan(file)
        reports[shown] = report
        references += used
    _judge_references(reports, references, files)
    findings: list[Finding] = []
    undecided: list[Undecided] = []
    for report in reports.values():
        findings += report.findings
        undecided += report.undecided
    if not reports:
        undecided.append(Undecided(location=name, reason="the model has no file"))
    if len(findings) > MAX_FINDINGS or len(undecided) >= MAX_FINDINGS:
        note = Undecided(location=name, reason="there are more findings than one report may hold")
        findings, undecided = findings[:MAX_FINDINGS], [note, *undecided[: MAX_FINDINGS - 1]]
    return CheckOutput(
        findings=tuple(findings),
        undecided=tuple(undecided),
        measurements=ModelScanMeasurements(
            files=tuple(report.coverage for report in reports.values()), allow_lists=load_lists().digests
        ),
    )


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _scan(file: ModelFile) -> tuple[FileReport, list[Reference]]:
    shown = _shown(file.name)
    scan = Scan.start()
    kind, checksum = "unreadable", None
    try:
        with opened(file) as found:
            if found.regular:
                content = FileRange(found.descriptor, start=found.start, length=found.size)
                kind = scan_content(scan, content, shown, name=shown)
                checksum = _checksum(found, content)
            else:
                scan.notes.finding("special-file", "a model holds regular files only", location=shown)
    except TooManyNotesError as error:
        last = scan.notes.undecided if scan.notes.undecided else scan.notes.findings
        last.pop()
        scan.notes.cannot_decide(error.message, location=shown)
    except (RefusedError, UndecidedError) as error:
        scan.notes.error(error, location=shown)
    except OSError as error:
        _cannot_read(scan.notes, shown, error)
    return scan.notes.close(path=shown, size=file.size, kind=kind, sha256=checksum), scan.references


def _checksum(found: Opened, content: FileRange) -> str:
    """Return the sha256 of a file that was just scanned.

    Raises:
        UndecidedError: When it was written to since.
    """
    checksum = hashlib.sha256()
    for piece in content.chunks():
        checksum.update(piece)
    if not found.unchanged():
        raise UndecidedError("the file changed while it was scanned")
    return checksum.hexdigest()


def _cannot_read(notes: Notes, shown: str, error: OSError) -> None:
    if error.errno == errno.ELOOP:
        notes.finding(
            "symbolic-link",
            "the name is a symbolic link, which may point to anything when the model is loaded",
            location=shown,
            remedy="put the file itself in its place",
        )
    else:
        notes.cannot_decide(f"the file cannot be read: {error.strerror}", location=shown)


def _judge_references(reports: dict[str, FileReport], references: list[Reference], files: dict[str, ModelFile]) -> None:
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
        if report is None or not _is_numbers(report, files[target]):
            continue
        reports[target] = FileReport(
            findings=(), undecided=(), coverage=_state(report.coverage, "clean", kind="onnx-external-data")
        )


def _is_numbers(report: FileReport, file: ModelFile) -> bool:
    """Tell whether a file was undecided, or refused as torch's, only since nothing marks raw numbers as such."""
    try:
        with opened(file) as found:
            start = head(FileRange(found.descriptor, start=found.start, length=found.size), sniff.HEAD)
    except OSError:
        return False
    suffix = sniff.extension(report.coverage.path)
    loadable = suffix in sniff.EXPECTED or suffix in sniff.CODE_EXTENSIONS
    return sniff.sniff(start) == "unknown" and not loadable


def _state(coverage: FileCoverage, state: Literal["clean", "refused"], *, kind: str) -> FileCoverage:
    return msgspec.structs.replace(coverage, format=kind, state=state)
