"""What is said of bytes that were recognised and that no parser reads: what they are, how that was seen, what helps."""

from __future__ import annotations

import re
from typing import Final

EXPECTED: Final = (
    "expected is what has one: pickle, joblib, torch, zip, npy, safetensors, ONNX, UBJSON, JSON, YAML, Jinja or text"
)
"""What the scan would have judged."""

UNKNOWN: Final = (
    "nothing in its bytes says what it is: no magic number, no text, no pickle, no ONNX, and by that a parser is "
    f"chosen; {EXPECTED}"
)
"""What is said of raw bytes."""

_SETTINGS: Final = "no-parser-settings"
_ARCHIVE: Final = "no-parser-archive"
_MEDIA: Final = "no-parser-media"
_GRAPH: Final = "no-parser-tensorflow"

_UNREAD: Final[dict[str, tuple[str, str]]] = {
    "hdf5": ("no-parser-hdf5", "an HDF5 file, as Keras writes, by its signature"),
    "gguf": ("no-parser-gguf", "a GGUF file, by its magic number"),
    "tar": ("no-parser-tar", "a tar archive, by the checksum of its first header"),
    "7z": (_ARCHIVE, "a 7z archive, by its magic number"),
    "rar": (_ARCHIVE, "a rar archive, by its magic number"),
    "lz4": ("no-parser-lz4", "an lz4 stream, by its magic number"),
    "zstd": ("no-parser-zstd", "a Zstandard stream, by its magic number"),
    "tflite": ("no-parser-tflite", "a TFLite model, by its identifier"),
    "saved-model": (_GRAPH, "a SavedModel of TensorFlow, by its first fields"),
    "graph-def": (_GRAPH, "a graph of TensorFlow, by its first node"),
    "sentencepiece": ("no-parser-sentencepiece", "a SentencePiece model, by its first piece"),
    "png": (_MEDIA, "a PNG picture, by its magic number"),
    "jpeg": (_MEDIA, "a JPEG picture, by its magic number"),
    "gif": (_MEDIA, "a GIF picture, by its magic number"),
    "webp": (_MEDIA, "a WebP picture, by its magic number"),
    "wave": (_MEDIA, "a sound file, by its magic number"),
    "pdf": (_MEDIA, "a PDF document, by its magic number"),
    "sqlite": (_MEDIA, "an SQLite database, by its magic number"),
    "parquet": (_MEDIA, "a Parquet table, by its magic number"),
    "arrow": (_MEDIA, "an Arrow table, by its magic number"),
    "toml": (_SETTINGS, "text, and TOML by its name"),
    "ini": (_SETTINGS, "text, and settings of sections by its name"),
    "xml": (_SETTINGS, "text, and XML by its beginning or its name"),
    "html": (_SETTINGS, "text, and a web page by its name"),
    "program": (_SETTINGS, "text, and by its name what a program of some language is called"),
}

_HINTS: Final[tuple[tuple[re.Pattern[bytes], str], ...]] = tuple(
    (re.compile(pattern, re.DOTALL), kind)
    for pattern, kind in (
        (rb".{4}TFL3", "tflite"),
        (rb"\x89PNG\r\n\x1a\n", "png"),
        (rb"\xff\xd8\xff[\xdb\xe0-\xef]", "jpeg"),
        (rb"GIF8[79]a", "gif"),
        (rb"RIFF.{4}WEBP", "webp"),
        (rb"RIFF.{4}WAVE", "wave"),
        (rb"%PDF-\d", "pdf"),
        (rb"SQLite format 3\x00", "sqlite"),
        (rb"PAR1", "parquet"),
        (rb"ARROW1\x00\x00", "arrow"),
        # Protobuf has no magic number; these are the first fields that each program's writer makes.
        (rb"\x08\x01\x12[\x80-\xff]{0,4}[\x00-\x7f]\x0a", "saved-model"),
        (rb"\x0a[\x80-\xff]{0,4}[\x00-\x7f]\x0a.[\w./-]{1,127}\x12.[A-Z]\w+", "graph-def"),
        (rb"\x0a[\x05-\x7f]\x0a.[^\x00-\x08]{1,120}?\x15.{4}", "sentencepiece"),
    )
)


UNSURE: Final = frozenset({"unknown-bytes", *(_UNREAD[kind][0] for _, kind in _HINTS)})
"""Reasons of bytes that nothing but a look at the first ones tells, so that they may as well be raw numbers."""


def hinted(start: bytes) -> str:
    """Return what first bytes look like that no parser took, or ``unknown``. It decides only what is said of them."""
    return next((kind for pattern, kind in _HINTS if pattern.match(start)), "unknown")


def said_of(kind: str) -> tuple[str, str]:
    """Return the reason and the sentence about bytes of this format."""
    if kind not in _UNREAD:
        return "unknown-bytes", UNKNOWN
    code, what = _UNREAD[kind]
    return code, f"recognised as {what}, and the scan has no parser for it; {EXPECTED}"
