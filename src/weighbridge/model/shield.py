"""Keep other processes of the same user out of this one while it holds a model, a worker or a key.

Who may look into a process may write its memory, and open its files by way of ``/proc/PID/fd``, change their modes, and
write them (proc(5), ptrace(2)).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from threading import Lock
from typing import Final

from weighbridge import _libc


class Shield:
    """Hold the flag that says who may look into this process.

    The kernel keeps one a process, so the first who needs it sets it, and the last gives back what was before.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._held = 0
        self._before = 0

    @contextlib.contextmanager
    def up(self) -> Iterator[None]:
        """Keep others out until this ends, and every other that was begun meanwhile."""
        with self._lock:
            if not self._held:
                self._before = _libc.prctl(_libc.PR_GET_DUMPABLE)
                _libc.prctl(_libc.PR_SET_DUMPABLE, 0)
            self._held += 1
        try:
            yield
        finally:
            with self._lock:
                self._held -= 1
                if not self._held and self._before == 1:
                    _libc.prctl(_libc.PR_SET_DUMPABLE, 1)


SHIELD: Final = Shield()
