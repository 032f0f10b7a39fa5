"""fickling: archives by the function that its own walk of a repository uses, all else by its command line."""

from __future__ import annotations

import zipfile

from fickling.cli import main
from fickling.loader import scan_zip_archive

from benchmarks.scan_scripts.driver import State, run

CODES = {0: "clean", 1: "found"}


def scan(name: str, arguments: list[str]) -> State:
    """Scan one file. An archive without a member that it reads is silent."""
    del arguments
    if not zipfile.is_zipfile(name):
        return CODES.get(main(["fickling", "--check-safety", "--json-output", "/dev/null", name]), "error")
    members = scan_zip_archive(name, graceful=True, json_output_path="/dev/null").values()
    if any(not member.is_safe and not member.errors for member in members):
        return "found"
    return "error" if any(not member for member in members) else "clean" if members else "silent"


if __name__ == "__main__":
    run(scan)
