"""Follow, at the end of a pickle, the numbers of its objects that native code would follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from weighbridge.checks.model_scan.pickle.boosting import PREDICTOR, boosted, predictor
from weighbridge.checks.model_scan.pickle.followed import Followed
from weighbridge.checks.model_scan.pickle.places import judge_places
from weighbridge.checks.model_scan.pickle.records import Records, judge_records
from weighbridge.checks.model_scan.pickle.rules.kinds import object_class
from weighbridge.checks.model_scan.pickle.rules.native import NATIVE_RULES
from weighbridge.checks.model_scan.pickle.rules.rule import Places
from weighbridge.checks.model_scan.pickle.trees import decision_tree, holds, neighbour_tree
from weighbridge.checks.model_scan.pickle.values import Global, Instance
from weighbridge.checks.model_scan.pickle.vectors import support_vectors
from weighbridge.checks.model_scan.source import Source

Follow = Callable[[Instance], Followed | str]

_BY_CLASS: Final[dict[str, Follow]] = {
    **{f"{kind}{bits}": neighbour_tree for kind in ("KDTree", "BallTree") for bits in ("", "32", "64")},
    **dict.fromkeys(("SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM"), support_vectors),
    **dict.fromkeys(("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"), boosted),
    PREDICTOR: predictor,
    **dict.fromkeys(
        (f"{kind}Tree{what}" for kind in ("Decision", "Extra") for what in ("Classifier", "Regressor")), holds
    ),
}
FOLLOWED: Final = frozenset(_BY_CLASS)
"""The classes of scikit-learn that are followed by their names."""

_MISFIT: Final = "has arrays that do not fit one another, or whose length cannot be told"


def follow_of(made: Instance, kind: Global) -> Follow | None:
    """Return how an object of a class is followed; None for most."""
    if kind.rule is not None and kind.rule.places is not None:
        return _by_rule
    if made.maker.rule is NATIVE_RULES["tree"]:
        return decision_tree
    first = made.args.items[0] if made.args.items and made.maker.name == "newObj" else kind
    return _BY_CLASS.get(first.name) if type(first) is Global and first.module.startswith("sklearn.") else None


def judge_followed(found: list[Instance], source: Source) -> str | None:
    """Tell what is wrong with the numbers of these objects, or None; the file is read twice at most."""
    places: list[Places] = []
    records: list[Records] = []
    within: set[int] = set()
    # Whatever holds others is made after them, and says more about them than they do.
    for one in reversed(found):
        if id(one) in within:
            continue
        kind = object_class(one)
        follow = follow_of(one, kind)
        followed = Followed() if follow is None else follow(one)
        path = kind.path
        if isinstance(followed, str):
            return f"{path} {followed}"
        places += [replace(place, what=f"{path} {place.what}") for place in followed.places]
        records += followed.records
        within |= followed.within
    problem = judge_places(places, source) if places else None
    if problem is None and records:
        problem = judge_records(records, source)
    return problem


def _by_rule(made: Instance) -> Followed | str:
    rule = object_class(made).rule
    found = rule.places(made) if rule is not None and rule.places is not None else None
    return _MISFIT if found is None else Followed(places=tuple(found))
