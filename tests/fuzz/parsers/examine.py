"""One run: scan bytes as a file of a format, and hold the scan to its limits."""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import json
import lzma
import pickle
import resource
import time
import zlib
from collections.abc import Iterator
from typing import Final

from weighbridge.checks.model_scan.formats import scan_content
from weighbridge.checks.model_scan.report import FileReport, TooManyNotesError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Memory

SECONDS: Final = 1.0
"""Most CPU time for less than ``MAX_SIZE``."""

MAX_SIZE: Final = 64 * 1024
"""Largest input that is tried."""

GROWTH: Final = 150 * 1024
"""Most memory that one scan may add, in KiB."""

PARSERS: Final = {
    "pickle": "m.pkl",
    "joblib": "m.joblib",
    "npy": "m.npy",
    "npz": "m.npz",
    "zip": "m.zip",
    "torch": "m.pt",
    "safetensors": "m.safetensors",
    "onnx": "m.onnx",
    "json": "config.json",
    "template": "tokenizer_config.json",
    "text": "vocab.txt",
    "packed": "m.pkl.gz",
}
"""The parsers, and the file name by which their bytes reach them."""


class LimitError(AssertionError):
    """A scan took longer, or more memory, than it may."""


def examine(parser: str, data: bytes, *, seconds: float = SECONDS) -> FileReport:
    """Scan bytes in so much CPU time; whatever is raised here is a defect.

    Raises:
        LimitError: It took too long or too much.
    """
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    scan = Scan.start()
    name = PARSERS[parser]
    try:
        scan_content(scan, Memory(data), name, name=name)
    except TooManyNotesError:
        scan.notes.findings.pop()
        scan.notes.cannot_decide("too-many-findings", "more findings than are listed", location=name)
    report = scan.notes.close(path=name, size=len(data), kind=parser, sha256=None)
    spent = time.process_time() - start
    if spent > seconds:
        raise LimitError(f"{parser}: {spent:.1f} s for {len(data)} bytes")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if grown > GROWTH:
        raise LimitError(f"{parser}: {grown} KiB for {len(data)} bytes")
    return report


def seeds(parser: str) -> Iterator[bytes]:
    """Yield files of a format, good and evil, to begin with."""
    name = PARSERS[parser]
    suffix = name[name.index(".") :]
    found = [data for other, data in _files() if other.endswith(suffix)]
    yield from (data for data in (*found, *_made(parser)) if len(data) <= MAX_SIZE)


@functools.cache
def _files() -> list[tuple[str, bytes]]:
    from tests.attacks.models import all_cases
    from tests.checks.model_scan.benign import other_files

    evil = [(case.filename, case.content) for case in all_cases() if case.category != "gadgets"]
    return [*other_files(), *evil]


def _made(parser: str) -> Iterator[bytes]:
    if parser == "packed":
        plain = pickle.dumps({"a": [1, 2.5, "x"]})
        yield from (gzip.compress(plain), bz2.compress(plain), lzma.compress(plain), zlib.compress(plain))
    if parser == "template":
        for template in (
            "{% for m in messages %}{{ m['content'] }}{% endfor %}",
            "{{ ''.__class__ }}",
            "{% set a = 1 %}",
        ):
            yield json.dumps({"chat_template": template}).encode()
    if parser == "npz":
        import numpy as np

        stream = io.BytesIO()
        np.savez(stream, a=np.arange(3), b=np.array(["x", None], dtype=object))
        yield stream.getvalue()
