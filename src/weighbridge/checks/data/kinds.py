"""Tell by its first bytes what a data file is; its name says nothing, and pipelines take it away."""

from __future__ import annotations

import enum
from typing import Final

from weighbridge.checks.data.limits import DataError

DELIMITERS: Final = "\t;,"
"""What divides the columns of a table in text."""

HEAD: Final = 16
"""Bytes of a file that tell what it is."""


class Kind(enum.StrEnum):
    """A format that is read."""

    NPZ = "npz"
    NPY = "npy"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW_FILE = "arrow"
    ARROW_STREAM = "arrow-stream"


_MAGIC: Final = (
    (b"PK\x03\x04", Kind.NPZ),
    (b"PK\x05\x06", Kind.NPZ),
    (b"\x93NUMPY", Kind.NPY),
    (b"PAR1", Kind.PARQUET),
    (b"ARROW1", Kind.ARROW_FILE),
    (b"\xff\xff\xff\xff", Kind.ARROW_STREAM),
)

_UNPACK: Final = "Unpack it first, for example with `{}`."
_OTHERS: Final = (
    (b"\x1f\x8b", "compressed with gzip", _UNPACK.format("gunzip -k FILE")),
    (b"BZh", "compressed with bzip2", _UNPACK.format("bunzip2 -k FILE")),
    (b"\xfd7zXZ\x00", "compressed with xz", _UNPACK.format("unxz -k FILE")),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard", _UNPACK.format("unzstd FILE")),
    (b"FEA1", "Feather of version 1", "Write it again with pyarrow.feather.write_feather(table, path, version=2)."),
    (b"\x89HDF", "HDF5", "Write arrays with numpy.savez(path, x=examples, y=labels)."),
    (b"\x89PNG", "one picture", "Give a folder with a folder of pictures for each class."),
    (b"\xff\xd8\xff", "one picture", "Give a folder with a folder of pictures for each class."),
    (b"SQLite format 3", "an SQLite database", "Export the table as CSV."),
    (b"\xff\xfe", "text in UTF-16", "Save it as UTF-8."),
    (b"\xfe\xff", "text in UTF-16", "Save it as UTF-8."),
    (b"\x80", "a pickle, which can run anything and is not loaded", "Write numpy.savez, CSV, Parquet or Arrow."),
    (b"@", "ARFF or something like it", "Save it as CSV."),
    (b"{", "JSON", "Save it as CSV, Parquet or Arrow."),
    (b"[", "JSON", "Save it as CSV, Parquet or Arrow."),
)

FORMATS: Final = (
    "Formats are CSV, Parquet, Arrow or Feather, npz, npy, a folder of pictures, and a data set of Hugging Face on "
    "disk."
)
"""What is read, in words."""


def kind_of(head: bytes, *, name: str) -> Kind:
    """Return the format of a file with these first bytes; what is none of the known and no other is taken for CSV.

    Raises:
        DataError: It is empty, or something that is known and not read.
    """
    if not head:
        raise DataError(f"{name} is empty", remedy=FORMATS)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    for magic, what, remedy in _OTHERS:
        if head.startswith(magic):
            raise DataError(f"{name} is {what}, which is not read as data", remedy=remedy)
    return Kind.CSV


def require_table(blob: bytes, *, name: str) -> None:
    """Return when text may be a table: it is UTF-8 and its first line has columns.

    Raises:
        DataError: Otherwise.
    """
    try:
        first = blob.decode("utf-8-sig").strip().partition("\n")[0]
    except UnicodeDecodeError:
        first = ""
    if "\0" in first or not any(mark in first for mark in DELIMITERS):
        raise DataError(f"{name} has no columns that commas, semicolons or tabs divide", remedy=FORMATS)
