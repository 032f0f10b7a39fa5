"""The nodes of scikit-learn's trees: native code follows their children and columns without asking where they lie.

Every child must lie behind its parent and inside the tree, so that each walk ends, and every column inside the rows
that the tree was made for. The nodes are a row of records (``sklearn/tree/_tree.pxd``) that begin alike in every
version: left child, right child, column, all of 64 bits.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.pickle.array_bytes import ArrayBytes, row_of
from weighbridge.checks.model_scan.pickle.rules.dtypes import code_of
from weighbridge.checks.model_scan.pickle.rules.parts import array_parts
from weighbridge.checks.model_scan.pickle.values import Collection, Group, Instance, Value
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.source import Source

MAX_PIECE: Final = 1 << 20
"""Bytes of nodes that are in memory at a time."""

_HEAD: Final = ("left_child", "right_child", "feature")
_LEAF: Final = -1


def judge_trees(trees: list[Instance], source: Source) -> str | None:
    """Tell what is wrong with the nodes of trees that have their states, or None; the file is read once."""
    found = [_records(tree) for tree in trees]
    if None in found:
        return "has nodes that are no row of records, each with its children and its column first"
    reader = Reader(source)
    # Two trees may share one array.
    for nodes in sorted({one for one in found if one is not None}, key=lambda one: (one.rows.place, one.features)):
        problem = _judge(nodes, nodes.rows.reader(reader, source))
        if problem is not None:
            return problem
    return None


@dataclass(frozen=True, slots=True)
class _Nodes:
    rows: ArrayBytes
    features: int


def _judge(nodes: _Nodes, reader: Reader) -> str | None:
    step, count, width = max(MAX_PIECE // nodes.rows.width, 1), nodes.rows.count, nodes.rows.width
    for start in range(0, count, step):
        piece = reader.read((min(start + step, count) - start) * width)
        for place, (left, right, feature) in enumerate(struct.iter_unpack(f"<3q{width - 24}x", piece), start):
            if left == _LEAF:
                continue
            if not (place < left < count and place < right < count and 0 <= feature < nodes.features):
                return f"has a node {place} whose children or column lie elsewhere than in the tree and its rows"
    return None


def _records(tree: Instance) -> _Nodes | None:
    rows = records_of(tree.state.entries["nodes"], _HEAD) if type(tree.state) is Collection else None
    features = tree.args.items[0]
    return None if rows is None or type(features) is not int else _Nodes(rows, features)


def records_of(value: Value, head: tuple[str, ...]) -> ArrayBytes | None:
    """Return the bytes of a row of records that begin with 64-bit integers of these names, the lowest byte first."""
    parts = array_parts(value)
    return row_of(value) if parts is not None and _begins_with(parts.dtype, head) else None


def _begins_with(dtype: Value, head: tuple[str, ...]) -> bool:
    fields = dtype.state.items[4] if type(dtype) is Instance and type(dtype.state) is Group else None
    if type(fields) is not Collection:
        return False
    for place, name in enumerate(head):
        match fields.entries.get(name):
            case Group(items=[Instance() as number, int(offset)]) if offset == 8 * place and _is_low_first(number):
                continue
            case _:
                return False
    return True


def _is_low_first(dtype: Instance) -> bool:
    return code_of(dtype) == "i8" and type(dtype.state) is Group and dtype.state.items[1] == "<"
