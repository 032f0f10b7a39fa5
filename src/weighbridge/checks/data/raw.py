"""What every format gives: rows of numbers, a label for each, and what the file itself says of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

from weighbridge.checks.data import limits
from weighbridge.checks.data.labels import LabelColumn
from weighbridge.checks.data.limits import DataError, listed

USUAL_LABELS: Final = ("y", "label", "labels", "target", "class")
"""Names of a column that is taken for the label when exactly one of the columns is called so, in any case."""

ENCODE: Final = "Write the numbers that the model is given, and the label; leave out all other columns."
"""What to do about columns that are no numbers."""

_POSITION: Final = re.compile(r"-?[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the caller says of data: the label's column by name or position, and the bounds of the numbers."""

    label: str | None = None
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """Rows and labels as a format has them. ``bounds`` are by the file's own word, ``label`` names its column."""

    kind: str
    x: NDArray[Any]
    y: LabelColumn
    label: str = ""
    bounds: tuple[float, float] | None = None


def label_column(names: tuple[str, ...], *, width: int, label: str | None, what: str) -> int:
    """Return the position of the label among so many columns; without names they are known by position alone.

    A name comes before a position. Without ``label`` it is the one column that is called as labels usually are.

    Raises:
        DataError: There is no such column, or it is not clear which is meant.
    """
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1}) if width <= limits.MAX_COLUMNS else ()
        raise DataError(f"two columns of {what} have one name: {listed(list(twice))}", remedy="Rename one of them.")
    if width > limits.MAX_COLUMNS:
        raise DataError(
            f"{what} has {width} columns; at most {limits.MAX_COLUMNS} are read",
            remedy="Store wider examples as arrays: numpy.savez(path, x=examples, y=labels).",
        )
    if width < 2:  # noqa: PLR2004
        raise DataError(f"{what} has {width} column; expected numbers and a label", remedy=ENCODE)
    if label is None:
        return _usual(names, width=width, what=what)
    if label in names:
        return names.index(label)
    if _POSITION.fullmatch(label) and -width <= int(label) < width:
        return int(label) % width
    raise DataError(f"{what} has no column {limits.shown_text(label)!r}; {_columns(names, width)}", remedy=_name_it())


def _usual(names: tuple[str, ...], *, width: int, what: str) -> int:
    found = [place for place, name in enumerate(names) if name.casefold() in USUAL_LABELS]
    if len(found) == 1:
        return found[0]
    several = f", and {listed([names[place] for place in found])} are both usual" if found else ""
    raise DataError(f"which column of {what} is the label? {_columns(names, width)}{several}", remedy=_name_it())


def _columns(names: tuple[str, ...], width: int) -> str:
    if not names:
        return f"it has columns 0 to {width - 1}, which have no names"
    return f"its columns are {listed(list(names))}"


def _name_it() -> str:
    return "Name it: --label NAME, or --label POSITION, counted from 0; -1 is the last."


def refuse_label(label: str | None, *, what: str, instead: str) -> None:
    """Return when no label column was asked for, where there are no columns.

    Raises:
        DataError: One was.
    """
    if label is not None:
        raise DataError(f"{what} has no columns to choose the label from: {instead}", remedy="Leave out --label.")
