"""Say which files of a model nobody measured, though one of them may be what is served.

A model may hold more than one file that could answer for it, and a robust one beside the one that is served says
nothing of that. So what was measured is the entries and what they read. Beside them only short text that people read
may lie: licences, descriptions, settings, labels. Whatever else is there is undecided, whatever its name; models and
tables of training rows are written as text, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from typing import Final

from weighbridge.checks.interface import ModelFile
from weighbridge.checks.reading import read_whole
from weighbridge.checks.runners.prose import why_not_prose
from weighbridge.checks.runners.reasons import left_open
from weighbridge.evidence.record import Undecided

MAX_TEXT_BYTES: Final = 256 * 1024
"""Longest text that may lie beside what is measured."""

_REMEDY: Final = (
    "Leave it out of the model, or make a model of its own of it, with evidence of its own; numbers that are settings "
    "can go into the file that is measured"
)
_SERVED: Final = re.compile(
    r"(?:saved_model|graph|graph_def|model)\.(?:pbtxt|textproto)|model\.(?:json|txt|xml|ubj)|.*\.(?:pmml|prototxt|mojo)",
    re.IGNORECASE,
)
"""Names under which models in text are looked for by those who serve them."""

_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def unmeasured(files: Iterable[ModelFile], measured: Set[str]) -> tuple[Undecided, ...]:
    """Return an undecided place for each file that was not measured and is no text that people read.

    ``measured`` are names. Each place says what the file has that such text has not, and what to do.
    """
    reasons = ((file, _why_undecided(file)) for file in files if file.name not in measured)
    return tuple(
        left_open(
            "file-not-measured",
            f"this file was not measured, and it may be what is served or training rows: it {reason}",
            location=file.name,
            remedy=_REMEDY,
        )
        for file, reason in reasons
        if reason is not None
    )


def _why_undecided(file: ModelFile) -> str | None:
    if _SERVED.fullmatch(file.name.rpartition("/")[2]):
        return "has the name of a model that is written as text"
    if file.size > MAX_TEXT_BYTES:
        return f"has {file.size} bytes, more than the {MAX_TEXT_BYTES} of a text that people read"
    try:
        text = read_whole(file, limit=MAX_TEXT_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return "is no text"
    return "is no text" if _NO_TEXT.search(text) else why_not_prose(text)
