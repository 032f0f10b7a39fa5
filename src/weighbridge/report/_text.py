"""Make hostile text harmless to look at: no control, bidirectional or invisible characters, and not without end."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

MAX_SHOWN: Final = 600
"""Characters of one text from evidence that a report shows."""

_HOSTILE: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})
"""Unicode categories that are never written as they are.

Control characters drive terminals, format characters reorder or hide text (Boucher and Anderson, "Trojan Source",
2021), surrogates cannot be encoded, and what is unassigned or private means nothing to a reader.
"""

_PLAIN: Final = re.compile(r"[ -~]*")
_DIGESTS: Final = re.compile(r"\b((?:dirHash|sha256):)([0-9a-f]{12})[0-9a-f]{52}\b")
_SPACES: Final = re.compile(r"[ \t\r\n\v\f]+")


@lru_cache(maxsize=4096)
def _shown(character: str) -> str:
    if character == "\n" or unicodedata.category(character) not in _HOSTILE:
        return character
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004


def clean_block(text: str) -> str:
    """Return the text with every character that is not plainly visible written as an escape; line breaks stay."""
    return text if _PLAIN.fullmatch(text) else "".join(map(_shown, text))


def clean(text: str) -> str:
    """Return the text on one line, with every character that is not plainly visible written as an escape."""
    return clean_block(_SPACES.sub(" ", text)).strip(" ")


def cut(text: str, *, limit: int = MAX_SHOWN) -> str:
    """Return the text cleaned and cut to a limit, saying how much is left out.

    A text that is longer by a tenth at most is shown whole: nobody is helped by "3 more characters".
    """
    # Cut before cleaning, since the input may have megabytes; and again after, since one character may become ten.
    room = limit + limit // 10
    whole = clean(text[: room + 1])
    if len(text) <= room and len(whole) <= room:
        return whole
    shown = clean(text[:limit])[:limit]
    missing = len(text) - limit
    return f"{shown}… ({missing} more characters)" if missing > 0 else f"{shown}…"


def plural(count: int, noun: str, *, nouns: str = "") -> str:
    """Return a count with its noun: ``1 file``, ``2 files``."""
    return f"{count} {noun}" if count == 1 else f"{count} {nouns or noun + 's'}"


def short_digests(text: str) -> str:
    """Return a text whose sha256 and dirHash digests are cut to their first twelve digits, for people to read.

    Never compare by them: who has to compare finds them whole in the JSON, in the evidence and at the head of a page.
    """
    return _DIGESTS.sub(r"\1\2…", text)
