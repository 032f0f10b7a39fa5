"""Examine a model in a confined worker, and believe nothing of its answer but its shape."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from weighbridge import _json
from weighbridge._struct import ONE_AT_A_TIME
from weighbridge.checks.interface import CheckOutput, CheckRequest, Limits
from weighbridge.checks.worker import frames, grants, program, reach
from weighbridge.checks.worker.process import WorkerFailed, WorkerProcess
from weighbridge.checks.worker.reasons import STOPPED
from weighbridge.checks.worker.starting import started
from weighbridge.errors import ParseError, WorkerError
from weighbridge.evidence.record import Confinement, Undecided
from weighbridge.model.shield import SHIELD

COMMAND: Final = (sys.executable, "-I", "-B", "-m", "weighbridge.checks.worker.child")
"""How a worker is started: a fresh interpreter that ignores the environment and the user's packages."""

PASSED_ON: Final = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""The only variables of the parent that a worker gets: they describe the processor."""

_QUOTED: Final = 600
_LOCATION: Final = "worker"


@dataclass(frozen=True, slots=True)
class Examination:
    """What a worker answered, and the confinement that it reported before it knew of the model."""

    output: CheckOutput
    confinement: Confinement


def examine(
    request: CheckRequest, *, limits: Limits, secrets: Sequence[Path] = (), stop: threading.Event | None = None
) -> Examination:
    """Run the check that the request names in a worker that can read the model's files and its inputs, nothing else.

    A worker that dies, hangs or answers garbage gives an output with one undecided entry. When this returns or
    raises, the worker is gone. ``stop`` calls the check off from another thread, which a KeyboardInterrupt does not
    reach.

    Raises:
        UsageError: When the worker could read one of ``secrets``.
        WorkerError: When no worker can be started and confined at all.
    """
    return examine_with(COMMAND, request, limits=limits, secrets=secrets, stop=stop)


def examine_with(
    command: Sequence[str],
    request: CheckRequest,
    *,
    limits: Limits,
    secrets: Sequence[Path] = (),
    stop: threading.Event | None = None,
) -> Examination:
    """Run a check with another program as the worker; for tests of the confinement itself.

    Raises:
        UsageError, WorkerError: As ``examine``.
    """
    request = reach.absolute(request)
    runtime = reach.runtime_paths()
    # Once: what a requirements file includes may change, and what was checked is what must be granted.
    asked = request.readable()
    with ExitStack() as stack:
        # Whoever can look into this process, or into the worker, can answer in its place.
        stack.enter_context(SHIELD.up())
        granted = stack.enter_context(grants.opened(asked))
        # Of a model in a private view the worker opens no path, and sees all its bytes.
        model = stack.enter_context(grants.opened((Path(request.model),)))
        names = reach.names_of(secrets)
        reach.refuse_secrets(secrets, asked=(*model, *granted), runtime=runtime)
        scratch, opened = stack.enter_context(_scratch())
        copied = stack.enter_context(_copy_of(command[0]))
        descriptors = tuple(grant.descriptor for grant in granted)
        setup = frames.Setup(
            readable=tuple(map(str, runtime)),
            granted=descriptors,
            scratch=str(scratch),
            scratch_opened=opened,
            parent=os.getpid(),
            memory=limits.memory,
            cpu_seconds=limits.cpu_seconds,
            files=limits.files,
            program=copied,
        )
        environment = environment_for(scratch)
        with started(
            command,
            environment=environment,
            scratch=scratch,
            seconds=limits.seconds,
            stop=stop or threading.Event(),
            inherited=(*request.inherited(), *descriptors, opened),
            program=copied,
        ) as worker:
            confinement = _confined(worker, setup)
            examination = Examination(output=_answer(worker, request, limits), confinement=confinement)
        if any(grant.directory for grant in granted):
            reach.require_no_new_name(secrets, before=names)
        return examination


def environment_for(scratch: Path) -> dict[str, str]:
    """Return the whole environment of a worker, built from nothing: no passphrase, proxy or token is inherited."""
    threads = str(len(os.sched_getaffinity(0)))
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        # A worker may not start processes; without this joblib tries and warns.
        "JOBLIB_MULTIPROCESSING": "0",
        **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
    }


def _copy_of(executable: str) -> AbstractContextManager[int | None]:
    # Of another program than the interpreter nobody knows whether it runs from elsewhere.
    return program.unreadable(executable) if executable == sys.executable else nullcontext()


@contextmanager
def _scratch() -> Iterator[tuple[Path, int]]:
    try:
        scratch = Path(os.path.realpath(tempfile.mkdtemp(prefix="weighbridge-worker-")))
    except OSError as error:
        raise WorkerError(
            f"no scratch directory can be made: {error.strerror}", remedy="free some space or set TMPDIR"
        ) from None
    try:
        descriptor = _as_it_was_made(scratch)
        try:
            yield scratch, descriptor
        finally:
            os.close(descriptor)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _as_it_was_made(scratch: Path) -> int:
    # Who may write the directory around it may have put another one in its place, or a link.
    reason, descriptor = "it is another directory than was made", None
    try:
        descriptor = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        if os.fstat(descriptor).st_uid == os.geteuid() and not os.listdir(descriptor):
            return descriptor
    except OSError as error:
        reason = error.strerror or reason
    if descriptor is not None:
        os.close(descriptor)
    raise WorkerError(
        f"the scratch directory {scratch} cannot be used: {reason}",
        remedy="set TMPDIR to a directory in which nobody else can rename (mode 1777, or your own)",
    )


def _confined(worker: WorkerProcess, setup: frames.Setup) -> Confinement:
    # Up to here the worker runs our own code only and has seen nothing of the model.
    try:
        worker.send(frames.encode(setup))
        frame = worker.receive(limit=frames.MAX_CONFINEMENT)
        return _json.parse(frame, Confinement, what="the confinement")
    except (WorkerFailed, ParseError) as error:
        raise WorkerError(
            f"no worker can be confined: it {error}{_quoted(worker.stderr)}",
            remedy="see docs/confinement.md for what the kernel must allow",
        ) from None


def _answer(worker: WorkerProcess, request: CheckRequest, limits: Limits) -> CheckOutput:
    try:
        worker.send(frames.encode(request))
        output = parse_output(worker.receive(limit=limits.output), request=request, limits=limits)
        worker.finish()
    except WorkerFailed as failure:
        return _undecided(f"the worker {failure}", worker)
    except ParseError as error:
        return _undecided(f"the worker wrote garbage: {error.message}", worker)
    return output


def parse_output(frame: bytes, *, request: CheckRequest, limits: Limits) -> CheckOutput:
    """Read a worker's answer as hostile input.

    Raises:
        ParseError: For anything that is not strict JSON of a ``CheckOutput`` with measurements of the check asked for.
    """
    what = "its answer"
    try:
        # A cheap first look: the strict parser builds every object before it sees that the shape is wrong.
        with ONE_AT_A_TIME:
            msgspec.json.decode(frame, type=CheckOutput)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"{what} is not acceptable: {error}") from None
    output = _json.parse(frame, CheckOutput, what=what, max_bytes=limits.output)
    if output.measurements is not None:
        measured = str(output.measurements.__struct_config__.tag)
        if measured != request.check.value:
            raise ParseError(f"{what} has measurements of {measured}, asked for was {request.check.value}")
    if output.measurements is None and not output.undecided:
        raise ParseError(f"{what} has no measurements and does not say why")
    return output


def _undecided(reason: str, worker: WorkerProcess) -> CheckOutput:
    # Killed first, so that all it wrote is there to be quoted and nothing more is written.
    worker.kill()
    text = _printable(reason)[:_QUOTED] + _quoted(worker.stderr)
    return CheckOutput(undecided=(Undecided(location=_LOCATION, reason=text, code=STOPPED.id, remedy=STOPPED.remedy),))


def _quoted(stderr: bytearray) -> str:
    text = _printable(bytes(stderr).decode("utf-8", errors="replace")).strip()
    return f"; the end of what it printed: {text[-_QUOTED:]!r}" if text else ""


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
