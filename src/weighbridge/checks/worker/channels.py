"""What parent and worker talk through: sockets without a name, that nobody else can open.

A pipe can be opened again by way of ``/proc/PID/fd`` by whoever may look into one of the two processes, to drain it and
to write another answer. The kernel refuses that for a socket (``ENXIO``, ``no_open`` in fs/inode.c). Each channel goes
one way, so that nothing comes back on it.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Channels:
    """One side's ends: ``requests`` to the worker, ``answers`` from it, and the ``text`` that it prints."""

    requests: socket.socket
    answers: socket.socket
    text: socket.socket

    @classmethod
    def pair(cls) -> tuple[Self, Self]:
        """Return the parent's ends and the worker's. Only the parent's end of the requests never waits.

        Raises:
            OSError: When this process may open no more.
        """
        with contextlib.ExitStack() as undo:
            pairs = []
            for _ in range(3):
                pair = socket.socketpair()
                pairs.append(pair)
                for end in pair:
                    undo.callback(end.close)
            ours, theirs = (cls(*ends) for ends in zip(*pairs, strict=True))
            ours.requests.shutdown(socket.SHUT_RD)
            ours.answers.shutdown(socket.SHUT_WR)
            ours.text.shutdown(socket.SHUT_WR)
            ours.requests.setblocking(False)
            undo.pop_all()
        return ours, theirs

    def close(self) -> None:
        """Close all three ends, however often."""
        for end in (self.requests, self.answers, self.text):
            with contextlib.suppress(OSError):
                end.close()
