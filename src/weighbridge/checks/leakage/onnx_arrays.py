"""Read the number arrays of an ONNX file: initializers, tensors and lists of floats in attributes.

A small walk over the protobuf wire format with the field numbers of onnx.proto (ONNX IR); nothing else of the file is
interpreted. Sub-graphs and functions are walked too. It is bounded in size, depth and number of arrays.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.interface import ModelFile
from weighbridge.checks.leakage.external_data import ExternalData
from weighbridge.checks.runners.interface import RunnerError

MAX_ONNX_BYTES: Final = 2 * 1024**3
"""Largest ONNX file that is read; protobuf itself allows no more."""

MAX_DEPTH: Final = 24
"""Deepest nesting of messages on the way to an array."""

MAX_ARRAYS: Final = 100_000
"""Most arrays of one file."""

MAX_VARINTS: Final = 5_000_000
"""Most values that are read one by one, from tensors that do not use raw bytes."""

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Array = NDArray[Any]

# Field numbers of messages that lead to arrays, by message.
_MODEL: Final = {7: "graph", 25: "function"}
_GRAPH: Final = {1: "node", 5: "tensor"}
_FUNCTION: Final = {7: "node", 11: "attribute"}
_NODE: Final = {5: "attribute"}
_ATTRIBUTE: Final = {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"}
_CHILDREN: Final = {
    "model": _MODEL,
    "graph": _GRAPH,
    "function": _FUNCTION,
    "node": _NODE,
    "attribute": _ATTRIBUTE,
}
_ATTRIBUTE_FLOATS: Final = 7

_TENSOR_TYPES: Final[dict[int, str]] = {
    1: "<f4",
    2: "<u1",
    3: "<i1",
    4: "<u2",
    5: "<i2",
    6: "<i4",
    7: "<i8",
    9: "<u1",
    10: "<f2",
    11: "<f8",
    12: "<u4",
    13: "<u8",
}
_BFLOAT16: Final = 16


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    wire: int
    value: int
    content: memoryview


def onnx_arrays(content: bytes, *, beside: Mapping[str, ModelFile] | None = None) -> list[Array]:
    """Return every number array of an ONNX file, with those that it keeps in the files ``beside`` it.

    Raises:
        RunnerError: The file is damaged or over a limit, or a file that it needs is not there.
    """
    external = ExternalData(beside or {})
    if len(content) > MAX_ONNX_BYTES:
        raise RunnerError(f"the ONNX file has more than {MAX_ONNX_BYTES} bytes")
    found: list[Array] = []
    todo = [("model", memoryview(content), 0)]
    while todo:
        kind, message, depth = todo.pop()
        if depth > MAX_DEPTH:
            raise RunnerError(f"the ONNX file nests deeper than {MAX_DEPTH} levels")
        if kind == "tensor":
            array = _tensor(message, external)
            if array is not None:
                found.append(array)
        else:
            children = _CHILDREN[kind]
            floats: list[memoryview] = []
            for field in _fields(message):
                if field.number in children and field.wire == _BYTES:
                    todo.append((children[field.number], field.content, depth + 1))
                elif kind == "attribute" and field.number == _ATTRIBUTE_FLOATS:
                    floats.append(field.content)
            if floats:
                found.append(np.frombuffer(b"".join(floats), dtype="<f4"))
        if len(found) + len(todo) > MAX_ARRAYS * 10 or len(found) > MAX_ARRAYS:
            raise RunnerError(f"the ONNX file has more than {MAX_ARRAYS} arrays")
    return found


def _fields(message: memoryview) -> Iterator[_Field]:
    at, end = 0, len(message)
    empty = message[:0]
    while at < end:
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield _Field(number, wire, value, empty)
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_FIXED32, _FIXED64):
            length = 4 if wire == _FIXED32 else 8
        else:
            raise RunnerError(f"the ONNX file has a field of wire type {wire}")
        if length > end - at:
            raise RunnerError("the ONNX file ends within a field")
        yield _Field(number, wire, 0, message[at : at + length])
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004
            return value, at
    raise RunnerError("the ONNX file has a number that does not end")


def _tensor(message: memoryview, external: ExternalData) -> Array | None:
    dims: list[int] = []
    kind = 0
    raw: memoryview | None = None
    typed: dict[int, list[memoryview | int]] = {}
    elsewhere: dict[str, str] = {}
    outside = False
    for field in _fields(message):
        if field.number == 1:
            dims.extend([field.value] if field.wire == _VARINT else _varints(field.content))
        elif field.number == 2:  # noqa: PLR2004
            kind = field.value
        elif field.number == 9:  # noqa: PLR2004
            raw = field.content
        elif field.number in (4, 5, 7, 10, 11):
            typed.setdefault(field.number, []).append(field.value if field.wire == _VARINT else field.content)
        elif field.number == 13:  # noqa: PLR2004
            elsewhere |= _entry(field.content)
        elif field.number == 14:  # noqa: PLR2004
            outside = field.value == 1
    if kind != _BFLOAT16 and kind not in _TENSOR_TYPES:
        return None
    if outside or elsewhere:
        width = np.dtype("<u2" if kind == _BFLOAT16 else _TENSOR_TYPES[kind]).itemsize
        raw = external.read(elsewhere, needed=math.prod(dims) * width)
    flat = _raw(raw, kind) if raw is not None else _typed(typed, kind)
    if math.prod(dims) != flat.size:
        raise RunnerError(f"the ONNX file has {flat.size} values for an array of shape {tuple(dims)}")
    return flat.reshape(dims)


def _entry(message: memoryview) -> dict[str, str]:
    """Return one entry of what describes external data: a key and its value."""
    parts = {field.number: bytes(field.content).decode("utf-8", "replace") for field in _fields(message)}
    return {parts.get(1, ""): parts.get(2, "")}


def _raw(content: memoryview, kind: int) -> Array:
    dtype = np.dtype("<u2" if kind == _BFLOAT16 else _TENSOR_TYPES[kind])
    if len(content) % dtype.itemsize:
        raise RunnerError("the ONNX file has an array that ends within a value")
    flat: Array = np.frombuffer(content, dtype=dtype)
    return _widen(flat) if kind == _BFLOAT16 else flat


def _widen(halves: Array) -> Array:
    # A bfloat16 is the upper half of a single.
    wide: Array = (halves.astype(np.uint32) << 16).view(np.float32)
    return wide


def _typed(typed: dict[int, list[memoryview | int]], kind: int) -> Array:
    if 4 in typed or 10 in typed:  # noqa: PLR2004
        number = 4 if 4 in typed else 10  # noqa: PLR2004
        packed = b"".join(part for part in typed[number] if isinstance(part, memoryview))
        try:
            return np.frombuffer(packed, dtype="<f4" if number == 4 else "<f8")  # noqa: PLR2004
        except ValueError:
            raise RunnerError("the ONNX file has an array that ends within a value") from None
    values: list[int] = []
    for parts in typed.values():
        for part in parts:
            values.extend([part] if isinstance(part, int) else _varints(part))
            if len(values) > MAX_VARINTS:
                raise RunnerError(f"the ONNX file has more than {MAX_VARINTS} values outside raw bytes in one array")
    if kind == 10 or kind == _BFLOAT16:  # noqa: PLR1714, PLR2004
        halves = np.array([value & 0xFFFF for value in values], dtype="<u2")
        return halves.view("<f2") if kind == 10 else _widen(halves)  # noqa: PLR2004
    signed = struct.unpack(f"<{len(values)}q", struct.pack(f"<{len(values)}Q", *[v & (2**64 - 1) for v in values]))
    return np.array(signed, dtype=np.int64)


def _varints(content: memoryview) -> list[int]:
    values: list[int] = []
    at = 0
    while at < len(content):
        value, at = _varint(content, at)
        values.append(value)
        if len(values) > MAX_VARINTS:
            raise RunnerError(f"the ONNX file has more than {MAX_VARINTS} values outside raw bytes in one array")
    return values
