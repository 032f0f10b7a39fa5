"""A progress bar on standard error for work that takes longer than a second, and nothing where nobody looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE: Final = 1.0
"""Seconds before a bar appears."""


class BytesBar:
    """Shows how many bytes were read; made for ``weighbridge.model.digest.Progress``."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._started = time.monotonic()
        self._lock = Lock()
        self._total = self._done = 0
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def total(self, size: int, /) -> None:
        """Take the number of bytes that there are."""
        self._total = size

    def advance(self, size: int, /) -> None:
        """Take the number of bytes that were just read, and show the bar when it has been a while."""
        with self._lock:
            self._done += size
            if self._bar is None:
                if time.monotonic() - self._started < PATIENCE:
                    return
                self._start()
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, completed=self._done)

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(self._label, total=self._total)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


def somebody_looks() -> bool:
    """Tell whether standard error is a terminal; there is none where the caller closed it."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def bytes_progress(label: str) -> Iterator[BytesBar | None]:
    """Give a bar for reading bytes, or None when standard error is not a terminal."""
    if not somebody_looks():
        yield None
        return
    bar = BytesBar(label)
    try:
        yield bar
    finally:
        bar.stop()


@contextmanager
def working(label: str) -> Iterator[None]:
    """Show that something is under way whose length is not known; nothing when nobody looks."""
    if not somebody_looks():
        yield
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        bar.add_task(label, total=None)
        yield
