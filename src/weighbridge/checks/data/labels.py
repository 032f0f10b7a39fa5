"""Labels as data has them, numbers or text, and the classes of a model that they mean."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.data import limits
from weighbridge.checks.data.limits import DataError, listed
from weighbridge.checks.runners.interface import Labels, RunnerError

LABELS: Final = "Labels are whole numbers, or text: the model's own names of its classes."
"""What to do about labels of another type."""

_WHOLE: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")


class Order(enum.Enum):
    """What the numbers of named labels mean beside the name: the data's own numbering, or the order of the names."""

    DECLARED = enum.auto()
    SORTED = enum.auto()


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """The label of every row: a number and, where the data has names, the name that stands in ``names`` at it."""

    numbers: Labels
    names: tuple[str, ...] = ()
    order: Order = Order.SORTED

    def take(self, rows: NDArray[np.intp]) -> LabelColumn:
        """Return the labels of some rows."""
        return LabelColumn(self.numbers[rows], self.names, self.order)


def labels_of(values: NDArray[Any], *, what: str) -> LabelColumn:
    """Give labels their type: whole numbers in any type, or text.

    Raises:
        DataError: They are of another type, fractions, empty, or too many different ones.
    """
    match values.dtype.kind:
        case "b":
            return LabelColumn(values.astype(np.int64))
        case "i" | "u":
            return LabelColumn(_fitting(values, what))
        case "f":
            return LabelColumn(_whole(values, what))
        case "U":
            names, numbers = np.unique(values, return_inverse=True)
            return LabelColumn(numbers.reshape(-1).astype(np.int64), _checked(tuple(map(str, names.tolist())), what))
        case _:
            raise DataError(f"the labels of {what} have type {values.dtype}", remedy=LABELS)


def labels_of_text(texts: Sequence[str], *, what: str) -> LabelColumn:
    """Give labels of a text file their type: numbers where all of them are whole numbers, else text.

    Raises:
        DataError: As ``labels_of``.
    """
    if all(map(_WHOLE.fullmatch, texts)):
        return LabelColumn(np.array(list(map(int, texts)), dtype=np.int64))
    try:
        return LabelColumn(_whole(np.array(list(map(float, texts)), dtype=np.float64), what))
    except ValueError:
        return labels_of(np.array(texts, dtype=np.str_), what=what)


def _fitting(values: NDArray[Any], what: str) -> Labels:
    if values.dtype.kind == "u" and len(values) and int(values.max()) > np.iinfo(np.int64).max:
        raise DataError(f"a label of {what} does not fit 64 bits", remedy=LABELS)
    return values.astype(np.int64)


def _whole(values: NDArray[Any], what: str) -> Labels:
    if not np.isfinite(values).all() or (values != np.trunc(values)).any() or (np.abs(values) >= 2**53).any():
        some = values[~np.isfinite(values) | (values != np.trunc(values))][:3].tolist()
        raise DataError(
            f"the labels of {what} are fractions ({listed(some)}): that is a value to predict, and no class",
            remedy="Only classifiers are measured. Name the column that holds the class.",
        )
    return values.astype(np.int64)


def _checked(names: tuple[str, ...], what: str) -> tuple[str, ...]:
    if len(names) > limits.MAX_CLASSES:
        raise DataError(f"{what} has {len(names)} different labels; at most {limits.MAX_CLASSES} are read")
    if any(not name.strip() for name in names):
        raise DataError(f"a label of {what} is empty", remedy="Leave out rows without a label.")
    longest = max(map(len, names), default=0)
    if longest > limits.MAX_LABEL:
        raise DataError(f"a label of {what} has {longest} characters; at most {limits.MAX_LABEL} are read")
    return names


def classes_of(columns: Sequence[LabelColumn], *, classes: Labels, names: tuple[str, ...]) -> tuple[Labels, ...]:
    """Return the labels of data sets as the classes of a model; ``names`` are the model's own, where it has any.

    A model and data that both have names are matched by them, and two that both have numbers by those. Numbers that
    are written as text count as numbers. Names for a model of plain numbers are its classes in the order of the
    alphabet, as all tools number them, if there are as many of them as of classes.

    Raises:
        RunnerError: A label means no class of the model.
    """
    if names:
        return tuple(_by_name(column, names) for column in columns)
    union = tuple(sorted({name for column in columns for name in _used(column)}))
    return tuple(_by_number(column, classes, union) for column in columns)


def _used(column: LabelColumn) -> tuple[str, ...]:
    if not column.names or column.order is Order.DECLARED:
        return ()
    return column.names


def _by_name(column: LabelColumn, names: tuple[str, ...]) -> Labels:
    places = {name: place for place, name in enumerate(names)}
    values, inverse = np.unique(column.numbers, return_inverse=True)
    used = [column.names[value] if column.names else str(value) for value in values.tolist()]
    unknown = [name for name in used if name not in places]
    if unknown:
        raise RunnerError(
            f"the labels {listed(unknown)} of the data are no classes of the model, which knows {listed(names)}",
            remedy="Label the data with the model's own names.",
        )
    found: Labels = np.array([places[name] for name in used], dtype=np.int64)[inverse.reshape(-1)]
    return found


def _by_number(column: LabelColumn, classes: Labels, union: tuple[str, ...]) -> Labels:
    if not column.names or column.order is Order.DECLARED:
        return column.numbers
    alphabetical = len(union) == len(classes) and classes.tolist() == list(range(len(classes)))
    if all(map(_WHOLE.fullmatch, union)):
        if alphabetical and list(map(int, union)) != list(range(len(union))):
            raise RunnerError(
                f"the labels {listed(union)} of the data are numbers as text, which the alphabet puts into another "
                "order: whether 10 means class 10 or its place cannot be told",
                remedy="Label the data with numbers; to mean places, name folders with leading zeros (00, 01).",
            )
        return np.array(list(map(int, column.names)), dtype=np.int64)[column.numbers]
    if not alphabetical:
        raise RunnerError(
            f"the labels of the data are text ({listed(union)}) and the model's {len(classes)} classes are numbers "
            f"({listed(classes.tolist())}): which is which cannot be told",
            remedy="Label the data with the model's numbers, or give rows of every class.",
        )
    places = {name: place for place, name in enumerate(union)}
    return np.array([places[name] for name in column.names], dtype=np.int64)[column.numbers]
