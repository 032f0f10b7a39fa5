"""JSON files: read as Python reads them, and judged by their role."""

from __future__ import annotations

import codecs
from typing import Final

from weighbridge.checks.model_scan.documents.json_walk import walk
from weighbridge.checks.model_scan.documents.judge import judge
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source

MAX_JSON: Final = 64 * 1024**2
"""Largest JSON file that is read; the largest tokenizer in common use has 34 MB."""


def scan_json(scan: Scan, source: Source, location: str) -> None:
    """Scan a JSON file: what Python's reader takes, and nothing in it that makes a library import or call code.

    Raises:
        RefusedError: It is not JSON.
        UndecidedError: It is too large, or nests too deeply.
    """
    judge(scan, walk(read_text(source, limit=MAX_JSON)), location)


def read_text(source: Source, *, limit: int) -> bytearray:
    """Return the bytes of a document, which are UTF-8.

    Raises:
        RefusedError: They are not.
        UndecidedError: There are more than ``limit``.
    """
    data = bytearray()
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in source.chunks():
            decoder.decode(chunk)
            data += chunk
            if len(data) > limit:
                raise UndecidedError("document-too-large", f"the document has more than {limit} bytes")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise RefusedError("format-mismatch", "the document is not UTF-8", offset=len(data)) from None
    return data
