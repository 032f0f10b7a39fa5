"""Read labelled examples from a table in text: CSV, with commas, semicolons or tabs."""

from __future__ import annotations

import contextlib
import csv
import io
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from weighbridge.checks.data import limits
from weighbridge.checks.data.kinds import DELIMITERS, FORMATS
from weighbridge.checks.data.labels import labels_of_text
from weighbridge.checks.data.limits import DataError, shown_text
from weighbridge.checks.data.raw import ENCODE, Raw, label_column

_LOOKED_AT: Final = 5
_INDEX: Final = "The index of a data frame looks like this: write it with to_csv(path, index=False)."

Row = list[str]


def read_delimited(blob: bytes, *, what: str, label: str | None) -> Raw:
    """Read a table with one example a line, with or without a line of names before them.

    The first line has names when it is text where the next line has numbers, or counts the columns from 0.

    Raises:
        DataError: It is no UTF-8 text, no table, too large, has gaps or text among the numbers, or its label column
            is not known.
    """
    text = _decoded(blob, what)
    lines = csv.reader(
        io.StringIO(text, newline=""), delimiter=_delimiter(text, what), strict=True, skipinitialspace=True
    )
    try:
        rows = ((lines.line_num, cells) for cells in lines if cells)
        first = next(rows, None)
        if first is None:
            raise DataError(f"{what} has no rows", remedy=FORMATS)
        second = next(rows, None)
        names = _names(first[1], second[1] if second is not None else [])
        width = len(first[1])
        if names and not names[0]:
            raise DataError(f"the first column of {what} has no name", remedy=_INDEX)
        place = label_column(names, width=width, label=label, what=what)
        before = [] if names else [first]
        rest = chain(before, [] if second is None else [second], rows)
        return _Table(what, names, place, width).read(rest)
    except csv.Error as error:
        raise DataError(f"line {lines.line_num} of {what} is no line of a table: {error}") from None


def _decoded(blob: bytes, what: str) -> str:
    if len(blob) > limits.MAX_TEXT_BYTES:
        raise DataError(
            f"{what} has {len(blob)} bytes of text; at most {limits.MAX_TEXT_BYTES} are read",
            remedy="Save it as Parquet or npz, or give fewer rows.",
        )
    if b"\0" in blob:
        raise DataError(f"{what} is no text and in no format that is known", remedy=FORMATS)
    try:
        return blob.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{what} is no text in UTF-8 (byte {error.start})", remedy=f"Save it as UTF-8. {FORMATS}"
        ) from None


def _delimiter(text: str, what: str) -> str:
    head = [line for line in text[: 2**20].split("\n", _LOOKED_AT)[:_LOOKED_AT] if line.strip()]
    widths = {}
    for mark in DELIMITERS:
        widths[mark] = 0
        # A line that is no table by this mark, as one field that is too long, may be one by another.
        with contextlib.suppress(csv.Error):
            counts = {len(cells) for cells in csv.reader(head, delimiter=mark) if cells}
            widths[mark] = max(counts) if len(counts) == 1 else 0
    # Of as many columns with either, a comma is the decimal sign.
    best = max(DELIMITERS, key=lambda mark: widths[mark])
    if widths[best] > 1:
        return best
    likely = max(DELIMITERS, key=lambda mark: head[0].count(mark) if head else 0)
    if not head or likely not in head[0]:
        raise DataError(f"{what} has no columns that commas, semicolons or tabs divide", remedy=FORMATS)
    return likely


def _names(first: Row, second: Row) -> tuple[str, ...]:
    pairs = zip(first, second, strict=False)
    text_above_number = any(not _is_number(above) and _is_number(below.replace(",", ".", 1)) for above, below in pairs)
    numbers = [(place, cell.strip()) for place, cell in enumerate(first) if _is_number(cell)]
    counted = len(numbers) >= 3 and all(cell == str(place) for place, cell in numbers)  # noqa: PLR2004
    if not text_above_number and not counted:
        return ()
    # numpy.savetxt writes its names behind this sign.
    return tuple(
        name.strip().removeprefix("#").strip() if not place else name.strip() for place, name in enumerate(first)
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell.isascii()


@dataclass(frozen=True, slots=True)
class _Table:
    what: str
    names: tuple[str, ...]
    place: int
    width: int

    def read(self, rows: Iterator[tuple[int, Row]]) -> Raw:
        numbers, labels = array("d"), list[str]()
        most = min(limits.MAX_ROWS, limits.MAX_NUMBERS // self.width)
        for line, cells in rows:
            if len(cells) != self.width:
                raise DataError(
                    f"line {line} of {self.what} has {len(cells)} columns, the first has {self.width}",
                    remedy="Begin with a line of names, or with the first example, and no other line before it; text "
                    "with the delimiter in it stands in double quotes.",
                )
            if len(labels) >= most:
                raise DataError(f"{self.what} has more than {most} rows of {self.width} columns")
            labels.append(cells.pop(self.place).strip())
            self._add(numbers, cells, line)
        if not labels:
            raise DataError(f"{self.what} has no rows", remedy="Give examples below the line of names.")
        if not all(labels):
            raise DataError(f"a label of {self.what} is empty", remedy="Leave out rows without a label.")
        x = np.frombuffer(numbers, dtype=np.float64).reshape(len(labels), self.width - 1)
        y = labels_of_text(labels, what=self.what)
        return Raw("csv", x, y, label=self.names[self.place] if self.names else str(self.place))

    def _add(self, numbers: array[float], cells: Row, line: int) -> None:
        # Python also reads 1_000 and the digits of other scripts, which no other reader of tables does.
        joined = "".join(cells)
        if "_" not in joined and joined.isascii():
            try:
                numbers.extend(list(map(float, cells)))
            except ValueError:
                pass
            else:
                return
        bad = next(place for place, cell in enumerate(cells) if not _is_number(cell))
        raise self._no_number(cells[bad], bad if bad < self.place else bad + 1, line)

    def _no_number(self, cell: str, place: int, line: int) -> DataError:
        column = f"column {self.names[place]!r}" if self.names else f"column {place}"
        if not cell.strip():
            return DataError(
                f"line {line} of {self.what} has a gap: {column} is empty",
                remedy="Fill gaps as it was done for training, or leave out such rows.",
            )
        if not self.names and line == 1:
            return DataError(
                f"the first line of {self.what} has {shown_text(cell)!r} in {column}: neither names nor numbers",
                remedy="Begin with a line of names, one for each column.",
            )
        remedy = "Decimals are written with a point." if _is_number(cell.replace(",", ".", 1)) else ENCODE
        return DataError(
            f"line {line} of {self.what} has {shown_text(cell)!r} in {column}, which is no number", remedy=remedy
        )
