"""Read labelled examples from an ``.npz`` file, or from a folder with the same arrays as ``.npy`` files.

The format is that of ``numpy.savez``: a zip of ``.npy`` members.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any, Final

from numpy.typing import NDArray

from weighbridge.checks.data import limits
from weighbridge.checks.data.labels import LABELS, labels_of
from weighbridge.checks.data.limits import DataError, listed
from weighbridge.checks.data.npy import LABEL_KINDS, NUMBERS, read_array
from weighbridge.checks.data.raw import Raw, refuse_label
from weighbridge.checks.data.source import Folder

MEMBERS: Final = frozenset({"x.npy", "y.npy", "bounds.npy"})
"""What a folder of arrays and an ``.npz`` hold, and nothing else."""

_COMPRESSIONS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_SAVEZ: Final = "Write it with numpy.savez(path, x=examples, y=labels)."


def read_npz(blob: bytes, *, what: str, label: str | None) -> Raw:
    """Read ``x``, ``y`` and optional ``bounds``.

    Raises:
        DataError: It is not an npz, holds other members or objects, or arrays that are too large.
    """
    refuse_label(label, what=what, instead="its labels are the array y")
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            if len(set(names)) != len(names) or not {"x.npy", "y.npy"} <= set(names) <= MEMBERS:
                raise DataError(
                    f"{what} holds {_found(names)}; expected x, y and at most bounds", remedy=_remedy(set(names))
                )
            if any(entry.compress_type not in _COMPRESSIONS for entry in entries):
                raise DataError(f"{what} is compressed in a way that numpy does not use")
            return _raw({entry.filename: _read(archive, entry, what) for entry in entries}, kind="npz", what=what)
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, RuntimeError, EOFError, OSError) as error:
        raise DataError(f"{what} is not an npz file: {error}") from None


def read_arrays(folder: Folder, *, label: str | None) -> Raw:
    """Read ``x.npy``, ``y.npy`` and optional ``bounds.npy`` of a folder.

    Raises:
        DataError: As ``read_npz``.
    """
    what = folder.path.name
    refuse_label(label, what=what, instead="its labels are in y.npy")
    arrays = {name: _typed(folder.read(name), name, what) for name in folder.names}
    return _raw(arrays, kind="npy-folder", what=what)


def _found(names: list[str]) -> str:
    return listed([ascii(name.removesuffix(".npy"))[1:-1] for name in sorted(names)])


def _remedy(names: set[str]) -> str:
    if "[Content_Types].xml" in names:
        return "This is a spreadsheet: save it as CSV."
    if "data.pkl" in {name.rpartition("/")[2] for name in names}:
        return "This is a file of torch.save, which is a pickle. " + _SAVEZ
    return _SAVEZ


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, what: str) -> NDArray[Any]:
    most = limits.MAX_DATA_BYTES
    if entry.file_size > most:
        raise DataError(f"{entry.filename} of {what} unpacks to {entry.file_size} bytes; at most {most}")
    with archive.open(entry) as stream:
        return _typed(stream.read(most + 1), entry.filename, what)


def _typed(content: bytes, name: str, what: str) -> NDArray[Any]:
    is_label = name == "y.npy"
    kinds = LABEL_KINDS if is_label else NUMBERS
    remedy = LABELS if is_label else "Store numbers, not objects or text."
    return read_array(content, what=f"{name} of {what}", kinds=kinds, remedy=remedy)


def _raw(arrays: Mapping[str, NDArray[Any]], *, kind: str, what: str) -> Raw:
    x, y = arrays["x.npy"], arrays["y.npy"]
    if x.ndim < 2:  # noqa: PLR2004
        raise DataError(f"x of {what} has shape {x.shape} and type {x.dtype}, expected numeric (rows, features...)")
    if y.ndim != 1:
        raise DataError(
            f"y of {what} has shape {y.shape} and type {y.dtype}, expected one label a row",
            remedy="Labels are class numbers or names, not one column for each class: use labels.argmax(axis=1)."
            if y.ndim == 2 and y.shape[1] > 1  # noqa: PLR2004
            else LABELS,
        )
    bounds = _bounds(arrays.get("bounds.npy"), what)
    return Raw(kind, x, labels_of(y, what=what), label="y", bounds=bounds)


def _bounds(array: NDArray[Any] | None, what: str) -> tuple[float, float] | None:
    if array is None:
        return None
    if array.shape != (2,):
        raise DataError(f"bounds of {what} has shape {array.shape}, expected two numbers")
    low, high = float(array[0]), float(array[1])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise DataError(f"bounds of {what} are {low} and {high}, expected two finite numbers, the lower first")
    return (low, high)
