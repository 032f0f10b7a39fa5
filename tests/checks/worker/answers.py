"""How the tests read what a worker said."""

from __future__ import annotations

from weighbridge.checks.worker.parent import Examination


def told(examination: Examination) -> str:
    """Return the one thing that a worker said, or that was said of it."""
    (undecided,) = examination.output.undecided
    return undecided.reason
