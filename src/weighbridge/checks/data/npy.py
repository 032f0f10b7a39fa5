"""Read ``.npy`` arrays (NEP 1) with a strict reader of our own.

numpy's evaluates the header as Python and may unpickle. Object arrays are pickles in disguise and are refused before
anything of them is read; sizes come from the headers and are checked before memory is taken.
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.data import limits
from weighbridge.checks.data.labels import LABELS, labels_of
from weighbridge.checks.data.limits import DataError
from weighbridge.checks.data.raw import Raw, label_column

NUMBERS: Final = "fiu"
"""Kinds of types that examples may have."""

LABEL_KINDS: Final = "iubfU"
"""Kinds of types that labels may have."""

_MAX_HEADER: Final = 10_000
_MIN_HEADER: Final = 16
_WIDEST: Final = 8
_LAST_CHARACTER: Final = 0x10FFFF
_SURROGATES: Final = (0xD800, 0xDFFF)
_PREFIXES: Final = {b"\x93NUMPY\x01\x00": "<H", b"\x93NUMPY\x02\x00": "<I"}
_TYPE: Final = rb"[<>|=]?[a-zA-Z][0-9]{0,9}"
_FIELD: Final = re.compile(rb"\('(?P<name>[^'\\\n]{1,64})', '(?P<type>" + _TYPE + rb")'\)(?:, |,(?=\])|(?=\]))")
_HEADER: Final = re.compile(
    rb"\{'descr': (?:'(?P<descr>" + _TYPE + rb")'|\[(?P<fields>[^\[\]\n]*\])), "
    rb"'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(?:[0-9]{1,18}, ?){0,32}(?:[0-9]{1,18})?)\), \} *\n"
)


@dataclass(frozen=True, slots=True)
class _Header:
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    start: int


def read_array(content: bytes, *, what: str, kinds: str, remedy: str) -> NDArray[Any]:
    """Return the array of an ``.npy``, of one of these kinds of types.

    Raises:
        DataError: The header is not one that numpy writes, or the array has another type or size.
    """
    header = _read_header(content, what)
    _require_types(header.dtype, what=what, kinds=kinds, remedy=remedy)
    return _array(content, header, what)


def read_table(content: bytes, *, what: str, label: str | None) -> Raw:
    """Read examples from one array that holds the label in a column, by name or position.

    Raises:
        DataError: As ``read_array``; the array is no table; its label column is not known.
    """
    header = _read_header(content, what)
    if header.dtype.names is not None:
        for name in header.dtype.names:
            _require_types(header.dtype[name], what=f"column {name} of {what}", kinds=LABEL_KINDS, remedy=LABELS)
    else:
        _require_types(header.dtype, what=what, kinds=NUMBERS, remedy="Store numbers, not objects or text.")
    if len(header.shape) != (1 if header.dtype.names is not None else 2):
        raise DataError(
            f"{what} is an array of shape {header.shape} without labels",
            remedy="Give a folder that holds x.npy and y.npy, or write numpy.savez(path, x=examples, y=labels).",
        )
    names = header.dtype.names or ()
    place = label_column(names, width=len(names) or header.shape[1], label=label, what=what)
    table = _array(content, header, what)
    if not names:
        return Raw("npy", np.delete(table, place, axis=1), labels_of(table[:, place], what=what), label=str(place))
    others = [name for name in names if name != names[place]]
    text = [name for name in others if table[name].dtype.kind not in NUMBERS + "b"]
    if text:
        raise DataError(f"column {text[0]} of {what} is no number", remedy="Write the numbers that the model is given.")
    x = np.stack([table[name].astype(np.float64) for name in others], axis=1)
    return Raw("npy", x, labels_of(table[names[place]], what=what), label=names[place])


def _array(content: bytes, header: _Header, what: str) -> NDArray[Any]:
    count = math.prod(header.shape)
    if len(content) - header.start != count * header.dtype.itemsize:
        raise DataError(f"{what} has {len(content) - header.start} bytes of data for shape {header.shape}")
    flat: NDArray[Any] = np.frombuffer(content, dtype=header.dtype, offset=header.start, count=count)
    names = header.dtype.names or ()
    for each in [flat[name] for name in names] or [flat]:
        if each.dtype.kind == "U":
            _require_characters(each, what)
    return flat.reshape(header.shape, order="F" if header.fortran else "C")


def _read_header(content: bytes, what: str) -> _Header:
    # numpy's own reader evaluates a literal and repairs what Python 2 wrote; numpy has written this one form since.
    form = _PREFIXES.get(content[:8])
    end = 8 + struct.calcsize(form) if form is not None and len(content) >= _MIN_HEADER else 0
    length = struct.unpack(form, content[8:end])[0] if form is not None and end else 0
    header = _HEADER.fullmatch(content[end : end + length]) if 0 < length <= _MAX_HEADER else None
    if header is None:
        raise DataError(f"{what} has no proper npy header, versions 1.0 or 2.0, of plain numbers or text")
    dtype = _dtype(header["descr"], header["fields"], what)
    shape = tuple(int(length) for length in header["shape"].split(b",") if length.strip())
    return _Header(shape, header["fortran"] == b"True", dtype, end + length)


def _dtype(descr: bytes | None, fields: bytes | None, what: str) -> np.dtype[Any]:
    try:
        if descr is not None:
            return np.dtype(descr.decode("ascii"))
        found, place = [], 0
        assert fields is not None  # noqa: S101 - the header has one of both
        while fields[place:] != b"]":
            field = _FIELD.match(fields, place)
            if field is None:
                raise DataError(f"{what} has columns that are not plain numbers or text")
            found.append((field["name"].decode("utf-8"), field["type"].decode("ascii")))
            place = field.end()
        return np.dtype(found)
    except (TypeError, ValueError):
        raise DataError(f"{what} has an unknown type, expected plain numbers") from None


def _require_types(dtype: np.dtype[Any], *, what: str, kinds: str, remedy: str) -> None:
    if dtype.hasobject or dtype.kind not in kinds:
        raise DataError(f"{what} has type {dtype}, expected plain numbers", remedy=remedy)
    if dtype.kind == "U" and dtype.itemsize > 4 * limits.MAX_LABEL:
        raise DataError(f"{what} has type {dtype}; at most {limits.MAX_LABEL} characters are read", remedy=remedy)
    if dtype.kind != "U" and dtype.itemsize > _WIDEST:
        raise DataError(f"{what} has type {dtype}, wider than 64 bits")


def _require_characters(array: NDArray[Any], what: str) -> None:
    # Nobody has looked whether these numbers are characters, and Python's text may hold no others.
    codes = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))).view(np.uint32)
    if codes.size and bool(((codes > _LAST_CHARACTER) | ((codes >= _SURROGATES[0]) & (codes <= _SURROGATES[1]))).any()):
        raise DataError(f"{what} has text that is no Unicode", remedy=LABELS)
