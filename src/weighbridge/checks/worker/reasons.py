"""Why a check gave no answer at all: reasons of its worker, whatever the check."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Reason

STOPPED: Final = Reason(
    id="worker-stopped",
    title="the worker that did the check was stopped or gave no answer",
    meaning=(
        "A check runs in a process of its own, with limits of time, memory and output. One that was stopped, or "
        "answered what is no answer, established nothing, and a model that can bring that about gets no other result."
    ),
    remedy=(
        "run it again where there is more memory and nothing else runs; if it stops again, take out the file that was "
        "examined last, and report the model as a case"
    ),
)

REASONS: Final = (STOPPED,)
"""The reasons of workers."""
