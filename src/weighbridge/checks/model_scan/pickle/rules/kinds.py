"""The kinds of values that arguments and states are made of."""

from __future__ import annotations

from typing import Final, TypeGuard

from weighbridge.checks.model_scan.pickle.values import (
    Blob,
    Collection,
    Global,
    Group,
    Instance,
    Opaque,
    Value,
    holds_function,
    is_plain,
)

MAX_SMALL: Final = 1 << 31
"""Above this no count, length or offset of an argument lies."""

_MAKERS: Final = frozenset({"_reconstructor", "__newobj__"})

BUILTINS: Final = frozenset({"builtins", "__builtin__"})
"""The modules of Python's built-in names, in both spellings."""


def is_number(value: Value) -> bool:
    """Tell whether a value is a number of any size that fits a machine word, or a float."""
    return type(value) in (int, bool) or value is Opaque.FLOAT


def is_count(value: Value) -> TypeGuard[int]:
    """Tell whether a value is a whole number from zero on that can be a count."""
    return type(value) is int and 0 <= value < MAX_SMALL


def is_small(value: Value) -> TypeGuard[int]:
    """Tell whether a value is a whole number of a modest size, either sign."""
    return isinstance(value, int) and -MAX_SMALL < value < MAX_SMALL


def is_shape(value: Value) -> TypeGuard[Group]:
    """Tell whether a value is a tuple of counts."""
    return elements_of(value) is not None


def elements_of(shape: Value) -> int | None:
    """Return how many elements an array of a shape has; None for what is no tuple of counts."""
    if type(shape) is not Group or shape.cut:
        return None
    count = 1
    for length in shape.items:
        if type(length) is not int or not 0 <= length < MAX_SMALL:  # as is_count, for every array of a pickle
            return None
        count *= length
    return count


def is_text(value: Value) -> bool:
    """Tell whether a value is text, long or short."""
    return isinstance(value, str) or (type(value) is Blob and value.kind != "bytes")


def object_class(target: Instance) -> Global:
    """Return the class of an object, whichever way it was made; the function, for what a function gave."""
    maker = target.maker
    if maker.name in _MAKERS and target.args.items:
        first = target.args.items[0]
        if type(first) is Global:
            return first
    return maker


def made_by(value: Value, *names: str) -> bool:
    """Tell whether a value is an object of a listed class, or the result of a listed function, of such a name."""
    return type(value) is Instance and object_class(value).name in names


def is_bytes(value: Value) -> bool:
    """Tell whether a value is bytes, in any of the ways that a protocol writes them."""
    return (
        type(value) is bytes
        or isinstance(value, str)
        or type(value) is Blob
        or value is Opaque.FORGOTTEN
        or made_by(value, "encode", "bytearray", "bytes")
    )


def named(value: Value, names: frozenset[str], modules: frozenset[str] | None = None) -> bool:
    """Tell whether a value is one of a closed set of listed names."""
    return (
        type(value) is Global
        and value.rule is not None
        and value.name in names
        and (modules is None or value.module in modules)
    )


def is_literal(value: Value, kind: str) -> bool:
    """Tell whether a value is a literal collection of a kind: not an object that behaves like one."""
    return type(value) is Collection and value.kind == kind


def is_empty(value: Value) -> bool:
    """Tell whether a value is nothing, or a collection with nothing in it."""
    if type(value) is Instance:
        return value.maker.name == "OrderedDict" and not value.args.items and value.content is None and not value.built
    if type(value) is Collection:
        return not value.count
    return value is None or (type(value) is Group and not value.items)


def listed_objects(value: Value) -> list[Value] | None:
    """Return the objects of a list that has nothing else in it; None for anything else."""
    whole = type(value) is Collection and value.kind == "list" and len(value.parts) == value.count
    return value.parts if whole else None  # type: ignore[union-attr]


def lengths_of(shape: Group) -> list[int]:
    """Return the lengths of a shape."""
    return [length for length in shape.items if isinstance(length, int)]


def is_data(value: Value) -> bool:
    """Tell whether a value may be kept by an object: anything but a name that may only be called."""
    return not holds_function(value) and value is not Opaque.UNKNOWN


def are_plain(values: list[Value]) -> bool:
    """Tell whether all values are numbers, text, bytes and arrays."""
    return all(is_plain(value) for value in values)
