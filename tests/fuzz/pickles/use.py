"""Use an object that a pickle made, the way a program would: a planted callable waits for that.

Numpy and torch are looked up, not imported: an environment may lack them.
"""

from __future__ import annotations

import contextlib
import copy
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

MAX_OBJECTS: Final = 60
"""Most objects inside one that are looked at."""

PLAIN: Final = frozenset({int, float, str, bytes, bool, type(None), complex, type})

METHODS: Final = (
    "predict", "predict_proba", "decision_function", "transform", "inverse_transform", "score_samples", "forward",
    "kneighbors", "query", "evaluate", "apply", "get_params", "get_feature_names_out", "toarray", "tocsr", "sum",
    "head", "items", "tolist", "random", "normal", "link", "inverse", "gradient", "diag", "next", "state_dict",
    "parameters", "spawn", "generate_state", "detach", "__sklearn_tags__", "__array__",
)  # fmt: skip
"""Methods that are called where an object has them, with and without a small array."""

OWN: Final = ("sklearn", "scipy", "pandas", "torch", "xgboost", "lightgbm", "numpy", "joblib")
"""Packages whose objects have their methods called."""


NATIVE: Final = ("sklearn", "scipy", "xgboost", "lightgbm")
"""Packages of which even iteration and comparison are a call."""

Parts = list[tuple[Any, tuple[Any, str] | None]]


def parts(root: object) -> Parts:
    """Return an object and what it consists of, each with the object and attribute that holds it, where one does."""
    return list(_walk(root))


def look(found: Parts, report: Callable[[str, str], None]) -> None:
    """Do what even a debugger does: show, compare, copy. Whatever is raised is fine; what is done is watched.

    Planted callables are told of by looking: ``shadow`` is an attribute that comes before a method of its class.
    """
    for value, holder in found:
        if holder is not None:
            _check_shadow(value, holder, report)
        if type(value) not in PLAIN:
            _check_type(value, report)
            _poke(value)


def call(found: Parts) -> None:
    """Call what a program that got a model calls, with small arrays."""
    for place, (value, _) in enumerate(found):
        if type(value) not in PLAIN and (place == 0 or type(value).__module__.startswith(OWN)):
            if _is_native(value):
                _operate(value)
            _call(value)


def _walk(root: object) -> Iterator[tuple[Any, tuple[Any, str] | None]]:
    seen: set[int] = set()
    pending: list[tuple[Any, tuple[Any, str] | None]] = [(root, None)]
    for value, holder in pending:
        yield value, holder
        if len(pending) > MAX_OBJECTS or id(value) in seen or type(value) in PLAIN:
            continue
        seen.add(id(value))
        with contextlib.suppress(Exception):
            if isinstance(value, dict):
                pending += [(item, None) for item in itertools.islice(value.values(), 30)]
                pending += [(key, None) for key in itertools.islice(value.keys(), 10) if type(key) not in PLAIN]
            elif isinstance(value, (list, tuple, set, frozenset)):
                pending += [(item, None) for item in itertools.islice(value, 20)]
            elif _is_array(value) and value.dtype.kind == "O":
                pending += [(item, None) for item in itertools.islice(value.ravel(), 10)]
        with contextlib.suppress(Exception):
            attributes = vars(value)
            if not isinstance(value, type):
                pending += [(item, (value, name)) for name, item in itertools.islice(attributes.items(), 60)]


def _is_array(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _check_shadow(value: object, holder: tuple[Any, str], report: Callable[[str, str], None]) -> None:
    owner, name = holder
    if not callable(value) or not isinstance(name, str):
        return
    found = None
    with contextlib.suppress(Exception):
        found = _static(type(owner), name)
    if isinstance(found, type) and isinstance(value, type):
        return
    if callable(found) or isinstance(found, (classmethod, staticmethod)):
        report("shadow", f"{type(owner).__module__}.{type(owner).__qualname__}.{name} = {type(value).__qualname__}")


def _static(kind: type, name: str) -> object:
    for base in kind.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return None


def _check_type(value: object, report: Callable[[str, str], None]) -> None:
    """Tell whether a dtype says something else than one that numpy makes for the same fields."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return
    dtype = value if isinstance(value, numpy.dtype) else getattr(value, "dtype", None)
    if isinstance(dtype, numpy.dtype) and not _sound(dtype, numpy, 0):
        report("dtype", f"{dtype.char} size {dtype.itemsize} flags {dtype.flags} align {dtype.alignment}")


def _sound(dtype: Any, numpy: Any, depth: int) -> bool:
    if depth > 8:
        return True
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        count = 1
        for length in shape:
            count *= length
        return (
            count >= 0
            and dtype.itemsize == base.itemsize * count
            and _holds(dtype, base)
            and _sound(base, numpy, depth + 1)
        )
    if dtype.fields is not None:
        parts = list(dtype.fields.values())
        return all(
            part[1] >= 0 and part[1] + part[0].itemsize <= dtype.itemsize and _holds(dtype, part[0])
            and _sound(part[0], numpy, depth + 1)
            for part in parts
        )  # fmt: skip
    if dtype.char in "SUV":
        return (
            dtype.itemsize >= 0
            and not (dtype.char == "U" and dtype.itemsize % 4)
            and dtype.flags == numpy.dtype(dtype.char).flags
        )
    known = numpy.dtype(dtype.char)
    return bool(dtype.flags == known.flags and dtype.itemsize == known.itemsize and dtype.alignment == known.alignment)


def _holds(outer: Any, inner: Any) -> bool:
    return bool(outer.hasobject or not inner.hasobject)


def _poke(value: Any) -> None:
    with contextlib.suppress(Exception):
        repr(value)
    with contextlib.suppress(Exception):
        hash(value)
    with contextlib.suppress(Exception):
        len(value)
    with contextlib.suppress(Exception):
        copy.copy(value)
    with contextlib.suppress(Exception):
        value.some_attribute_that_is_missing  # noqa: B018
    if not _is_native(value):
        _operate(value)


def _is_native(value: object) -> bool:
    """Tell whether operators of an object run native code over its arrays, whose numbers nobody vouches for."""
    return type(value).__module__.startswith(NATIVE)


def _operate(value: Any) -> None:
    with contextlib.suppress(Exception):
        bool(value == value)  # noqa: PLR0124 - its own __eq__ is what is wanted
    with contextlib.suppress(Exception):
        for _ in itertools.islice(iter(value), 4):
            pass
    with contextlib.suppress(Exception):
        value["missing"]


def _call(value: Any) -> None:
    arguments = _arguments(value)
    if callable(value) and not isinstance(value, type):
        for each in arguments:
            with contextlib.suppress(Exception):
                value(*each)
    for name in METHODS:
        try:
            method = getattr(value, name, None)
        except Exception:
            continue
        if method is None or not callable(method):
            continue
        for each in arguments:
            try:
                method(*each)
                break
            except Exception:
                continue


def _arguments(value: Any) -> list[tuple[Any, ...]]:
    numpy = sys.modules.get("numpy")
    found: list[tuple[Any, ...]] = [()]
    if type(value).__module__.startswith("torch"):
        torch = sys.modules["torch"]
        return [(), (torch.ones((2, 4)),), (torch.ones((1, 3, 8, 8)),), (torch.ones((2, 2), dtype=torch.long),)]
    if numpy is not None:
        width = 4
        with contextlib.suppress(Exception):
            width = int(value.n_features_in_)
        if not 0 < width <= 64:
            width = 4
        found += [(numpy.ones((2, width)),), (numpy.ones(2), numpy.ones(2)), (["red green", "x"],)]
    return found
