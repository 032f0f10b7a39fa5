"""Say which files of a model nobody measured, though one of them may be what is served.

A model may hold more than one file that could answer for it, and a robust one beside the one that is served says
nothing of that. So what was measured is the entries and what they read. Beside them only text may lie: licences,
settings, vocabularies. Whatever else is there is undecided, whatever its name.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Set
from typing import Final

from weighbridge.checks.interface import ModelFile
from weighbridge.checks.reading import read_whole
from weighbridge.evidence.record import Undecided

MAX_TEXT_BYTES: Final = 16 * 1024**2
"""Longest text that may lie beside what is measured; the tokenizers of large models have about half of it."""

_REASON: Final = (
    "this file was not measured, and it may be what is served: it is no text, and no file that was measured reads it. "
    "Leave it out of the model, or make a model of its own of it, with evidence of its own"
)
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")


def unmeasured(files: Iterable[ModelFile], measured: Set[str]) -> tuple[Undecided, ...]:
    """Return an undecided place for each file that was not measured and is no text; ``measured`` are names."""
    return tuple(
        Undecided(location=file.name, reason=_REASON)
        for file in files
        if file.name not in measured and not _is_text(file)
    )


def _is_text(file: ModelFile) -> bool:
    try:
        content = read_whole(file, limit=MAX_TEXT_BYTES)
        # Not at once: a text's characters need four times its bytes.
        decoder = codecs.getincrementaldecoder("utf-8")()
        step = 1 << 20
        parts = (content[start : start + step] for start in range(0, len(content), step))
        plain = not any(_NO_TEXT.search(decoder.decode(part)) for part in parts)
        decoder.decode(b"", final=True)
    except (OSError, UnicodeDecodeError):
        return False
    return plain and len(content) <= MAX_TEXT_BYTES
