"""What every script does: scan the files of a list one after the other, and print what was said of each.

Needs nothing but the standard library, since it runs in every peer's environment.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

SECONDS: Final = 60
"""Longest time for one file; then it counts as an error."""

State = str
"""``found``: exit code 1 of the scanner's command line. ``clean``: read, and exit code 0. ``silent``: exit code 0
though nothing was read. ``error``: any other exit code, whatever the reason."""


class TooSlowError(BaseException):
    """A file took longer than the limit. No ordinary handler may swallow it."""


def _stop(number: int, frame: object) -> None:
    raise TooSlowError(number, frame)


def run(scan: Callable[[str, list[str]], State]) -> None:
    """Scan, with the scanner's own output thrown away, and print one line of JSON."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _stop)
    names, arguments = json.loads(Path(sys.argv[1]).read_text()), sys.argv[2:]
    states: dict[str, State] = {}
    base, start = _peak(), time.perf_counter()
    for name in names:
        signal.alarm(SECONDS)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                states[name] = scan(name, arguments)
        except (Exception, TooSlowError, SystemExit):  # whatever a peer does wrong is a refusal of its command line
            states[name] = "error"
        finally:
            signal.alarm(0)
    print(json.dumps([states, time.perf_counter() - start, _peak() / 1024, base / 1024]))


def _peak() -> int:
    found = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0
