"""skops: a schema whose nodes say which class makes what. Each kind of node makes only what it is there for.

``skops/io`` takes the class of most nodes by its name and calls it, so a list whose class is ``numpy.memmap`` opens a
file. What its own audit trusts is judged here without it, as for a pickle of the same object.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from weighbridge.checks.model_scan.documents.listed import listed
from weighbridge.checks.model_scan.documents.said import Reading, Said, show
from weighbridge.checks.model_scan.documents.tree import Object
from weighbridge.checks.model_scan.pickle.following import FOLLOWED
from weighbridge.checks.model_scan.pickle.rules.rule import Rule
from weighbridge.checks.model_scan.pickle.rules.settings import is_asked, judge_setting
from weighbridge.checks.model_scan.pickle.values import Global, Kept, Opaque, Value

NODE: Final = ("__class__", "__module__", "__loader__")
"""What every node has."""

_JUDGED: Final = frozenset({*NODE, "__id__"})
_PLAIN: Final = listed("dict list tuple set frozenset str int float bool complex NoneType bytes bytearray slice ")
_CONTAINERS: Final = {
    "DictNode": {("builtins", "dict"), ("collections", "OrderedDict"), ("sklearn.utils._bunch", "Bunch")},
    "OrderedDictNode": {("collections", "OrderedDict")},
    "DefaultDictNode": {("collections", "defaultdict")},
    "ListNode": {("builtins", "list")},
    "TupleNode": {("builtins", "tuple")},
    "SetNode": {("builtins", "set"), ("builtins", "frozenset")},
    "SliceNode": {("builtins", "slice")},
    "BytesNode": {("builtins", "bytes")},
    "BytearrayNode": {("builtins", "bytearray")},
    "MaskedArrayNode": {("numpy.ma", "MaskedArray"), ("numpy.ma.core", "MaskedArray")},
    "RandomStateNode": {("numpy.random", "RandomState"), ("numpy.random.mtrand", "RandomState")},
    "DTypeNode": {("numpy", "dtype")},
}
_FOLLOWED_NOWHERE: Final = listed("TreeNode SparseMatrixNode KDTreeNode QuantileForestNode RandomGeneratorNode ")
"""Nodes whose numbers native code takes as places, or that take a class by a name of their own."""

_Known = tuple[object, object]


def read_skops(node: Object) -> Reading | None:
    """Judge a node of skops; None for anything else."""
    if not node.has(*NODE):
        return None
    loader, known = node.get("__loader__"), (node.get("__module__"), node.get("__class__"))
    path = f"{show(known[0])}.{show(known[1])}"
    if loader in _FOLLOWED_NOWHERE and _rule(known) is not None:
        return Reading(_JUDGED, (Said("__loader__", f"the numbers of {path} are not followed in this format", None),))
    allowed = _ALLOWED.get(loader) if isinstance(loader, str) else None
    if allowed is None:
        return Reading(_JUDGED, (Said("__loader__", f"skops has no node {show(loader)} that only makes data"),))
    if not allowed(known):
        return Reading(_JUDGED, (Said("__class__", f"skops makes {path} by a {loader}, which is on no list for it"),))
    return Reading(_JUDGED, _object(node, known) if loader == "ObjectNode" else ())


def _rule(known: _Known) -> Rule | None:
    from weighbridge.checks.model_scan.allow import load_lists

    module, name = known
    return load_lists().rules.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None


def _is_object(known: _Known) -> bool:
    rule = _rule(known)
    return rule is not None and rule.new is not None and rule.state is not None and rule.new([])


def _is_number_type(known: _Known) -> bool:
    rule = _rule(known)
    return known[0] == "numpy" and rule is not None and rule.kept is Kept.TYPE


def _is_type(known: _Known) -> bool:
    return (known[0] == "builtins" and known[1] in _PLAIN) or _is_number_type(known)


def _is_array(known: _Known) -> bool:
    return known == ("numpy", "ndarray") or _is_number_type(known)


def _is_loss(known: _Known) -> bool:
    rule = _rule(known)
    return rule is not None and rule.call is not None and rule.new is rule.call


def _one_of(names: set[tuple[str, str]]) -> Callable[[_Known], bool]:
    return lambda known: known in names


_ALLOWED: Final[dict[str, Callable[[_Known], bool]]] = {
    **{loader: _one_of(names) for loader, names in _CONTAINERS.items()},
    "JsonNode": _is_type,
    "TypeNode": _is_type,
    "NdArrayNode": _is_array,
    "ObjectNode": _is_object,
    "LossNode": _is_loss,
    "CachedNode": lambda known: True,
}


def _object(node: Object, known: _Known) -> tuple[Said, ...]:  # noqa: PLR0911 - each way is one of its own
    """Judge the attributes of an object: where they lie, what they are called, and those that choose what is called."""
    from weighbridge.checks.model_scan.allow import load_lists

    path = f"{known[0]}.{known[1]}"
    if known[1] in FOLLOWED or getattr(_rule(known), "places", None) is not None:
        return (Said("content", f"the numbers of {path} are not followed in this format", None),)
    content = node.get("content")
    if content is None:
        return ()
    # Another kind of node would give the object attributes that lie elsewhere in the file.
    attributes = content.get("content") if isinstance(content, Object) else None
    if not isinstance(content, Object) or content.get("__loader__") != "DictNode" or not isinstance(attributes, Object):
        return (Said("content", f"the attributes of {path} are no plain dictionary"),)
    kind, methods = Global(str(known[0]), str(known[1]), _rule(known)), load_lists().attributes.of(path).methods
    for name, value in attributes.members:
        if name in methods:
            return (Said("content", f"{path} sets {name}, which is a method of the class"),)
        if not is_asked(name):
            continue
        if not isinstance(value, Object) or value.get("__loader__") != "JsonNode":
            return (Said("content", f"{name} of {path} chooses what is called, and is no text or number", None),)
        problem = judge_setting(kind, name, _value(value))
        if problem is not None:
            return (Said("content", f"{path} {problem}"),)
    return ()


def _value(node: Object) -> Value:
    try:
        found = json.loads(node.text("content") or "")
    except (ValueError, RecursionError):
        return Opaque.UNKNOWN
    return found if isinstance(found, (str, int)) or found is None else Opaque.UNKNOWN
