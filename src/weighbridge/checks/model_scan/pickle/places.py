"""Whole numbers that native code takes as places in another array, without asking where they lie."""

from __future__ import annotations

import array
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from weighbridge.checks.model_scan.pickle.array_bytes import MAX_PIECE, ArrayBytes, row_of
from weighbridge.checks.model_scan.pickle.rules.parts import array_parts
from weighbridge.checks.model_scan.pickle.rules.rule import Places
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.source import Source

_CODES: Final = {"i1": "b", "i2": "h", "i4": "i", "i8": "q"}


def judge_places(asked: Iterable[Places], source: Source) -> str | None:
    """Tell what is wrong with arrays of places, or None; the file is read once, each array for each thing asked."""
    found = []
    for one in asked:
        parts, row = array_parts(one.array), row_of(one.array)
        code = _CODES.get(parts.code or "") if parts is not None else None
        if parts is None or row is None or code is None or (row.width > 1 and parts.order != "<"):
            return f"{one.what} are no row of whole numbers, the lowest byte first"
        found.append((row, code, one))
    reader = Reader(source)
    for row, code, one in sorted(found, key=lambda each: each[0].place):
        if not _fits(row, code, one, row.reader(reader, source)):
            return f"{one.what} lie elsewhere than from {one.least} to {one.below - 1}{_SORTED[one.rising]}"
    return None


_SORTED: Final = {False: "", True: ", or go back"}


def _fits(row: ArrayBytes, code: str, asked: Places, reader: Reader) -> bool:
    last = asked.least
    for numbers in _pieces(row, code, reader):
        if min(numbers) < asked.least or max(numbers) >= asked.below:
            return False
        if asked.rising:
            listed = [last, *numbers]
            if sorted(listed) != listed:
                return False
            last = listed[-1]
    return True


def _pieces(row: ArrayBytes, code: str, reader: Reader) -> Iterator[array.array[int]]:
    step = MAX_PIECE // row.width
    for start in range(0, row.count, step):
        numbers = array.array(code, reader.read((min(start + step, row.count) - start) * row.width))
        if sys.byteorder == "big":
            numbers.byteswap()
        yield numbers
