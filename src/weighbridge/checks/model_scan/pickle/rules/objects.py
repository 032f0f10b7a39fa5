"""Objects of listed classes: made without arguments, then given attributes by name.

An object keeps what its pickle gives it, and its library calls what it finds there. So no name may stand for a method
of the class, what is kept under a name that the class itself uses may be any judged value, and under another name
numbers, text and arrays only, which nothing can call.
"""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.attributes import Attributes, Names
from weighbridge.checks.model_scan.pickle.rules.kinds import BUILTINS, is_data, is_text, named, object_class
from weighbridge.checks.model_scan.pickle.rules.rule import Items, Rule
from weighbridge.checks.model_scan.pickle.rules.settings import is_asked, judge_setting
from weighbridge.checks.model_scan.pickle.values import Collection, Global, Group, Instance, Value, is_plain

MAX_ATTRIBUTES: Final = 400
"""Most attributes of one object."""

_VERSION: Final = "_sklearn_version"
_INHERITED: Final = frozenset({_VERSION, "_sklearn_output_config"})
"""What the pickling of an estimator adds to its attributes."""


def judge_object_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    """Tell what is wrong with the attributes that an object is given, or None."""
    kind = object_class(target)
    names = attributes.of(kind.path)
    parts = [state]
    if type(state) is Group and len(state.items) == 2:  # noqa: PLR2004
        # A class with slots: its attributes by name, then its slots.
        parts = [part for part in state.items if part is not None]
    for part in parts:
        if type(part) is not Collection or part.kind != "dict":
            return "is no dictionary of attributes"
        if part.special is not None:
            return f"sets {part.special}"
        for name, value in part.entries.items():
            problem = _judge_attribute(kind, name, value, names)
            if problem is not None:
                return problem
    return None


def _judge_attribute(kind: Global, name: str, value: Value, names: Names) -> str | None:
    if name in names.methods:
        return f"sets {name}, which is a method of the class"
    problem = judge_setting(kind, name, value) if is_asked(name) else None
    if problem is not None:
        return problem
    if name == _VERSION and not is_text(value):
        # It is compared with a text, and a dtype of NumPy's takes the text apart as Python.
        return f"keeps something else than text under {name}"
    if name in names.attributes or name in _INHERITED:
        return None if is_data(value) else f"keeps a name under {name} that may only be called"
    return None if is_plain(value) else f"keeps an object under {name}, which is no attribute of the class"


def _nothing(items: Items) -> bool:
    return not items


def _is_class(value: Value) -> bool:
    rule = value.rule if type(value) is Global else None
    return rule is not None and rule.new is not None and rule.state is not None and rule.new([])


def _judge_made_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    rule = object_class(target).rule
    return "has no state" if rule is None or rule.state is None else rule.state(target, state, attributes)


def _reconstructor(items: Items) -> bool:
    """Judge ``copyreg._reconstructor``, by which protocols 0 and 1 make an object."""
    match items:
        case [kind, base, None]:
            return _is_class(kind) and named(base, frozenset({"object"}), BUILTINS)
        case [kind, base, Collection(kind="dict")]:
            dictionary = type(kind) is Global and kind.rule is not None and kind.rule.items == "dict"
            return dictionary and _is_class(kind) and named(base, frozenset({"dict"}), BUILTINS)
        case _:
            return False


def _new_object(items: Items) -> bool:
    return len(items) == 1 and _is_class(items[0])


def _bunch(items: Items) -> bool:
    return not items or (len(items) == 1 and type(items[0]) is Collection and items[0].kind == "dict")


OBJECT_RULES: Final = {
    "class": Rule(call=_nothing, new=_nothing, state=judge_object_state),
    "dict-class": Rule(call=_bunch, new=_nothing, state=judge_object_state, items="dict", hashes=True),
    # Since pandas 1.3 native code makes its objects, and crashes over one that Python made: it is an argument only.
    "array-class": Rule(),
    "reconstructor": Rule(call=_reconstructor, state=_judge_made_state, makes_any=True),
    "new-object": Rule(call=_new_object, state=_judge_made_state, makes_any=True),
}
"""The rules about objects."""
