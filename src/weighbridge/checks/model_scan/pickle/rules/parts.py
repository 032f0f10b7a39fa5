"""The parts of an array, whichever way a pickle wrote it."""

from __future__ import annotations

from dataclasses import dataclass

from weighbridge.checks.model_scan.pickle.rules.dtypes import code_of
from weighbridge.checks.model_scan.pickle.rules.kinds import is_shape, lengths_of, made_by
from weighbridge.checks.model_scan.pickle.values import Collection, Group, Instance, Value


@dataclass(frozen=True, slots=True)
class ArrayParts:
    """What an array was made of. ``content`` is None for objects that lie in a pickle of their own."""

    dtype: Value
    shape: Value
    content: Value

    @property
    def code(self) -> str | None:
        """Return the code of the dtype, such as ``f8``; None where it is no plain one."""
        return code_of(self.dtype)

    @property
    def order(self) -> str | None:
        """Return the order of bytes, ``<`` for the lowest first; None where the dtype has none."""
        state = self.dtype.state if type(self.dtype) is Instance else None
        return str(state.items[1]) if type(state) is Group else None

    @property
    def lengths(self) -> list[int] | None:
        """Return the lengths of the shape; None where it is none."""
        return lengths_of(self.shape) if is_shape(self.shape) else None


def array_lengths(value: Value) -> list[int] | None:
    """Return the lengths of an array's shape; None for anything else."""
    parts = array_parts(value)
    return None if parts is None else parts.lengths


def array_parts(value: Value) -> ArrayParts | None:
    """Take an array with its data apart: from its state, from a buffer, or what stands for one in a joblib file.

    None is returned for anything else, and for an array that was not given its state.
    """
    if type(value) is not Instance:
        return None
    if made_by(value, "_frombuffer"):
        content, dtype, shape = value.args.items[:3]
        return ArrayParts(dtype, shape, content)
    if not value.built or not made_by(value, "_reconstruct", "NumpyArrayWrapper", "_mareconstruct"):
        return None
    if type(value.state) is Collection:
        entries = value.state.entries
        content = value.short if value.short is not None else value.raw
        return ArrayParts(entries.get("dtype"), entries.get("shape"), content)
    if type(value.state) is Group:
        return ArrayParts(value.state.items[2], value.state.items[1], value.state.items[4])
    return None
