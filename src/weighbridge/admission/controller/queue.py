"""A queue of keys for workers: a key waits once however often it is added, and is in work once at a time."""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from typing import Final

FIRST_RETRY: Final = 0.1
"""Seconds before a key is tried again after its first failure."""

LONGEST_RETRY: Final = 10.0
"""Seconds before a key is tried again after many failures."""


class WorkQueue:
    """Hands each key to one worker at a time.

    A key that is added while it is in work is handed out again when that work is done, so no change is missed.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ready: deque[str] = deque()
        self._waiting: set[str] = set()
        self._working: set[str] = set()
        self._later: list[tuple[float, str]] = []
        self._failures: dict[str, int] = {}
        self._closed = False

    def __len__(self) -> int:
        """Return how many keys are ready."""
        with self._changed:
            return len(self._waiting)

    def add(self, key: str) -> None:
        """Put a key in."""
        with self._changed:
            self._add(key)

    def add_later(self, key: str, *, seconds: float) -> None:
        """Put a key in after a while."""
        with self._changed:
            heapq.heappush(self._later, (time.monotonic() + seconds, key))
            self._changed.notify()

    def retry(self, key: str) -> None:
        """Put a key in again after a failure: later with each one in a row."""
        with self._changed:
            failures = self._failures.get(key, 0)
            self._failures[key] = failures + 1
        self.add_later(key, seconds=min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** min(failures, 16)))

    def forget(self, key: str) -> None:
        """Forget the failures of a key."""
        with self._changed:
            self._failures.pop(key, None)

    def take(self) -> str | None:
        """Return the next key, waiting for one; nothing once the queue is closed."""
        with self._changed:
            while not self._closed:
                self._promote()
                if self._ready:
                    key = self._ready.popleft()
                    self._waiting.discard(key)
                    self._working.add(key)
                    return key
                self._changed.wait(self._later[0][0] - time.monotonic() if self._later else None)
            return None

    def done(self, key: str) -> None:
        """Say that the work on a key has ended."""
        with self._changed:
            self._working.discard(key)
            if key in self._waiting:
                self._ready.append(key)
                self._changed.notify()

    def close(self) -> None:
        """Send the workers home."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _add(self, key: str) -> None:
        if self._closed or key in self._waiting:
            return
        self._waiting.add(key)
        if key not in self._working:
            self._ready.append(key)
            self._changed.notify()

    def _promote(self) -> None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._add(heapq.heappop(self._later)[1])
