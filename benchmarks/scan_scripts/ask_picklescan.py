"""picklescan. A file that it does not open is silent: its command line calls it clean."""

from __future__ import annotations

from picklescan.scanner import scan_file_path

from benchmarks.scan_scripts.driver import State, run


def scan(name: str, arguments: list[str]) -> State:
    """Scan one file, with ``strict`` as a gate would want it."""
    found = scan_file_path(name, **({"strict": True} if "strict" in arguments else {}))
    if found.issues_count:
        return "found"
    return "error" if found.scan_err else "clean" if found.scanned_files else "silent"


if __name__ == "__main__":
    run(scan)
