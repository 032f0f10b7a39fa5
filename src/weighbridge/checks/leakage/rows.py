"""Compare rows by their bytes: of two data files with each other, and of a data file with the arrays in a model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_NUMERIC: Final = "fiub"


def row_keys(table: Array, *, precision: type[np.floating[Any]] = np.float32) -> list[bytes]:
    """Return each row's values as bytes after a cast, so that a row kept as double equals the same kept as single."""
    with np.errstate(over="ignore", invalid="ignore"):
        cast = np.ascontiguousarray(table.astype(precision).astype(np.float32))
    cast += 0.0  # -0.0 becomes 0.0
    return [row.tobytes() for row in cast]


def common_rows(first: Array, second: Array) -> int:
    """Return how many rows of the second table also stand in the first."""
    known = set(row_keys(first))
    return sum(key in known for key in row_keys(second))


def tables(array: Array, features: int) -> Iterator[Array]:
    """Return the ways in which an array may hold examples: as rows, as columns, with further dimensions, or flat."""
    if array.dtype.kind not in _NUMERIC or array.size < features or features < 1:
        return
    if array.ndim == 1:
        if array.size % features == 0:
            yield array.reshape(-1, features)
            yield array.reshape(features, -1).T
        return
    if array.ndim >= 2 and math.prod(array.shape[1:]) == features:  # noqa: PLR2004
        yield array.reshape(len(array), features)
    if array.ndim == 2 and array.shape[0] == features:  # noqa: PLR2004
        yield array.T


class RowIndex:
    """The rows of a data set, ready to be looked for; rows of one repeated value are left out, they prove nothing.

    ``rows`` are the numbers of those that are looked for.
    """

    def __init__(self, table: Array) -> None:
        """Index the rows in single and half precision."""
        self.features = table.shape[1]
        telling = np.flatnonzero((table != table[:, :1]).any(axis=1))
        self.rows = telling.tolist()
        self._single = _places(row_keys(table[telling]), telling)
        self._half = _places(row_keys(table[telling], precision=np.float16), telling)

    def found_in(self, arrays: Iterable[Array]) -> set[int]:
        """Return the numbers of the rows that stand in any of the arrays."""
        found: set[int] = set()
        for array in arrays:
            index = self._half if array.dtype == np.float16 else self._single
            for table in tables(array, self.features):
                for key in row_keys(table):
                    found.update(index.get(key, ()))
        return found


def _places(keys: list[bytes], numbers: NDArray[np.intp]) -> dict[bytes, list[int]]:
    index: dict[bytes, list[int]] = {}
    for key, number in zip(keys, numbers.tolist(), strict=True):
        index.setdefault(key, []).append(number)
    return index
