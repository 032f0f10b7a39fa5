"""Processes of tests: told of every signal whatever started the tests, and gone when the test is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

TOLD_OF_SIGNALS = ("env", "--default-signal")
"""Starts a program that no signal is kept from: what is ignored where the tests were started would stay ignored.

A shell without job control ignores SIGINT in what it puts in the background, ``nohup`` ignores SIGHUP.
"""


@contextlib.contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a program in a session of its own, and kill all of that session on the way out, whatever happened.

    What a failing test leaves running would be found in the next one, as a warning that fails it.
    """
    with subprocess.Popen([*TOLD_OF_SIGNALS, *command], start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def run(command: Sequence[str], *, seconds: float | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program to its end and return what it printed; an end of the test is one for all that it started."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with started(command, text=True, **options) as process:
        out, err = process.communicate(timeout=seconds)
    return subprocess.CompletedProcess(list(command), process.returncode, out, err)


def is_running(pid: int) -> bool:
    """Tell whether a process is there and not a zombie, which only waits to be asked how it ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ignores(pid: int, number: int) -> bool:
    """Tell whether a process ignores a signal."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as status:
        mask = next(line for line in status if line.startswith("SigIgn:")).split()[1]
    return bool(int(mask, 16) >> (number - 1) & 1)
