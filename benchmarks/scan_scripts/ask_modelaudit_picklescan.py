"""modelaudit-picklescan, by its report: a finding, or a scan that was not complete."""

from __future__ import annotations

from modelaudit_picklescan import SafetyVerdict, ScanStatus, scan_file

from benchmarks.scan_scripts.driver import State, run


def scan(name: str, arguments: list[str]) -> State:
    """Scan one file. A complete scan without a verdict is of bytes that it does not take for a pickle."""
    del arguments
    report = scan_file(name)
    if report.verdict in (SafetyVerdict.SUSPICIOUS, SafetyVerdict.MALICIOUS):
        return "found"
    if report.status is not ScanStatus.COMPLETE:
        return "error"
    return "clean" if report.verdict is SafetyVerdict.CLEAN else "silent"


if __name__ == "__main__":
    run(scan)
