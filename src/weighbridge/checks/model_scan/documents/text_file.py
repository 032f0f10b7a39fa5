"""Text files: harmless when they are only that."""

from __future__ import annotations

import codecs
import re
from typing import Final

from weighbridge.checks.model_scan.report import RefusedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_PAGE: Final = re.compile(r"\s*<(?:!doctype\s+html|html|head|body|script|svg|iframe|\?php|%@)\b", re.IGNORECASE)
_SCRIPT: Final = re.compile(
    r"<\s*script\b[^<>]*>|<\?php\b|<[a-z]{1,20}\b[^<>\n]{0,200}[\s\"'/]on[a-z]{3,20}\s*=\s*[\"'\w]"
    r"|\b(?:href|src|action|data)\s*=\s*[\"']?\s*javascript:|\]\(\s*javascript:",
    re.IGNORECASE,
)
"""A script of a page, an element that runs one when something happens, or a link to one."""

_OVERLAP: Final = 256
"""Letters of the piece before that are looked at again, since a tag may lie across two pieces."""


def scan_text(scan: Scan, source: Source, location: str) -> None:
    """Scan a text file in pieces: UTF-8, no control characters, no web page or script.

    Raises:
        RefusedError: It is not plain text.
    """
    del scan, location
    decoder = codecs.getincrementaldecoder("utf-8")()
    place = 0
    before = ""
    try:
        for chunk in source.chunks():
            piece = decoder.decode(chunk)
            if _CONTROL.search(piece):
                raise RefusedError("format-mismatch", "a text file holds control characters", offset=place)
            if place == 0:
                _refuse_beginning(piece.removeprefix("\ufeff"))
            if _SCRIPT.search(before + piece):
                raise RefusedError(
                    "code-in-model", "the text holds a script of a web page", offset=place, severity="critical"
                )
            before = piece[-_OVERLAP:]
            place += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise RefusedError("format-mismatch", "a text file is not UTF-8", offset=place) from None


def _refuse_beginning(piece: str) -> None:
    if piece.startswith("#!") or _PAGE.match(piece):
        kind = "script" if piece.startswith("#!") else "web page"
        raise RefusedError("code-in-model", f"the text is a {kind}", offset=0, severity="critical")
