"""The entry of the model scan."""

from __future__ import annotations

from pathlib import Path

from weighbridge.checks.interface import CheckOutput, CheckRequest
from weighbridge.checks.model_scan.report import FileReport, Notes


def scan_file(path: Path, *, name: str) -> FileReport:
    """Scan one file; ``name`` is how it is called in locations and what its extension is taken from."""
    notes = Notes()
    notes.cannot_decide("the scan cannot judge this format", location=name)
    return notes.close(path=name, size=path.stat().st_size, kind="unknown")


def run(request: CheckRequest) -> CheckOutput:
    """Scan every file of the model."""
    report = scan_file(Path(request.model), name=Path(request.model).name)
    return CheckOutput(findings=report.findings, undecided=report.undecided)
