"""Read labelled examples from an ``.npz`` file that nobody vouches for.

The format is that of ``numpy.savez``: a zip of ``.npy`` members (NEP 1). Object arrays are pickles in disguise and
are refused before anything of them is read; sizes come from the headers and are checked before memory is taken.
"""

from __future__ import annotations

import hashlib
import io
import math
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weighbridge._files import open_regular
from weighbridge.checks.runners.distinct import count_distinct
from weighbridge.checks.runners.interface import Floats, Labels
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import Input

LABELS: Final = "Labels are whole-number indices of classes: 0, 1, 2 and so on."
"""What to do about labels of another type."""

MAX_DATA_BYTES: Final = 1024**3
"""Largest data file, and largest array once unpacked."""

MAX_ROWS: Final = 1_000_000
"""Most examples in one file."""

MAX_FEATURES: Final = 1_000_000
"""Most numbers in one example."""

_MAX_HEADER: Final = 10_000
_MIN_HEADER: Final = 16
_PREFIXES: Final = {b"\x93NUMPY\x01\x00": "<H", b"\x93NUMPY\x02\x00": "<I"}
_HEADER: Final = re.compile(
    rb"\{'descr': '(?P<descr>[<>|=]?[a-zA-Z][0-9]{0,9})', 'fortran_order': (?P<fortran>True|False), "
    rb"'shape': \((?P<shape>(?:[0-9]{1,18}, ?){0,32}(?:[0-9]{1,18})?)\), \} *\n"
)
_X_KINDS: Final = "fiu"
_Y_KINDS: Final = "iu"
_COMPRESSIONS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_MEMBERS: Final = frozenset({"x.npy", "y.npy", "bounds.npy"})
_IMAGE_DIMENSIONS: Final = 3
_CHANNELS: Final = frozenset({1, 3})


class DataError(InputError):
    """A data file is not what its format says, or its rows cannot be used."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled examples: flat rows in ``bounds``, the shape of one example, and the file's identity."""

    x: Floats
    y: Labels
    shape: tuple[int, ...]
    bounds: tuple[float, float]
    source: Input

    @property
    def image(self) -> tuple[int, int, int] | None:
        """Return channels, height and width when an example is a picture, else None."""
        if len(self.shape) == _IMAGE_DIMENSIONS - 1:
            return (1, self.shape[0], self.shape[1])
        if len(self.shape) == _IMAGE_DIMENSIONS and self.shape[0] in _CHANNELS:
            return (self.shape[0], self.shape[1], self.shape[2])
        return None


def read_examples(path: Path) -> Examples:
    """Read ``x``, ``y`` and optional ``bounds`` of a data file.

    Raises:
        DataError: The file cannot be read, is too large, holds other members, objects, values that are not finite
            or outside the bounds, or rows and labels that do not belong together.
    """
    blob = _read_bytes(path)
    arrays = _read_members(blob, path.name)
    x, y = arrays["x.npy"], arrays["y.npy"]
    what = path.name
    if x.ndim < 2 or x.dtype.kind not in _X_KINDS:  # noqa: PLR2004
        raise DataError(f"x of {what} has shape {x.shape} and type {x.dtype}, expected numeric (rows, features...)")
    if y.ndim != 1 or y.dtype.kind not in _Y_KINDS:
        raise DataError(
            f"y of {what} has shape {y.shape} and type {y.dtype}, expected one integer label a row", remedy=LABELS
        )
    if len(x) != len(y) or not 1 <= len(x) <= MAX_ROWS:
        raise DataError(f"{what} has {len(x)} rows and {len(y)} labels, expected as many, 1 to {MAX_ROWS}")
    features = math.prod(x.shape[1:])
    if not 1 <= features <= MAX_FEATURES:
        raise DataError(f"an example of {what} has {features} numbers, expected 1 to {MAX_FEATURES}")
    if y.dtype.kind == "u" and int(y.max()) > np.iinfo(np.int64).max:
        raise DataError(f"a label of {what} does not fit 64 bits")
    bounds = _bounds(arrays.get("bounds.npy"), what)
    rows = np.ascontiguousarray(x.reshape(len(x), features).astype(np.float64))
    if not np.isfinite(rows).all():
        raise DataError(f"x of {what} has values that are not finite")
    if rows.min() < bounds[0] or rows.max() > bounds[1]:
        raise DataError(
            f"x of {what} lies in [{rows.min():g}, {rows.max():g}], outside the bounds [{bounds[0]:g}, {bounds[1]:g}]",
            remedy="Store the true bounds of the inputs as a third array named bounds.",
        )
    source = Input(
        name=what,
        sha256=hashlib.sha256(blob).hexdigest(),
        rows=len(x),
        size=len(blob),
        kind="npz",
        distinct=count_distinct(rows, bounds),
        bounds=bounds,
    )
    return Examples(x=rows, y=y.astype(np.int64), shape=x.shape[1:], bounds=bounds, source=source)


def _read_bytes(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            blob = file.read(MAX_DATA_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}") from None
    if len(blob) > MAX_DATA_BYTES:
        raise DataError(f"{path.name} has more than {MAX_DATA_BYTES} bytes")
    return blob


def _read_members(blob: bytes, what: str) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names) or not {"x.npy", "y.npy"} <= set(names) <= _MEMBERS:
                found = (
                    ", ".join(ascii(name.removesuffix(".npy"))[1:-1][:40] for name in sorted(names)[:8]) or "nothing"
                )
                raise DataError(
                    f"{what} holds {found}; expected x, y and at most bounds",
                    remedy="Write it with numpy.savez(path, x=examples, y=labels).",
                )
            if any(entry.compress_type not in _COMPRESSIONS for entry in entries):
                raise DataError(f"{what} is compressed in a way that numpy does not use")
            return {entry.filename: _read_array(archive, entry, what) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, RuntimeError, EOFError, OSError) as error:
        raise DataError(f"{what} is not an npz file: {error}") from None


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, what: str) -> NDArray[Any]:
    if entry.file_size > MAX_DATA_BYTES:
        raise DataError(f"{entry.filename} of {what} unpacks to {entry.file_size} bytes; at most {MAX_DATA_BYTES}")
    with archive.open(entry) as stream:
        content = stream.read(MAX_DATA_BYTES + 1)
    shape, fortran, dtype, start = _read_header(content, f"{entry.filename} of {what}")
    if dtype.hasobject or dtype.kind not in _X_KINDS:
        remedy = LABELS if entry.filename == "y.npy" else "Store numbers, not objects or text."
        raise DataError(f"{entry.filename} of {what} has type {dtype}, expected plain numbers", remedy=remedy)
    count = math.prod(shape)
    if len(content) - start != count * dtype.itemsize:
        raise DataError(f"{entry.filename} of {what} has {len(content) - start} bytes of data for shape {shape}")
    if dtype.itemsize > 8:  # noqa: PLR2004
        raise DataError(f"{entry.filename} of {what} has type {dtype}, wider than 64 bits")
    flat: NDArray[Any] = np.frombuffer(content, dtype=dtype, offset=start, count=count)
    return flat.reshape(shape, order="F" if fortran else "C")


def _read_header(content: bytes, what: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    # numpy's own reader evaluates a literal and repairs what Python 2 wrote; numpy has written this one form since.
    form = _PREFIXES.get(content[:8])
    end = 8 + struct.calcsize(form) if form is not None and len(content) >= _MIN_HEADER else 0
    length = struct.unpack(form, content[8:end])[0] if form is not None and end else 0
    header = _HEADER.fullmatch(content[end : end + length]) if 0 < length <= _MAX_HEADER else None
    if header is None:
        raise DataError(f"{what} has no proper npy header, versions 1.0 or 2.0")
    try:
        dtype = np.dtype(header["descr"].decode("ascii"))
    except (TypeError, ValueError):
        raise DataError(f"{what} has an unknown type, expected plain numbers") from None
    shape = tuple(int(length) for length in header["shape"].split(b",") if length.strip())
    return shape, header["fortran"] == b"True", dtype, end + length


def _bounds(array: NDArray[Any] | None, what: str) -> tuple[float, float]:
    if array is None:
        return (0.0, 1.0)
    if array.shape != (2,):
        raise DataError(f"bounds of {what} has shape {array.shape}, expected two numbers")
    low, high = float(array[0]), float(array[1])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise DataError(f"bounds of {what} are {low} and {high}, expected two finite numbers, the lower first")
    return (low, high)
