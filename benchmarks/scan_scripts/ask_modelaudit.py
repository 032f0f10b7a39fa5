"""modelaudit, by the exit code of its command line; its telemetry is switched off by whoever starts this."""

from __future__ import annotations

from modelaudit.core import scan_model_directory_or_file
from modelaudit.core_results import determine_exit_code

from benchmarks.scan_scripts.driver import State, run

CODES = {0: "clean", 1: "found"}


def scan(name: str, arguments: list[str]) -> State:
    """Scan one file."""
    del arguments
    return CODES.get(determine_exit_code(scan_model_directory_or_file(name)), "error")


if __name__ == "__main__":
    run(scan)
