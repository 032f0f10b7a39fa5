"""Find every number array that a loaded scikit-learn object holds, however deep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]
from sklearn.pipeline import Pipeline

from weighbridge.checks.runners.interface import RunnerError

MAX_OBJECTS: Final = 1_000_000
"""Most objects that are followed."""

MAX_DENSE: Final = 2**28
"""Most numbers that a sparse matrix may have once it is written out."""

_LEAVES: Final = (str, bytes, int, float, complex, bool, type(None), type, np.generic, np.dtype)

Array = NDArray[Any]


@dataclass(slots=True)
class Contents:
    """What an object holds: arrays of numbers, and pipelines, whose steps change rows before they are kept."""

    arrays: list[Array] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)


def contents_of(root: object) -> Contents:
    """Follow attributes, containers and reduced state from an object on.

    Raises:
        RunnerError: More objects than the limit, or a sparse matrix that is too large to be written out.
    """
    found = Contents()
    seen: dict[int, object] = {}
    todo = [root]
    while todo:
        item = todo.pop()
        if isinstance(item, _LEAVES) or id(item) in seen:
            continue
        if len(seen) >= MAX_OBJECTS:
            raise RunnerError(f"the model holds more than {MAX_OBJECTS} objects")
        # The object is kept, so that its id is not given to another one.
        seen[id(item)] = item
        todo.extend(_inside(item, found))
    return found


def _inside(item: object, found: Contents) -> Iterator[object]:
    if isinstance(item, np.ndarray):
        if item.dtype.kind == "O":
            yield from item.ravel().tolist()
        elif item.dtype.names:
            yield from (item[name] for name in item.dtype.names)
        else:
            found.arrays.append(item)
        return
    if sparse.issparse(item):
        found.arrays.append(_dense(item))
        return
    if isinstance(item, memoryview):
        found.arrays.append(np.asarray(item))
        return
    if isinstance(item, dict):
        yield from item.keys()
        yield from item.values()
        return
    if isinstance(item, (list, tuple, set, frozenset)):
        yield from item
        return
    if isinstance(item, Pipeline):
        found.pipelines.append(item)
    yield from _state(item)


def _dense(matrix: Any) -> Array:  # noqa: ANN401 - SciPy has no types
    if matrix.shape[0] * matrix.shape[-1] > MAX_DENSE:
        raise RunnerError(f"the model holds a sparse matrix of shape {matrix.shape}, too large to be examined")
    try:
        dense: Array = matrix.toarray()
    except Exception as error:  # its parts came with the model and need not fit together
        raise RunnerError(f"the model holds a damaged sparse matrix: {error}") from None
    return dense


def _state(item: object) -> Iterator[object]:
    attributes = getattr(item, "__dict__", None)
    if isinstance(attributes, dict):
        yield attributes
    if not type(item).__module__.startswith("sklearn."):
        return
    # Compiled classes, such as search trees and tree nodes, show their arrays only in what they would pickle.
    try:
        reduced = item.__reduce_ex__(4)
    except Exception:
        return
    if isinstance(reduced, tuple):
        yield from reduced[1:]
