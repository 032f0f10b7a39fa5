"""The entry of the model scan: every file of a model, one report, nothing skipped."""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec

from weighbridge.checks.interface import MAX_FINDINGS, CheckOutput, CheckRequest, ModelFile
from weighbridge.checks.model_scan.account import MAX_RANGES, MIN_RANGES
from weighbridge.checks.model_scan.allow import load_lists
from weighbridge.checks.model_scan.documents.schemas import CODE_IS_THE_MODEL
from weighbridge.checks.model_scan.formats import scan_content
from weighbridge.checks.model_scan.held import changed, hold
from weighbridge.checks.model_scan.reasons import step_of
from weighbridge.checks.model_scan.report import FileReport, Notes, RefusedError, TooManyNotesError, UndecidedError
from weighbridge.checks.model_scan.scan import Reference, Scan
from weighbridge.checks.model_scan.unread import UNSURE
from weighbridge.checks.reading import opened
from weighbridge.evidence.measurements import Coverage, CoveredRange, FileCoverage, ModelScanMeasurements
from weighbridge.evidence.record import Finding, Undecided

MAX_MODEL_RANGES: Final = 20_000
"""About so many ranges all files of one model are told in, so that evidence stays small."""


def scan_file(path: Path, *, name: str) -> FileReport:
    """Scan one file where it lies; ``name`` is what locations say; it decides nothing but that a program is one.

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
    most = max(MIN_RANGES, min(MAX_RANGES, MAX_MODEL_RANGES // max(1, len(files))))
    for shown, file in files.items():
        report, used = _scan(file, most)
        reports[shown] = report
        references += used
    _judge_references(reports, references, files)
    _say_what_is_the_model(reports)
    findings: list[Finding] = []
    undecided: list[Undecided] = []
    for report in reports.values():
        findings += report.findings
        undecided += report.undecided
    if not reports:
        undecided.append(_whole("no-file", "the model has no file", name=name))
    if len(findings) > MAX_FINDINGS or len(undecided) >= MAX_FINDINGS:
        note = _whole("too-many-findings", "there are more findings than one report may hold", name=name)
        findings, undecided = findings[:MAX_FINDINGS], [note, *undecided[: MAX_FINDINGS - 1]]
    return CheckOutput(
        findings=tuple(findings),
        undecided=tuple(undecided),
        measurements=ModelScanMeasurements(
            files=tuple(report.coverage for report in reports.values()), allow_lists=load_lists().digests
        ),
    )


def _whole(code: str, reason: str, *, name: str) -> Undecided:
    return Undecided(location=name, reason=reason, code=code, remedy=step_of(code))


def _shown(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _scan(file: ModelFile, most: int = MAX_RANGES) -> tuple[FileReport, list[Reference]]:
    shown = _shown(file.name)
    scan = Scan.start()
    kind, checksum = "unreadable", None
    try:
        with opened(file) as found:
            if found.regular:
                content, checksum = hold(found)
                kind = scan_content(scan, content, shown, name=shown)
                if not found.unchanged():
                    raise changed()
            else:
                scan.notes.finding("special-file", "a model holds regular files only", location=shown)
    except TooManyNotesError as error:
        last = scan.notes.undecided if scan.notes.undecided else scan.notes.findings
        last.pop()
        scan.notes.cannot_decide("too-many-findings", error.message, location=shown)
    except (RefusedError, UndecidedError) as error:
        scan.notes.error(error, location=shown)
    except OSError as error:
        _cannot_read(scan.notes, shown, error)
    covered = scan.coverage(most) if checksum is not None else None
    report = scan.notes.close(path=shown, size=file.size, kind=kind, sha256=checksum, covered=covered)
    return report, scan.references


def _cannot_read(notes: Notes, shown: str, error: OSError) -> None:
    if error.errno == errno.ELOOP:
        notes.finding(
            "symbolic-link",
            "the name is a symbolic link, which may point to anything when the model is loaded",
            location=shown,
            remedy="put the file itself in its place",
        )
    else:
        notes.cannot_decide("unreadable", f"the file cannot be read: {error.strerror}", location=shown)


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
            _add(
                reports,
                owner,
                rule="missing-external-data",
                message=f"{target!r} is missing or shorter than a tensor that lies in it",
                remedy="put the external data beside the ONNX file",
            )
    for target in needed:
        report = reports.get(target)
        if report is None:
            continue
        if elsewhere := _elsewhere(files[target], files):
            _add(
                reports,
                target,
                rule="hard-link",
                message=f"the external data is a hard link, and {elsewhere} of its names lie outside the "
                "model, where it can be changed; onnx does not load it",
                remedy="put a copy of its own in its place: cp FILE COPY && mv COPY FILE",
            )
        elif not report.findings and [one.code in UNSURE for one in report.undecided] == [True]:
            reports[target] = FileReport(findings=(), undecided=(), coverage=_as_numbers(report.coverage))


def _say_what_is_the_model(reports: dict[str, FileReport]) -> None:
    """Give a program that a document of the model names as the model itself another step than to take it out."""
    for path, report in list(reports.items()):
        folder = path.rpartition("/")[0]
        for name in (one.about for one in report.findings if one.remedy == CODE_IS_THE_MODEL and one.about):
            target = f"{folder}/{name}" if folder else name
            if target in reports:
                old = reports[target]
                findings = tuple(
                    msgspec.structs.replace(one, remedy=CODE_IS_THE_MODEL) if one.rule == "code-in-model" else one
                    for one in old.findings
                )
                reports[target] = replace(old, findings=findings)


def _elsewhere(file: ModelFile, files: dict[str, ModelFile]) -> int:
    """Count the names that a file has outside the model; of one in place that is asked here, else the parent knows."""
    if file.descriptor is not None:
        return file.elsewhere
    try:
        status = os.lstat(file.path)
        if status.st_nlink == 1:
            return 0
        inside = sum(os.path.samestat(os.lstat(other.path), status) for other in files.values())
    except OSError:
        return 1  # it was there a moment ago
    return max(0, status.st_nlink - inside)


def _add(reports: dict[str, FileReport], path: str, *, rule: str, message: str, remedy: str) -> None:
    scan = Scan.start()
    scan.notes.finding(rule, message, location=path, remedy=remedy)
    old = reports[path]
    reports[path] = FileReport(
        findings=(*old.findings, *scan.notes.findings),
        undecided=old.undecided,
        coverage=msgspec.structs.replace(old.coverage, state="refused"),
    )


def _as_numbers(coverage: FileCoverage) -> FileCoverage:
    whole = CoveredRange(start=0, length=coverage.size, how="data")
    return msgspec.structs.replace(
        coverage,
        format="onnx-external-data",
        state="clean",
        coverage=Coverage(data=coverage.size, ranges=(whole,)),
    )
