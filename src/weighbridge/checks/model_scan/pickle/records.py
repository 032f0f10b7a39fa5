"""Rows of records that native code follows: read in one pass over the file, each record judged by its numbers."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.pickle.array_bytes import MAX_PIECE, ArrayBytes, bytes_of
from weighbridge.checks.model_scan.pickle.rules.dtypes import code_of, layout_of
from weighbridge.checks.model_scan.pickle.rules.parts import array_parts
from weighbridge.checks.model_scan.pickle.values import Collection, Group, Instance, Value
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.source import Source

_LETTERS: Final = {"i1": "b", "u1": "B", "b1": "B", "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}

Fits = Callable[[int, tuple[int, ...]], bool]
"""Tells whether the numbers of the record at a place may stand there."""


@dataclass(frozen=True, slots=True)
class Records:
    """A row of records, the numbers of each that are asked, and what may stand there. ``what`` is for people."""

    rows: ArrayBytes
    form: str
    fits: Fits
    what: str


@dataclass(frozen=True, slots=True)
class Table:
    """A row of records before it is said what may stand there."""

    rows: ArrayBytes
    form: str

    def where(self, fits: Fits, *, what: str) -> Records:
        """Return the records with what may stand there."""
        return Records(self.rows, self.form, fits, what)


def table(value: Value, names: tuple[str, ...]) -> Table | None:
    """Take a row of records apart that have whole numbers of these names; None for anything else."""
    parts = array_parts(value)
    rows = None if parts is None else bytes_of(parts)
    form = None if parts is None or rows is None else _form(parts.dtype, names)
    return None if rows is None or form is None else Table(rows, form)


def judge_records(asked: Iterable[Records], source: Source) -> str | None:
    """Tell what is wrong with rows of records, or None; the file is read once."""
    reader = Reader(source)
    for one in sorted(asked, key=lambda each: each.rows.place):
        place = _wrong(one, one.rows.reader(reader, source))
        if place is not None:
            return f"{one.what} {place} leads elsewhere than into its own tree, its rows or its columns"
    return None


def _wrong(asked: Records, reader: Reader) -> int | None:
    width, count, fits = asked.rows.width, asked.rows.count, asked.fits
    step = max(MAX_PIECE // width, 1)
    for start in range(0, count, step):
        piece = reader.read((min(start + step, count) - start) * width)
        for place, numbers in enumerate(struct.iter_unpack(asked.form, piece), start):
            if not fits(place, numbers):
                return place
    return None


def _form(dtype: Value, names: tuple[str, ...]) -> str | None:
    """Return the form of ``struct`` that reads these fields, in the order of the names; None where one is missing."""
    layout = layout_of(dtype)
    fields = dtype.state.items[4] if type(dtype) is Instance and type(dtype.state) is Group else None
    if layout is None or type(fields) is not Collection:
        return None
    form, end = "<", 0
    for name in names:
        match fields.entries.get(name):
            case Group(items=[Instance() as number, int(offset)]) if offset >= end:
                code = code_of(number) or ""
                letter = _LETTERS.get(code)
                if letter is None or (code[1] != "1" and not _is_low_first(number)):
                    return None
                form, end = f"{form}{offset - end}x{letter}", offset + int(code[1])
            case _:
                return None
    return f"{form}{layout.size - end}x"


def _is_low_first(dtype: Instance) -> bool:
    return type(dtype.state) is Group and dtype.state.items[1] == "<"
