"""PyTorch's two formats: the zip archive of 1.6 and newer, and the row of pickles before it.

In both, tensors' numbers lie outside the pickle, and the pickle names them by persistent ids
``('storage', type, key, location, numel)``; nothing else may be a persistent id. After ``torch/serialization.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from weighbridge.checks.model_scan.pickle.context import Context
from weighbridge.checks.model_scan.pickle.machine import Machine
from weighbridge.checks.model_scan.pickle.values import Global, Group, Opaque, Storage, Value
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import RefusedError
from weighbridge.checks.model_scan.source import Source, head

MAGIC: Final = 0x1950A86A20F9469CFC6C
"""The number that the first pickle of the old format holds."""

PROTOCOL: Final = 1001
"""The number that the second pickle of the old format holds."""

ITEM_SIZES: Final = {
    "DoubleStorage": 8, "FloatStorage": 4, "HalfStorage": 2, "LongStorage": 8, "IntStorage": 4, "ShortStorage": 2,
    "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1, "BFloat16Storage": 2, "ComplexDoubleStorage": 16,
    "ComplexFloatStorage": 8, "UntypedStorage": 1,
}  # fmt: skip
"""Bytes of one element by storage type."""

_SMALL: Final[dict[str, int]] = {"version": 16, "byteorder": 16, ".format_version": 16, ".storage_alignment": 16}

Sizes = dict[str, int]


def storage_ids(sizes: Sizes, notes_to: Context) -> Callable[[Value, int], Value]:
    """Make the judge of persistent ids that collects the bytes which every storage key must have in ``sizes``."""

    def judge(value: Value, offset: int) -> Value:
        match value:
            case Group(
                items=[
                    "storage",
                    Global(module="torch" | "torch.storage", name=name),
                    str(key),
                    str(),
                    int(count),
                    *rest,
                ]
            ):
                if name in ITEM_SIZES and key.isdigit() and count >= 0 and rest in ([], [None]):
                    needed = ITEM_SIZES[name] * count
                    sizes[key] = max(sizes.get(key, 0), needed)
                    return Storage(key, count)
            case _:
                pass
        notes_to.finding("persistent-id", "a persistent id is not that of a tensor's storage", offset=offset)
        return Opaque.UNKNOWN

    return judge


def is_archive(names: set[str]) -> str | None:
    """Return the folder that a torch archive has everything in, or None when it is none."""
    roots = {name[: -len("/data.pkl")] for name in names if name.endswith("/data.pkl") and name.count("/") == 1}
    return roots.pop() if len(roots) == 1 else None


def scan_archive(context: Context, members: dict[str, tuple[int, Source]], root: str) -> set[str]:
    """Scan what belongs to a torch archive; return the members that were judged.

    Raises:
        RefusedError: The pickle cannot be followed, or a storage is missing or too short.
    """
    sizes: Sizes = {}
    reader = Reader(context.source)
    Machine(reader, replace(context, persistent=storage_ids(sizes, context))).run()
    if not reader.at_end():
        raise RefusedError("trailing-bytes", "bytes follow the end of the pickle", offset=reader.tell())
    judged = {f"{root}/data.pkl"}
    for key, needed in sorted(sizes.items()):
        name = f"{root}/data/{key}"
        if name not in members or members[name][0] < needed:
            raise RefusedError("missing-storage", f"the storage {name!r} is missing or shorter than its tensor")
        judged.add(name)
    for short, limit in _SMALL.items():
        name = f"{root}/{short}"
        if name in members and _is_short_text(members[name][1], limit):
            judged.add(name)
    identifier = f"{root}/.data/serialization_id"
    if identifier in members and _is_short_text(members[identifier][1], 64):
        judged.add(identifier)
    return judged


def _is_short_text(source: Source, limit: int) -> bool:
    data = head(source, limit + 1)
    return len(data) <= limit and data.isascii() and all(byte >= 32 or byte == 10 for byte in data)  # noqa: PLR2004


def is_legacy(source: Source) -> bool:
    """Tell whether a stream of pickles begins with PyTorch's magic number."""
    return MAGIC.to_bytes(10, "little") in head(source, 32)


def scan_legacy(context: Context) -> None:
    """Scan the old format: magic number, protocol, system facts, the object, the keys, then each storage raw.

    Raises:
        RefusedError: It is not exactly that.
    """
    reader = Reader(context.source)
    sizes: Sizes = {}
    for wanted in (MAGIC, PROTOCOL):
        if Machine(reader, context).run() != wanted:
            raise RefusedError("malformed-torch", "the file does not begin with torch's numbers", offset=reader.tell())
    Machine(reader, context).run()
    Machine(reader, replace(context, persistent=storage_ids(sizes, context))).run()
    Machine(reader, context).run()
    # The storages follow in the order of their sorted keys, each after its number of elements.
    for key in sorted(sizes):
        count = int.from_bytes(reader.read(8), "little")
        if count > sizes[key] or (count and sizes[key] % count):
            raise RefusedError(
                "malformed-torch", f"storage {key} has another length than its tensor", offset=reader.tell()
            )
        reader.skip(sizes[key])
    if not reader.at_end():
        raise RefusedError("trailing-bytes", "bytes follow the last storage", offset=reader.tell())
