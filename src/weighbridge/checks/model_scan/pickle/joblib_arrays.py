"""The raw arrays between the opcodes of a joblib file (``joblib.numpy_pickle.NumpyArrayWrapper``).

After the opcode that gives a wrapper its state, joblib reads one byte, as many padding bytes as it says, and the
array raw; an array of objects follows as a pickle of its own. A plain unpickler, in contrast, takes these bytes for
opcodes, and nobody knows with which of the two a file will be opened. So the padding is demanded as joblib 1.2 and
newer write it, with 1 to 16 in its first byte: no such byte is an opcode, and a plain unpickler stops right there.
A pickle of objects is followed as both would read it.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from weighbridge.checks.model_scan.pickle.values import MAX_KEPT, Collection, Global, Group, Instance, Value

if TYPE_CHECKING:
    from weighbridge.checks.model_scan.pickle.machine import Machine

WRAPPER: Final = ("joblib.numpy_pickle", "NumpyArrayWrapper")
"""The class that stands for an array."""

ALIGNMENT: Final = 16
"""The only alignment that joblib has ever written."""

_CODE: Final = re.compile(r"([biufcmMSUV])(\d{1,9})")
_FIXED: Final = {
    "b": (1,),
    "i": (1, 2, 4, 8),
    "u": (1, 2, 4, 8),
    "f": (2, 4, 8, 16),
    "c": (8, 16, 32),
    "m": (8,),
    "M": (8,),
}
_ELEMENT_SIZE: Final = 5  # the place of the element size in a dtype's state
_UNIT: Final = {"S": 1, "U": 4, "V": 1}


def follow(machine: Machine, wrapper: Instance) -> None:
    """Pass over the array of a wrapper that just got its state.

    Raises:
        RefusedError: The wrapper describes no array as joblib writes it, or the array is cut off.
    """
    state = wrapper.state
    entries = state.entries if type(state) is Collection and state.special is None else {}
    kind, order, shape, dtype = (entries.get(key) for key in ("subclass", "order", "shape", "dtype"))
    plain = type(kind) is Global and (kind.module, kind.name) in (("numpy", "ndarray"), ("numpy", "memmap"))
    if not plain or order not in ("C", "F"):
        machine.refuse("a joblib array is of another class or order than numpy's own", rule="malformed-joblib")
    size = element_size(dtype)
    if size == 0:
        _follow_objects(machine)
        return
    if size is None or type(shape) is not Group or shape.cut:
        machine.refuse("a joblib array has no shape or no plain type", rule="malformed-joblib")
    lengths = [length for length in shape.items if type(length) is int and length >= 0]
    if len(lengths) != len(shape.items):
        machine.refuse("a joblib array has a shape that is not of whole numbers", rule="malformed-joblib")
    padding = machine.reader.byte()
    if entries.get("numpy_array_alignment_bytes") != ALIGNMENT or not 1 <= padding <= ALIGNMENT:
        machine.refuse(
            "a joblib array is not padded as joblib 1.2 and newer do, so a plain unpickler would take it for opcodes",
            rule="ambiguous-joblib",
        )
    machine.reader.skip(padding + math.prod(lengths) * size)


def _follow_objects(machine: Machine) -> None:
    from weighbridge.checks.model_scan.pickle.machine import Machine

    inner = Machine(
        machine.reader, machine.context.inside(machine.context.source, location=machine.context.location), outer=machine
    )
    inner.run()


def element_size(dtype: Value) -> int | None:
    """Return the bytes of one element of a dtype, 0 for objects, None when it is not sure."""
    if type(dtype) is not Instance or (dtype.maker.module, dtype.maker.name) != ("numpy", "dtype"):
        return None
    code = dtype.args.items[0]
    if code in ("O8", "O4", "O"):
        return 0
    match = _CODE.fullmatch(code) if isinstance(code, str) else None
    if match is None:
        return None
    letter, size = match[1], int(match[2])
    if letter in _FIXED:
        return size if size in _FIXED[letter] else None
    return _sized(dtype, letter, size)


def _sized(dtype: Instance, letter: str, size: int) -> int | None:
    state = dtype.state
    if type(state) is not Group or len(state.items) <= _ELEMENT_SIZE:
        return None
    whole = size * _UNIT[letter]
    if state.items[_ELEMENT_SIZE] != whole or state.items[2] is not None or (letter == "V" and _has_objects(dtype)):
        return None
    return whole


def _has_objects(dtype: Value, depth: int = 0) -> bool:
    if type(dtype) is not Instance or depth > 8:  # noqa: PLR2004
        return True
    if type(dtype.state) is not Group or len(dtype.state.items) <= _ELEMENT_SIZE:
        return str(dtype.args.items[0]).startswith("O")
    fields = dtype.state.items[4]
    if type(fields) is Collection and (fields.special or len(fields.entries) >= MAX_KEPT):
        return True
    if type(fields) is not Collection:
        return str(dtype.args.items[0]).startswith("O") or fields is not None
    return any(type(value) is not Group or _has_objects(value.items[0], depth + 1) for value in fields.entries.values())
