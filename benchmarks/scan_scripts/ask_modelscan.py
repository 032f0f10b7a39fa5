"""modelscan, by the exit codes of its command line: 3 for nothing scanned, 2 for errors, 1 for findings."""

from __future__ import annotations

from modelscan.modelscan import ModelScan

from benchmarks.scan_scripts.driver import State, run


def scan(name: str, arguments: list[str]) -> State:
    """Scan one file with the settings that it comes with."""
    del arguments
    scanner = ModelScan()
    scanner.scan(name)
    if scanner.issues.all_issues and scanner.scanned and not scanner.errors:
        return "found"
    return "error" if scanner.errors or not scanner.scanned else "clean"


if __name__ == "__main__":
    run(scan)
