"""scikit-learn's histogram boosting, whose trees are rows of records that native code follows.

``sklearn/ensemble/_hist_gradient_boosting/_predictor.pyx`` takes a child, a column and a row of categories by the
numbers in a node. The columns are those of the estimator that holds the trees, so the trees of an estimator must lie
where it looks for them.
"""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.followed import Followed
from weighbridge.checks.model_scan.pickle.records import Records, table
from weighbridge.checks.model_scan.pickle.rules.kinds import listed_objects, object_class
from weighbridge.checks.model_scan.pickle.values import Collection, Instance, Value

PREDICTOR: Final = "TreePredictor"
_FIELDS: Final = ("feature_idx", "left", "right", "is_leaf", "is_categorical")


def boosted(estimator: Instance) -> Followed | str:
    """Name the nodes of all trees of an estimator."""
    state = estimator.state
    if type(state) is not Collection or "_predictors" not in state.entries:
        return Followed()  # it was not fitted, and says so itself
    columns = state.entries.get("n_features_in_")
    rounds = listed_objects(state.entries["_predictors"])
    trees = [tree for one in rounds or [] for tree in listed_objects(one) or [None]]
    if rounds is None or type(columns) is not int:
        return "has no list of lists of trees, or no number of columns"
    found = [_nodes(tree, columns=columns) for tree in trees]
    if None in found:
        return "has a tree that is no row of records, each with its children, its column and its categories"
    return Followed(records=tuple(one for one in found if one is not None), within=frozenset(map(id, trees)))


def predictor(tree: Instance) -> Followed | str:
    """Name the nodes of one tree; which columns there are says only the estimator that holds it."""
    if not tree.built:
        return Followed()
    found = _nodes(tree, columns=1 << 62)
    return "has nodes that are no row of records" if found is None else Followed(records=(found,))


def _nodes(tree: Value, *, columns: int) -> Records | None:
    if type(tree) is not Instance or object_class(tree).name != PREDICTOR or type(tree.state) is not Collection:
        return None
    nodes = tree.state.entries.get("nodes")
    made = table(nodes, _FIELDS)
    count = 0 if made is None else made.rows.count
    if made is None or not count:
        return None

    def fits(place: int, node: tuple[int, ...]) -> bool:
        column, left, right, leaf, categorical = node
        if leaf:
            return True
        # Categories are looked up in tables of the estimator's binning, which are not followed.
        return not categorical and place < left < count and place < right < count and 0 <= column < columns

    return made.where(fits, what="the node of a boosted tree")
