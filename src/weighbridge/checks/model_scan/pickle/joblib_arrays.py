"""The raw arrays between the opcodes of a joblib file (``joblib.numpy_pickle.NumpyArrayWrapper``).

After the opcode that gives a wrapper its state, joblib reads one byte, as many padding bytes as it says, and the
array raw; an array of objects follows as a pickle of its own. A plain unpickler, in contrast, takes these bytes for
opcodes, and nobody knows with which of the two a file will be opened. So the padding is demanded as joblib 1.2 and
newer write it, with 1 to 16 in its first byte: no such byte is an opcode, and a plain unpickler stops right there.
A pickle of objects is followed as both would read it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from weighbridge.checks.model_scan.pickle.literals import MAX_LITERAL
from weighbridge.checks.model_scan.pickle.rules.arrays import is_endless, is_plain_array_type
from weighbridge.checks.model_scan.pickle.rules.dtypes import layout_of
from weighbridge.checks.model_scan.pickle.values import Blob, Collection, Group, Instance

if TYPE_CHECKING:
    from weighbridge.checks.model_scan.pickle.machine import Machine

WRAPPER: Final = ("joblib.numpy_pickle", "NumpyArrayWrapper")
"""The class that stands for an array."""

ALIGNMENT: Final = 16
"""The only alignment that joblib has ever written."""


def follow(machine: Machine, wrapper: Instance) -> None:
    """Pass over the array of a wrapper that just got its state.

    Raises:
        RefusedError: The wrapper describes no array as joblib writes it, or the array is cut off.
    """
    state = wrapper.state
    entries = state.entries if type(state) is Collection and state.special is None else {}
    kind, order, shape, dtype = (entries.get(key) for key in ("subclass", "order", "shape", "dtype"))
    if not is_plain_array_type(kind) or order not in ("C", "F"):
        machine.refuse("a joblib array is of another class or order than numpy's own", rule="malformed-joblib")
    layout = layout_of(dtype)
    if layout is not None and layout.is_plain_object:
        _follow_objects(machine, wrapper)
        return
    if layout is None or layout.holds_objects or type(shape) is not Group or shape.cut:
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
    count = math.prod(lengths)
    if is_endless(count, layout):
        machine.refuse("a joblib array has more elements of no bytes than any array", rule="object-bomb")
    length = count * layout.size
    wrapper.raw = Blob("bytes", offset=machine.reader.tell() + padding, length=length)
    machine.reader.skip(padding)
    if length <= MAX_LITERAL:
        wrapper.short = machine.reader.read(length)
    else:
        machine.reader.skip(length)


def _follow_objects(machine: Machine, wrapper: Instance) -> None:
    from weighbridge.checks.model_scan.pickle.machine import Machine

    inner = Machine(
        machine.reader, machine.context.inside(machine.context.source, location=machine.context.location), outer=machine
    )
    wrapper.content = Collection("list")
    wrapper.content.add(inner.run())
