"""The trees of scikit-learn's nearest neighbours, whose nodes native code follows without asking where they lie.

The state is a row (``sklearn/neighbors/_binary_tree.pxi.tp``): the data, an order of its rows, the nodes, their bounds,
and counts. A node is a record that begins with the first row, the row behind the last, and whether it is a leaf; the
children of node ``i`` are ``2 i + 1`` and ``2 i + 2``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.pickle.array_bytes import ArrayBytes
from weighbridge.checks.model_scan.pickle.rules.kinds import made_by
from weighbridge.checks.model_scan.pickle.rules.parts import array_parts
from weighbridge.checks.model_scan.pickle.rules.rule import Places
from weighbridge.checks.model_scan.pickle.trees import MAX_PIECE, records_of
from weighbridge.checks.model_scan.pickle.values import Global, Group, Instance, Value
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.source import Source

_CLASSES: Final = frozenset({f"{kind}{bits}" for kind in ("KDTree", "BallTree") for bits in ("", "32", "64")})
_HEAD: Final = ("idx_start", "idx_end", "is_leaf")


def is_neighbour_tree(target: Instance) -> bool:
    """Tell whether an object is such a tree."""
    kind = target.args.items[0] if target.args.items else None
    return made_by(target, "newObj") and type(kind) is Global and kind.name in _CLASSES


def order_of(tree: Instance) -> Places | None:
    """Return the order of a tree's rows, all of which must be rows of its data; None where they do not fit."""
    parts = _parts(tree)
    return None if parts is None else Places(parts.order, "order of rows", below=parts.rows)


def judge_neighbours(trees: list[Instance], source: Source) -> str | None:
    """Tell what is wrong with the nodes of trees that have their states, or None; the file is read once."""
    found = [_parts(tree) for tree in trees]
    if None in found:
        return "has data, rows, nodes and bounds that do not fit one another"
    reader = Reader(source)
    known = {one for one in found if one is not None}
    for parts in sorted(known, key=lambda one: (one.nodes.place, one.rows)):
        if not _fits(parts, parts.nodes.reader(reader, source)):
            return "has a node whose rows or children lie elsewhere than in the tree"
    return None


@dataclass(frozen=True, slots=True)
class _Parts:
    order: Value
    nodes: ArrayBytes
    rows: int


def _parts(tree: Instance) -> _Parts | None:
    match tree.state:
        case Group(items=[data, order, nodes, bounds, _, int(), int(count), _, _, _, _, _, *rest]) if len(rest) <= 1:
            shape, records, held = _lengths(data), records_of(nodes, _HEAD), _lengths(bounds)
        case _:
            return None
    if shape is None or len(shape) != 2 or records is None or records.count != count or _lengths(order) != shape[:1]:  # noqa: PLR2004
        return None
    # A ball has a middle, a box two corners.
    if held is None or len(held) != 3 or held[0] not in (1, 2) or held[1:] != [count, shape[1]]:  # noqa: PLR2004
        return None
    if rest and rest[0] is not None and _lengths(rest[0]) != shape[:1]:
        return None
    return _Parts(order, records, shape[0])


def _fits(parts: _Parts, reader: Reader) -> bool:
    step, count, width = max(MAX_PIECE // parts.nodes.width, 1), parts.nodes.count, parts.nodes.width
    for begin in range(0, count, step):
        piece = reader.read((min(begin + step, count) - begin) * width)
        for place, (start, end, leaf) in enumerate(struct.iter_unpack(f"<3q{width - 24}x", piece), begin):
            if not 0 <= start <= end <= parts.rows or leaf not in (0, 1) or (not leaf and 2 * place + 2 >= count):
                return False
    return True


def _lengths(value: Value) -> list[int] | None:
    parts = array_parts(value)
    return None if parts is None else parts.lengths
