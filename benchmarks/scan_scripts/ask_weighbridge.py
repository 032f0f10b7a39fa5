"""Weighbridge itself, in the same way as the others."""

from __future__ import annotations

from pathlib import Path

from benchmarks.scan_scripts.driver import State, run
from weighbridge.checks.model_scan.check import scan_file

STATES = {"clean": "clean", "refused": "found", "undecided": "error"}


def scan(name: str, arguments: list[str]) -> State:
    """Scan one file."""
    del arguments
    return STATES[scan_file(Path(name), name=Path(name).name).coverage.state]


if __name__ == "__main__":
    run(scan)
