"""SciPy's sparse matrices, whose columns and row starts native code follows without asking where they lie.

``scipy/sparse/sparsetools/csr.h``, ``coo.h`` and ``dia.h`` read and write behind the end of their arrays when an index
is not below the shape, or an array is shorter than another says.
"""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.rules.kinds import is_shape, lengths_of, object_class
from weighbridge.checks.model_scan.pickle.rules.objects import judge_object_state
from weighbridge.checks.model_scan.pickle.rules.parts import array_lengths
from weighbridge.checks.model_scan.pickle.rules.rule import Items, Places, Rule
from weighbridge.checks.model_scan.pickle.values import Collection, Group, Instance, Value

_ROWS: Final = "row starts"
_COLUMNS: Final = "indices"


def _nothing(items: Items) -> bool:
    return not items


def _places(matrix: Instance) -> list[Places] | None:
    if not matrix.built:
        return []  # without arrays there is nothing that native code could follow
    state = matrix.state
    shape = state.entries.get("_shape") if type(state) is Collection and state.special is None else None
    if type(state) is not Collection or not is_shape(shape):
        return None
    kind = object_class(matrix).name[:3]
    lengths = lengths_of(shape)
    if kind == "coo":
        return _coordinates(state.entries, lengths)
    if kind == "dia":
        return _diagonals(state.entries)
    return _compressed(state.entries, kind, lengths)


def _compressed(entries: dict[str, Value], kind: str, lengths: list[int]) -> list[Places] | None:
    indices, starts, data = (array_lengths(entries.get(name)) for name in ("indices", "indptr", "data"))
    if indices is None or starts is None or data is None or len(lengths) not in (1, 2):
        return None
    rows, columns = [1, *lengths][-2:]
    if kind == "csc":
        rows, columns = columns, rows
    if kind == "bsr":
        if len(data) != 3 or not data[1] or not data[2]:  # noqa: PLR2004 - blocks, each of rows and columns
            return None
        rows, columns = rows // data[1], columns // data[2]
    if len(indices) != 1 or len(data) != (3 if kind == "bsr" else 1) or starts != [rows + 1]:
        return None
    held = min(indices[0], data[0])
    return [
        Places(entries["indptr"], _ROWS, below=held + 1, rising=True),
        Places(entries["indices"], _COLUMNS, below=columns),
    ]


def _coordinates(entries: dict[str, Value], lengths: list[int]) -> list[Places] | None:
    found = entries.get("coords")
    rows = found.items if type(found) is Group else [entries.get("row"), entries.get("col")]
    if type(found) is Group and ("row" in entries or "col" in entries):
        return None
    data = array_lengths(entries.get("data"))
    if len(rows) != len(lengths) or data is None or len(data) != 1 or any(array_lengths(row) != data for row in rows):
        return None
    return [Places(row, _COLUMNS, below=length) for row, length in zip(rows, lengths, strict=True)]


def _diagonals(entries: dict[str, Value]) -> list[Places] | None:
    offsets, data = array_lengths(entries.get("offsets")), array_lengths(entries.get("data"))
    fits = offsets is not None and data is not None and len(offsets) == 1 and len(data) == 2  # noqa: PLR2004
    return [] if fits and offsets == data[:1] else None  # type: ignore[index]


SPARSE_RULES: Final = {
    "sparse": Rule(call=_nothing, new=_nothing, state=judge_object_state, places=_places),
}
"""The rules about sparse matrices."""
