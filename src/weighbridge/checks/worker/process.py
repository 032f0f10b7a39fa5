"""One worker process: talk to it within limits, and make sure that nothing of it is left."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from weighbridge.checks.worker.channels import Channels
from weighbridge.checks.worker.frames import HEADER

MAX_STDERR: Final = 16 * 1024 * 1024
"""Most bytes that a worker may write to standard output and error before it is stopped."""

MAX_SCRATCH: Final = 128 * 1024 * 1024
"""Most bytes that a worker may keep in its scratch directory."""

MAX_SCRATCH_FILES: Final = 1000
"""Most files that a worker may keep in its scratch directory."""

GRACE: Final = 10.0
"""Seconds that a worker has to end after it has closed its end of the answers."""

_KEPT_STDERR: Final = 8 * 1024
_TURN: Final = 0.2
_SHORT_TURN: Final = 0.002
_CHUNK: Final = 1 << 16
_LAST_READS: Final = 4
_ANSWERS: Final = "answers"
_TEXT: Final = "text"
_REQUESTS: Final = "requests"
_DEAD: Final = ("Z", "X")


class WorkerFailed(Exception):  # noqa: N818 - it is an outcome that the parent reports, not an error of the program
    """The worker is stopped and what it did is not an answer; the message ends "the worker ..."."""


@dataclass(slots=True)
class WorkerProcess:
    """A running worker. ``deadline`` is on the monotonic clock; ``scratch`` is watched while waiting."""

    process: subprocess.Popen[bytes]
    channels: Channels
    scratch: Path
    deadline: float
    seconds: int
    stop: threading.Event
    received: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    stderr_size: int = 0
    open_ends: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def listen(self) -> None:
        """Begin to take in what the worker says."""
        self.open_ends.register(self.channels.answers, selectors.EVENT_READ, _ANSWERS)
        self.open_ends.register(self.channels.text, selectors.EVENT_READ, _TEXT)

    def send(self, frame: bytes) -> None:
        """Write one frame to the worker, which is still the launcher's own code and reads it.

        A worker that is gone takes nothing; ``receive``, which comes next, says how it ended.

        Raises:
            WorkerFailed: When it does not take the frame in time, or says something before it has it.
        """
        rest = memoryview(frame)
        while rest:
            try:
                rest = rest[self.channels.requests.send(rest) :]
            except BlockingIOError:
                if not self._wait_to_send():
                    return
            except OSError:
                return

    def receive(self, *, limit: int) -> bytes:
        """Return the content of the next frame.

        Raises:
            WorkerFailed: When it is too long, or does not come: the worker ended, hung, or wrote too much.
        """
        while True:
            if len(self.received) >= HEADER.size:
                (size,) = HEADER.unpack_from(self.received)
                if size > limit:
                    raise WorkerFailed(f"wrote too much: it announced {size} bytes, at most {limit} are read")
                if len(self.received) >= HEADER.size + size:
                    content = bytes(self.received[HEADER.size : HEADER.size + size])
                    del self.received[: HEADER.size + size]
                    return content
            if not self._turn():
                raise WorkerFailed(self._how_it_ended())

    def _wait_to_send(self) -> bool:
        self.open_ends.register(self.channels.requests, selectors.EVENT_WRITE, _REQUESTS)
        try:
            going_on = self._turn()
        finally:
            self.open_ends.unregister(self.channels.requests)
        # What is read meanwhile has no limit yet, and there is nothing that could be answered.
        if self.received:
            raise WorkerFailed("wrote garbage: it answered before it was asked")
        return going_on

    def finish(self) -> None:
        """Wait for the worker to end by itself, with nothing more to say.

        Raises:
            WorkerFailed: When it says more, ends with an error, or does not end.
        """
        while not self.received and self._turn():
            pass
        if self.received:
            raise WorkerFailed("wrote garbage: something follows its answer")
        self._await_exit()
        if self.process.returncode != 0:
            raise WorkerFailed(self._how_it_ended())

    def kill(self) -> None:
        """Kill the worker and everything in its session, wait until it is gone, and take in its last words."""
        if self.process.returncode is None:
            self._reap()
        self.open_ends.close()
        self.channels.close()

    def _turn(self) -> bool:
        """Take in what is there; return False when the answers have ended or the worker has."""
        if self.stop.is_set():
            raise WorkerFailed("was stopped because the check was called off")
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise WorkerFailed(f"timed out: it was stopped after {self.seconds} seconds")
        events = self.open_ends.select(min(left, _TURN))
        if not events and _has_exited(self.process.pid):
            # It may have written between the two calls; a straggler may hold its end open for ever.
            events = self.open_ends.select(0)
            if not events:
                return False
        self._watch_scratch()
        going_on = True
        for key, _ in events:
            going_on = self._take(key) and going_on
        return going_on

    def _take(self, key: selectors.SelectorKey) -> bool:
        if key.data == _REQUESTS:
            return True
        data = os.read(key.fd, _CHUNK)
        if not data:
            self.open_ends.unregister(key.fileobj)
            return bool(key.data != _ANSWERS)
        if key.data == _ANSWERS:
            self.received += data
        else:
            self._keep(data)
        return True

    def _keep(self, data: bytes) -> None:
        self.stderr_size += len(data)
        self.stderr += data
        del self.stderr[:-_KEPT_STDERR]
        if self.stderr_size > MAX_STDERR:
            raise WorkerFailed(f"wrote too much: more than {MAX_STDERR} bytes of text")

    def _watch_scratch(self) -> None:
        size = 0
        with contextlib.suppress(OSError), os.scandir(self.scratch) as entries:
            for count, entry in enumerate(entries, 1):
                with contextlib.suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                if count > MAX_SCRATCH_FILES or size > MAX_SCRATCH:
                    raise WorkerFailed("wrote too much into its scratch directory")

    def _await_exit(self) -> None:
        until = min(self.deadline, time.monotonic() + GRACE)
        while not _has_exited(self.process.pid):
            if time.monotonic() > until:
                raise WorkerFailed("timed out: it did not end after its answer")
            for key, _ in self.open_ends.select(_SHORT_TURN):
                self._take(key)
            if not self.open_ends.get_map():
                time.sleep(_SHORT_TURN)
        self._reap()

    def _reap(self) -> None:
        # Reaped last: until then the worker's number, which is that of its session, belongs to nobody else.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        until = time.monotonic() + GRACE
        while (stragglers := _stragglers(self.process.pid)) and time.monotonic() < until:
            for pid in stragglers:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_SHORT_TURN)
        self.process.wait()
        for _ in range(_LAST_READS):
            for key, _ in self.open_ends.select(0):
                with contextlib.suppress(WorkerFailed):
                    self._take(key)

    def _how_it_ended(self) -> str:
        if self.process.returncode is None:
            try:
                self._await_exit()
            except WorkerFailed:
                return "said too little: it closed its end without an answer"
        code = self.process.returncode
        if code == -signal.SIGXCPU:
            return "used more processor time than it may"
        if code < 0:
            return f"was killed by signal {-code} ({_signal_name(-code)})"
        if code > 0:
            return f"ended with exit code {code}"
        return "said too little: it ended without an answer"


def _has_exited(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _stragglers(session: int) -> set[int]:
    """Return the processes of a session that still run: one may have left the worker's group."""
    found: set[int] = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # After the name in parentheses: state, parent, group, session.
            text = Path("/proc", name, "stat").read_text(encoding="ascii", errors="replace")
            state, _, _, its_session = text.rpartition(")")[2].split()[:4]
            if int(its_session) == session and state not in _DEAD:
                found.add(int(name))
    return found


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
