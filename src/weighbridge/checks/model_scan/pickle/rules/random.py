"""NumPy's random generators. A position outside its buffer would be read from memory beyond it."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.attributes import Attributes
from weighbridge.checks.model_scan.pickle.rules.kinds import is_number, made_by, named
from weighbridge.checks.model_scan.pickle.rules.rule import Items, Rule
from weighbridge.checks.model_scan.pickle.values import Collection, Global, Group, Instance, Value, is_plain

_NAMES: Final = frozenset({"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"})
_CONSTRUCTOR: Final = frozenset({"__bit_generator_ctor"})
_LENGTHS: Final = {"pos": 624, "buffer_pos": 4}
"""Positions inside a generator's buffer, and how long it is (``_mt19937.pyx``, ``_philox.pyx``)."""


MAX_LEVELS: Final = 4
"""Deepest nesting of a generator's state."""


def _bit_generator(items: Items) -> bool:
    match items:
        case [str(name)]:
            return name in _NAMES
        case [kind]:
            return named(kind, _NAMES)
        case _:
            return False


def _generator(items: Items) -> bool:
    match items:
        case [str(name), *rest]:
            known = name in _NAMES
        case [Instance() as made, *rest]:
            known = made_by(made, "__bit_generator_ctor")
        case _:
            return False
    return known and len(rest) <= 1 and all(named(item, _CONSTRUCTOR) for item in rest)


def _is_state(value: Value, depth: int = 0) -> bool:
    """Tell whether a value is plain and every position in it lies in its buffer."""
    if depth > MAX_LEVELS:
        return False  # a dictionary may hold itself
    if type(value) is Collection:
        if value.kind != "dict" or value.special is not None or not value.is_plain:
            return False
        return all(_is_position(key, item, depth) for key, item in value.entries.items())
    if type(value) is Group:
        return not value.cut and all(_is_state(item, depth + 1) for item in value.items)
    return value is None or made_by(value, "SeedSequence", "__pyx_unpickle_SeedSequence")


def _is_position(key: str, value: Value, depth: int) -> bool:
    if key in _LENGTHS:
        return type(value) is int and 0 <= value <= _LENGTHS[key]
    if type(value) is Collection:
        return _is_state(value, depth + 1)
    return is_plain(value)


def _random_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del target, attributes
    match state:
        case Group(items=["MT19937", Instance(), int(place), *rest]):
            # The form of NumPy before 1.17.
            fits = 0 <= place <= _LENGTHS["pos"] and all(is_number(item) for item in rest)
        case Collection() | Group():
            fits = _is_state(state)
        case _:
            fits = False
    return None if fits else "is not that of a random generator"


def _seed_class(items: Items) -> bool:
    match items:
        case [Global() as kind, int(), state]:
            return named(kind, frozenset({"SeedSequence"})) and (state is None or _is_seed(state))
        case _:
            return False


def _is_seed(state: Value) -> bool:
    match state:
        case Group(items=items, cut=False):
            return all(is_plain(item) for item in items)
        case _:
            return False


def _seed_state(target: Instance, state: Value, attributes: Attributes) -> str | None:
    del target, attributes
    fits = _is_seed(state) or (type(state) is Collection and state.special is None and state.is_plain)
    return None if fits else "is not that of a seed"


RANDOM_RULES: Final = {
    "bit-generator": Rule(call=_bit_generator, state=_random_state),
    "random-state": Rule(call=_generator, state=_random_state),
    "bit-generator-type": Rule(),
    "seed": Rule(new=lambda items: not items, state=_seed_state),
    "seed-unpickle": Rule(call=_seed_class, state=_seed_state),
}
"""The rules about random generators."""
