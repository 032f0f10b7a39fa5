"""Start a worker: a program in a session of its own that is given its channels, a few descriptors and no more."""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from weighbridge.checks.worker.channels import Channels
from weighbridge.checks.worker.process import WorkerProcess
from weighbridge.errors import WorkerError


@contextlib.contextmanager
def started(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    scratch: Path,
    seconds: int,
    stop: threading.Event,
    inherited: Sequence[int] = (),
    program: int | None = None,
) -> Iterator[WorkerProcess]:
    """Start a worker in a session of its own, and kill all of it on the way out, whatever happened.

    Beside its channels it gets the descriptors ``inherited``, by the same numbers, and no other; and
    ``program``, a copy of the program that is started in its place, where one was had and the kernel starts it.

    Raises:
        WorkerError: When the program cannot be started.
    """
    try:
        ours, theirs = Channels.pair()
    except OSError as error:
        raise WorkerError(
            f"no worker can be talked to: {error.strerror}", remedy="raise the limit on open files (`ulimit -n`)"
        ) from None
    try:
        process = _process(
            command, theirs, environment=environment, scratch=scratch, inherited=inherited, program=program
        )
    except BaseException as error:
        ours.close()
        if not isinstance(error, OSError):
            raise
        raise WorkerError(
            f"no worker can be started with {command[0]}: {error.strerror}",
            remedy="check the Python installation and the limits on processes",
        ) from None
    finally:
        theirs.close()
    worker = WorkerProcess(
        process=process,
        channels=ours,
        scratch=scratch,
        deadline=time.monotonic() + seconds,
        seconds=seconds,
        stop=stop,
    )
    try:
        worker.listen()
        yield worker
    finally:
        worker.kill()


def _process(
    command: Sequence[str],
    ends: Channels,
    *,
    environment: Mapping[str, str],
    scratch: Path,
    inherited: Sequence[int],
    program: int | None,
) -> subprocess.Popen[bytes]:
    def start(executable: str | None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            # Its name stays that of the interpreter, which finds its installation by it.
            command,
            executable=executable,
            stdin=ends.requests.fileno(),
            stdout=ends.answers.fileno(),
            stderr=ends.text.fileno(),
            cwd=scratch,
            env=dict(environment),
            start_new_session=True,
            close_fds=True,
            pass_fds=inherited if program is None else (*inherited, program),
        )

    if program is not None:
        with contextlib.suppress(OSError):
            return start(f"/proc/self/fd/{program}")
    return start(None)
