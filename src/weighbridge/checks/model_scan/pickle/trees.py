"""scikit-learn's trees of decisions and of neighbours, whose nodes native code follows without asking where they lie.

In a tree of decisions (``sklearn/tree/_tree.pxd``) every child must lie behind its parent and inside the tree, so that
each walk ends, and every column inside the rows that the tree was made for. The state of a tree of neighbours
(``sklearn/neighbors/_binary_tree.pxi.tp``) is a row: the data, an order of its rows, the nodes, their bounds, and
counts; the children of node ``i`` are ``2 i + 1`` and ``2 i + 2``.
"""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.followed import Followed
from weighbridge.checks.model_scan.pickle.records import table
from weighbridge.checks.model_scan.pickle.rules.parts import array_lengths
from weighbridge.checks.model_scan.pickle.rules.rule import Places
from weighbridge.checks.model_scan.pickle.values import Collection, Global, Group, Instance, Value

_LEAF: Final = -1
_PLANE: Final = 2
_SPACE: Final = 3


def decision_tree(tree: Instance) -> Followed | str:
    """Name the nodes of a tree of decisions."""
    if not tree.built:
        return Followed()  # it has no node
    state, columns = tree.state, tree.args.items[0]
    nodes = state.entries.get("nodes") if type(state) is Collection else None
    made = table(nodes, ("left_child", "right_child", "feature"))
    if made is None or type(columns) is not int:
        return "has nodes that are no row of records, each with its children and its column"
    count = made.rows.count

    def fits(place: int, node: tuple[int, ...]) -> bool:
        left, right, column = node
        return left == _LEAF or (place < left < count and place < right < count and 0 <= column < columns)

    return Followed(records=(made.where(fits, what="the node of a tree"),))


def holds(estimator: Instance) -> Followed | str:
    """Tell whether the tree of an estimator was made for the columns that the estimator asks for."""
    state = estimator.state
    tree = state.entries.get("tree_") if type(state) is Collection else None
    if type(state) is not Collection or type(tree) is not Instance:
        return Followed()  # it was not fitted, and says so itself
    columns = state.entries.get("n_features_in_", state.entries.get("n_features_"))
    if type(columns) is int and tree.args.items[:1] == [columns]:
        return Followed()
    return "holds a tree of another number of columns than its own"


def neighbour_tree(tree: Instance) -> Followed | str:  # noqa: PLR0911 - each way is one of its own
    """Name the rows and nodes of a tree of neighbours."""
    if not tree.built:
        return Followed()  # it has no data, and says so itself
    wrong = "has data, rows, nodes and bounds that do not fit one another"
    match tree.state:
        case Group(items=[data, order, nodes, bounds, _, int(), int(count), _, _, _, _, metric, *rest]) if (
            len(rest) <= 1
        ):
            shape, held = array_lengths(data), array_lengths(bounds)
        case _:
            return wrong
    made = table(nodes, ("idx_start", "idx_end", "is_leaf"))
    if made is None or made.rows.count != count or shape is None or len(shape) != _PLANE:
        return wrong
    # A ball has a middle, a box two corners.
    if held is None or len(held) != _SPACE or held[0] not in (1, 2) or held[1:] != [count, shape[1]]:
        return wrong
    if not _is_plain_metric(metric):
        return "has a distance by tables of its own, which native code believes to be as long as the rows"
    if array_lengths(order) != shape[:1] or (rest and rest[0] is not None and array_lengths(rest[0]) != shape[:1]):
        return wrong
    balls = made.where(
        lambda place, node: _is_ball(place, node, count=count, rows=shape[0]), what="the node of a tree of neighbours"
    )
    return Followed(places=(Places(order, "order of rows", below=shape[0]),), records=(balls,))


def _is_plain_metric(metric: Value) -> bool:
    kind = metric.args.items[0] if type(metric) is Instance and metric.args.items else None
    tables = ("Mahalanobis", "SEuclidean", "WMinkowski", "PyFunc")
    if type(kind) is not Global or kind.name.startswith(tables):
        return metric is None
    # The weights of Minkowski's.
    state = metric.state if type(metric) is Instance else None
    parts = state.items if type(state) is Group else []
    return all((found := array_lengths(part)) is None or max(found, default=0) <= 1 for part in parts)


def _is_ball(place: int, node: tuple[int, ...], *, count: int, rows: int) -> bool:
    start, end, leaf = node
    return 0 <= start <= end <= rows and leaf in (0, 1) and (leaf == 1 or 2 * place + 2 < count)
