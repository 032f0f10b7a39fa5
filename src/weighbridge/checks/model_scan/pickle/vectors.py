"""scikit-learn's support vector machines: libsvm believes the lengths and counts that it is given.

``sklearn/svm/src/libsvm/libsvm_helper.c`` copies as many coefficients, intercepts and counts as the number of classes
asks for, whatever the arrays hold, and ``svm.cpp`` goes through the vectors of each class by its count.
"""

from __future__ import annotations

import array
import sys
from typing import Final

from weighbridge.checks.model_scan.pickle.array_bytes import row_of
from weighbridge.checks.model_scan.pickle.followed import Followed
from weighbridge.checks.model_scan.pickle.rules.kinds import is_shape, lengths_of, object_class
from weighbridge.checks.model_scan.pickle.rules.parts import array_lengths, array_parts
from weighbridge.checks.model_scan.pickle.rules.rule import Places
from weighbridge.checks.model_scan.pickle.values import Collection, Instance, Value

_CLASSIFIERS: Final = frozenset({"SVC", "NuSVC"})
_COMPUTED: Final = "precomputed"
MAX_CLASSES: Final = 10_000
"""Most classes of a machine that is followed."""


def support_vectors(machine: Instance) -> Followed | str:  # noqa: PLR0911 - each way is one of its own
    """Tell whether the arrays of a machine fit one another; nothing of them is followed further."""
    state = machine.state
    if type(state) is not Collection or "support_vectors_" not in state.entries:
        return Followed()  # it was not fitted, and says so itself
    entries = state.entries
    vectors, counts = _shape(entries["support_vectors_"]), _counts(entries.get("_n_support", entries.get("n_support_")))
    order = entries.get("support_")
    number = _length(order)
    if vectors is None or number is None or counts is None or not 2 <= len(counts) <= MAX_CLASSES:  # noqa: PLR2004
        return "has no support vectors in a table, or no count of them for each class"
    classifies = object_class(machine).name in _CLASSIFIERS
    pairs = len(counts) * (len(counts) - 1) // 2 if classifies else 1
    dual = entries.get("_dual_coef_")
    if not classifies and (len(counts) != 2 or not _is_whole(dual, number)):  # noqa: PLR2004
        return "has counts or coefficients of more classes than one"
    fits = (
        _is_whole(dual, number * (len(counts) - 1 if classifies else 1))
        and (not classifies or (min(counts) >= 0 and sum(counts) == number))
        and _shape(entries.get("_dual_coef_")) == [len(counts) - 1 if classifies else 1, number]
        and _length(entries.get("_intercept_")) == pairs
        and all(_length(entries[name]) in (0, pairs) for name in ("_probA", "_probB", "probA_") if name in entries)
    )
    if not fits:
        return "has counts, coefficients and intercepts that do not fit one another"
    fitted = entries.get("shape_fit_")
    if not (len(vectors) == 2 and vectors[0] == number) and not (entries.get("kernel") == _COMPUTED and not vectors[0]):  # noqa: PLR2004
        return "has another number of support vectors than of their places"
    if not is_shape(fitted) or not lengths_of(fitted):
        return "does not say how many rows it was fitted on"
    # Of a kernel that was computed before, the vectors are columns of what is asked, by their places; any machine can
    # be told that its kernel is one.
    return Followed(places=(Places(order, "places of support vectors", below=lengths_of(fitted)[0]),))


def _is_whole(value: Value, number: int) -> bool:
    """Tell whether a table has all its numbers: of a sparse one libsvm reads as many as its shape says."""
    if type(value) is Instance and type(value.state) is Collection and "_shape" in value.state.entries:
        return array_lengths(value.state.entries.get("data")) == [number]
    return True


def _shape(value: Value) -> list[int] | None:
    found = array_lengths(value)
    if found is None and type(value) is Instance and type(value.state) is Collection:
        shape = value.state.entries.get("_shape")  # of a sparse table
        found = lengths_of(shape) if is_shape(shape) else None
    return found


def _length(value: Value) -> int | None:
    found = array_lengths(value)
    return found[0] if found is not None and len(found) == 1 else None


def _counts(value: Value) -> list[int] | None:
    parts, row = array_parts(value), row_of(value)
    if parts is None or row is None or parts.code != "i4" or parts.order != "<" or type(row.content) is not bytes:
        return None
    counts = array.array("i", row.content[: 4 * row.count])
    if sys.byteorder == "big":
        counts.byteswap()
    return list(counts)
