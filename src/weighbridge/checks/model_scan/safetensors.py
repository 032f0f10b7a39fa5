"""safetensors: a JSON header, then tensors one behind the other without holes.

After the format's description (huggingface/safetensors, README "Format") and its Rust reader: offsets contiguous from
zero to the end, keys unique, metadata text only.
"""

from __future__ import annotations

import math
from typing import Final

from weighbridge import _json
from weighbridge.checks.model_scan.documents import judge_metadata
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import RefusedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source
from weighbridge.errors import ParseError

MAX_HEADER: Final = 16 * 1024**2
"""Longest header that is read; the format allows 100 MB, real ones have less than one."""

_BITS: Final = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


def scan_safetensors(scan: Scan, source: Source, location: str) -> None:
    """Scan a safetensors file: its structure, and its metadata, which are texts that a program may render or follow.

    Raises:
        RefusedError: The structure is not exactly as the format demands.
    """
    reader = Reader(source)
    length = int.from_bytes(reader.read(8), "little")
    if length > MAX_HEADER:
        raise RefusedError("malformed-safetensors", f"the header has {length} bytes; at most {MAX_HEADER}", offset=0)
    raw = reader.read(length)
    if raw[:1] != b"{":
        raise RefusedError("malformed-safetensors", "the header does not begin with a brace", offset=8)
    try:
        header = _json.loads(raw, what="the header")
    except ParseError as error:
        raise RefusedError("malformed-safetensors", error.message, offset=8) from None
    if not isinstance(header, dict):
        raise RefusedError("malformed-safetensors", "the header is no object", offset=8)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise RefusedError("malformed-safetensors", "the metadata is not text by text", offset=8)
    judge_metadata(scan, metadata.items(), f"{location}!__metadata__")
    reader.skip(_end(header))
    if not reader.at_end():
        raise RefusedError("trailing-bytes", "bytes follow the last tensor", offset=reader.tell())


def _end(header: dict[str, object]) -> int:
    ranges = sorted(_range(name, entry) for name, entry in header.items())
    place = 0
    for begin, end in ranges:
        if begin != place:
            raise RefusedError("malformed-safetensors", f"tensors overlap or leave a hole at byte {place}", offset=8)
        place = end
    return place


def _range(name: str, entry: object) -> tuple[int, int]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise RefusedError(
            "malformed-safetensors", f"tensor {name!r} has not exactly dtype, shape, data_offsets", offset=8
        )
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise RefusedError("malformed-safetensors", f"tensor {name!r} has an unknown type", offset=8)
    for numbers in (shape, offsets):
        if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < 1 << 60 for n in numbers):
            raise RefusedError("malformed-safetensors", f"tensor {name!r} has a wrong shape or offsets", offset=8)
    if len(offsets) != 2 or (offsets[1] - offsets[0]) * 8 != math.prod(shape) * _BITS[dtype]:  # noqa: PLR2004
        raise RefusedError("malformed-safetensors", f"tensor {name!r} has another size than its shape says", offset=8)
    return offsets[0], offsets[1]
