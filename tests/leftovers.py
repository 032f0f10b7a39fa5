"""Nothing of the tests is left behind: no process, no temporary folder, no changed state of the test process.

All tests of a session share one new temporary folder, named by ``TMPDIR``. So what is in it at the end was left by
them, and so was a process in whose environment it stands; other sessions on the same machine are not mistaken.
Files and sockets that stay open need no look here: ``ResourceWarning`` is an error in this suite.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import is_running

GRACE = 10.0
"""Seconds in which processes that were told to end may do so."""

VARIABLE = "TMPDIR"
BASE = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest keeps ``tmp_path``; that stays as it is, for a look after a failure."""

NOT_OURS = {".ses"}
"""What libraries keep in the temporary folder for good: ONNX Runtime the number of its session."""

WATCHED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE)
OWN_VARIABLES = ("PYTEST_CURRENT_TEST", "COLUMNS", "LINES", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK")
"""Variables that pytest changes while it runs, and that scikit-learn sets where it is first imported."""


class SessionFolder:
    """The temporary folder of one session of tests."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="wb-tests-"))
        self._before = {name: os.environ.get(name) for name in (VARIABLE, BASE)}
        os.environ.setdefault(BASE, str(self.path.parent))
        os.environ[VARIABLE] = str(self.path)
        tempfile.tempdir = None  # so that it is read again

    def left(self) -> list[str]:
        """Return what is still there, in words, after the processes had time to end."""
        until = time.monotonic() + GRACE
        while (processes := self._processes()) and time.monotonic() < until:
            time.sleep(0.1)
        folders = [
            f"in the temporary folder: {name}{looked_into(self.path / name)}"
            for name in sorted({*os.listdir(self.path)} - NOT_OURS)
        ]
        return [f"a process: {pid} {command}" for pid, command in sorted(processes.items())] + folders

    def remove(self) -> None:
        """Remove the folder and put the environment back."""
        shutil.rmtree(self.path, ignore_errors=True)
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        tempfile.tempdir = None

    def _processes(self) -> dict[int, str]:
        mark = f"{VARIABLE}={self.path}".encode()
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            # Of another user, or gone meanwhile. A worker cannot be read; its scratch folder is found instead.
            with contextlib.suppress(OSError):
                # This process changed its variables after it was started, so it does not find itself.
                if mark in Path("/proc", name, "environ").read_bytes().split(b"\0") and is_running(int(name)):
                    command = Path("/proc", name, "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(name)] = command.decode(errors="replace").strip()[:200]
        return found


def looked_into(path: Path) -> str:
    """Say what a thing without a telling name is, so that it can be traced to the test that left it."""
    with contextlib.suppress(OSError):
        if path.is_dir():
            return f", a directory of {path.stat().st_mode & 0o7777:04o} with {sorted(os.listdir(path))[:5]}"
        if path.is_file():
            return f", {path.stat().st_size} bytes that begin with {path.read_bytes()[:60]!r}"
    return ""


@dataclass(frozen=True)
class ProcessState:
    """What belongs to the whole test process, which a test may change for itself only."""

    directory: str
    umask: int
    variables: dict[str, str] = field(repr=False)
    handlers: tuple[object, ...] = field(repr=False)

    @classmethod
    def now(cls) -> ProcessState:
        """Look at this process."""
        umask = os.umask(0o077)
        os.umask(umask)
        try:
            directory = os.getcwd()
        except FileNotFoundError:
            directory = "(removed)"
        variables = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
        return cls(directory, umask, variables, tuple(signal.getsignal(number) for number in WATCHED_SIGNALS))

    def restore(self) -> list[str]:
        """Put everything back, and return in words what had been changed."""
        now = ProcessState.now()
        changed = []
        if now.directory != self.directory:
            os.chdir(self.directory)
            changed.append(f"the working directory, to {now.directory}")
        if now.umask != self.umask:
            os.umask(self.umask)
            changed.append(f"the umask, to {now.umask:03o}")
        for name in sorted(now.variables.keys() | self.variables.keys()):
            if (before := self.variables.get(name)) != now.variables.get(name):
                changed.append(f"the variable {name}")
                if before is None:
                    del os.environ[name]
                else:
                    os.environ[name] = before
        for number, before_, after in zip(WATCHED_SIGNALS, self.handlers, now.handlers, strict=True):
            if before_ != after:
                signal.signal(number, before_)  # type: ignore[arg-type]
                changed.append(f"what is done on {number.name}")
        return changed
