"""The program that runs in a worker: confine, report, and only then learn what to examine.

Started by ``parent`` as ``python -I -B -m weighbridge.checks.worker.child``. It takes no argument: which module
examines is a matter of this program and the name of the check, never of data.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from types import TracebackType
from typing import Final

from weighbridge.checks.interface import MODULES, CheckOutput, CheckRequest
from weighbridge.checks.worker import confine, frames
from weighbridge.checks.worker.reasons import STOPPED
from weighbridge.errors import WeighbridgeError
from weighbridge.evidence.record import CheckName, Undecided

Run = Callable[[CheckRequest], CheckOutput]

_ANSWERS: Final = 1
_MAX_REASON: Final = 2000


def main(find: Callable[[CheckName], Run]) -> None:
    """Serve one request from standard input to the channel of answers, which was standard output.

    Raises:
        OSError, WorkerError: When the process cannot be confined; nothing was examined then.
        ParseError: When the parent does not keep to the order of frames.
    """
    sys.excepthook = _one_line
    # What the check prints must not end up between the frames: standard output becomes standard error.
    answers = os.dup(_ANSWERS)
    os.dup2(sys.stderr.fileno(), _ANSWERS)
    confinement = confine.confine(frames.read(0, frames.Setup, what="the setup"))
    frames.write(answers, frames.encode(confinement))
    request = frames.read(0, CheckRequest, what="the request")
    frames.write(answers, frames.encode(_examine(find, request)))
    os.close(answers)


def run_of(check: CheckName) -> Run:
    """Import the module of a check and return its ``run``."""
    run: Run = import_module(MODULES[check]).run
    return run


def _examine(find: Callable[[CheckName], Run], request: CheckRequest) -> CheckOutput:
    try:
        return find(request.check)(request)
    except MemoryError:
        return _undecided("the check needed more memory than it may use")
    except RecursionError:
        return _undecided("the check went deeper than it may")
    except WeighbridgeError as error:
        return _undecided(str(error)[:_MAX_REASON])


def _undecided(reason: str) -> CheckOutput:
    place = Undecided(location="worker", reason=reason, code=STOPPED.id, remedy=STOPPED.remedy)
    return CheckOutput(undecided=(place,))


def _one_line(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
    # The parent quotes the end of standard error to a person, who can do nothing with a traceback.
    sys.stderr.write(f"{kind.__name__}: {error}\n")


if __name__ == "__main__":
    main(run_of)
