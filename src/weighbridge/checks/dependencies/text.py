"""Text from files that nobody vouches for, made fit for a terminal and for evidence."""

from __future__ import annotations

from typing import Final

MAX_SHOWN: Final = 600
"""Longest piece of foreign text that is repeated in a message, in characters."""


def plain(text: str, *, limit: int = MAX_SHOWN) -> str:
    """Return text with control characters and lone surrogates escaped, cut to a length.

    A summary or a file name may carry terminal escapes or line breaks; repeated as they are they could forge a
    line of the report.
    """
    start = text[: limit + 1]
    shown = start if start.isprintable() else "".join(map(_shown, start))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character in "\n\r\t" else f"\\u{{{ord(character):x}}}"
