"""NumPy's array files (format 1.0 to 3.0): a literal header, then raw numbers, or a pickle for objects."""

from __future__ import annotations

import ast
import math
import re
from typing import Final

from weighbridge.checks.model_scan.pickle.rules.arrays import MAX_EMPTY
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import RefusedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Part, Source

MAX_HEADER: Final = 65_536
"""Longest header; numpy itself refuses more than 10,000 characters unless told otherwise."""

_DESCR: Final = re.compile(r"[<>|=]?([biufcmMSUVO])(\d{0,9})(\[[0-9A-Za-z/]{1,12}\])?")
_MAX_NESTING: Final = 8


def scan_npy(scan: Scan, source: Source, location: str) -> None:
    """Scan an array file: header, exact length, and the pickle of an object array.

    Raises:
        RefusedError: It is no array file, or longer or shorter than its header says.
    """
    reader = Reader(source)
    if reader.read(6) != b"\x93NUMPY":
        raise RefusedError("malformed-npy", "the file does not begin as a numpy array", offset=0)
    major, minor = reader.read(2)
    if (major, minor) not in ((1, 0), (2, 0), (3, 0)):
        raise RefusedError("malformed-npy", f"array format {major}.{minor} does not exist", offset=6)
    length = int.from_bytes(reader.read(2 if major == 1 else 4), "little")
    if length > MAX_HEADER:
        raise RefusedError("malformed-npy", f"the header has {length} bytes", offset=8)
    shape, objects, size = _header(reader.read(length))
    start = reader.tell()
    if objects:
        from weighbridge.checks.model_scan.pickle_scan import scan_pickle

        scan_pickle(scan.deeper(), Part(source, start=start), f"{location}!objects")
        return
    if not size and math.prod(shape) > MAX_EMPTY:
        raise RefusedError("object-bomb", "the array has more elements of no bytes than any array", offset=8)
    reader.skip(math.prod(shape) * size)
    if not reader.at_end():
        raise RefusedError("trailing-bytes", "bytes follow the array", offset=reader.tell())


def _header(data: bytes) -> tuple[tuple[int, ...], bool, int]:
    try:
        header = ast.literal_eval(data.decode("utf-8").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise RefusedError("malformed-npy", f"the header is no literal: {type(error).__name__}", offset=8) from None
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise RefusedError("malformed-npy", "the header has not exactly descr, fortran_order and shape", offset=8)
    shape = header["shape"]
    if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 1 << 48 for n in shape):
        raise RefusedError("malformed-npy", "the shape is not of whole numbers", offset=8)
    if type(header["fortran_order"]) is not bool:
        raise RefusedError("malformed-npy", "fortran_order is not a boolean", offset=8)
    objects, size = _element(header["descr"], 0)
    return shape, objects, size


def _element(descr: object, depth: int) -> tuple[bool, int]:
    match = _DESCR.fullmatch(descr) if isinstance(descr, str) else None
    if match is not None and match[1] == "O":
        return True, 0
    if match is not None and match[1] in "mM" and not match[3]:
        raise RefusedError("malformed-npy", "a date has no unit, for which numpy itself crashes", offset=8)
    if match is not None and match[2]:
        return False, int(match[2]) * (4 if match[1] == "U" else 1)
    if not isinstance(descr, list) or depth > _MAX_NESTING or not descr:
        raise RefusedError("malformed-npy", "the element type is not known", offset=8)
    objects, size = False, 0
    for field in descr:
        if not isinstance(field, tuple) or len(field) not in (2, 3):
            raise RefusedError("malformed-npy", "a field of the element type is not known", offset=8)
        inner_objects, inner_size = _element(field[1], depth + 1)
        lengths = field[2] if len(field) == 3 else ()  # noqa: PLR2004
        lengths = lengths if isinstance(lengths, tuple) else (lengths,)
        if not all(type(n) is int and n >= 0 for n in lengths):
            raise RefusedError("malformed-npy", "a field has a shape that is not of whole numbers", offset=8)
        objects = objects or inner_objects
        size += inner_size * math.prod(lengths)
    return objects, size
