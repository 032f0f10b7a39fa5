"""Make members and non-members: rows to train on, and rows of the same source that are kept out of training."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.data.examples import Examples
from weighbridge.checks.data.labels import LabelColumn, Order
from weighbridge.checks.data.limits import DataError
from weighbridge.checks.leakage.rows import row_keys

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Split:
    """Both sides, as the bytes of ``.npz`` files, with their numbers of rows; ``left_out`` rows are in neither."""

    members: bytes
    non_members: bytes
    rows: tuple[int, int]
    bounds: tuple[float, float]
    left_out: int = 0


def divide(examples: Examples, *, members: float, seed: int) -> Split:
    """Divide data by chance, the same way for the same data and seed, each class by this share.

    Copies of one row come to the same side: a row that was trained on is no non-member, whatever its place.

    Raises:
        DataError: A side would have no rows.
    """
    groups: dict[bytes, list[int]] = {}
    for place, key in enumerate(row_keys(examples.x)):
        groups.setdefault(key, []).append(place)
    by_class: dict[int, list[list[int]]] = {}
    for rows in groups.values():
        by_class.setdefault(int(examples.y.numbers[rows[0]]), []).append(rows)
    rng = np.random.default_rng(seed)
    chosen: list[int] = []
    for _, same in sorted(by_class.items()):
        wanted, count = members * sum(map(len, same)), 0
        for which in rng.permutation(len(same)):
            rows = same[int(which)]
            # To the nearer side of the share, so that a class of one row is not always on the same side by rounding.
            if count + len(rows) / 2 <= wanted:
                chosen += rows
                count += len(rows)
    inside = np.array(sorted(chosen), dtype=np.intp)
    outside = np.setdiff1d(np.arange(len(examples.x)), inside)
    return _split(examples.take(inside), examples.take(outside), bounds=examples.bounds)


def convert(train: Examples, test: Examples) -> Split:
    """Turn a split that somebody has into members and non-members; rows of ``test`` that ``train`` has are left out.

    Raises:
        DataError: Their examples have other shapes, their labels other types, or nothing is left of a side.
    """
    if train.shape != test.shape:
        raise DataError(
            f"{train.source.name} has examples of shape {train.shape}, {test.source.name} of {test.shape}",
            remedy="Give both with the same columns.",
        )
    if bool(train.y.names) is not bool(test.y.names):
        raise DataError(
            f"the labels of {train.source.name} and {test.source.name} are text in one and numbers in the other",
            remedy="Label both in one way.",
        )
    known = set(row_keys(train.x))
    kept = np.array([place for place, key in enumerate(row_keys(test.x)) if key not in known], dtype=np.intp)
    low, high = zip(train.bounds, test.bounds, strict=True)
    return _split(train, test.take(kept), bounds=(min(low), max(high)), left_out=len(test.x) - len(kept))


def _split(members: Examples, others: Examples, *, bounds: tuple[float, float], left_out: int = 0) -> Split:
    rows = (len(members.x), len(others.x))
    if 0 in rows:
        raise DataError(
            f"{rows[0]} members and {rows[1]} non-members: a side has no rows",
            remedy="Give more rows that differ from each other, or another share with --members.",
        )
    return Split(_npz(members, bounds), _npz(others, bounds), rows, bounds, left_out)


def _npz(examples: Examples, bounds: tuple[float, float]) -> bytes:
    stream = io.BytesIO()
    x = examples.x.reshape(len(examples.x), *examples.shape)
    np.savez_compressed(stream, x=x, y=_labels(examples.y), bounds=np.array(bounds))
    return stream.getvalue()


def _labels(column: LabelColumn) -> NDArray[np.int64] | NDArray[np.str_]:
    # Names of a data set's own numbering would lose it, since names alone are numbered by the alphabet.
    if not column.names or column.order is Order.DECLARED:
        return column.numbers
    return np.array(column.names, dtype=np.str_)[column.numbers]
