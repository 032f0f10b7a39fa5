"""Stop as Ctrl-C does when a supervisor, a pipeline or a closed terminal asks for it."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Final

ASKED_TO_STOP: Final = (signal.SIGTERM, signal.SIGHUP)
"""Signals whose default would end this process with its workers' scratch directories left behind."""

_received: list[int] = []


def stop_cleanly() -> None:
    """Let these signals end a command as Ctrl-C does: workers and temporary files are gone before it exits.

    A signal that the caller had ignored stays ignored, as POSIX asks: a shell without job control starts what is in
    the background without SIGINT, and ``nohup`` without SIGHUP. The first process of a container is told by this too;
    the kernel has no default for it.
    """
    for number in ASKED_TO_STOP:
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _stop)
    # Ignored by a caller, it would have the kernel forget how a worker ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def exit_code() -> int:
    """Return what a shell expects of a command that a signal ended: 128 and the signal's number."""
    return 128 + (_received[0] if _received else signal.SIGINT)


def _stop(number: int, _: FrameType | None) -> None:
    # Once: a second one would break off the tidying up. Who cannot wait has SIGKILL, which workers do not survive.
    for asked in ASKED_TO_STOP:
        signal.signal(asked, signal.SIG_IGN)
    _received.append(number)
    raise KeyboardInterrupt
