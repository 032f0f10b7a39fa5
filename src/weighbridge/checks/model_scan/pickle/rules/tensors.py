"""PyTorch's tensors: a storage, and a view of it that stays inside."""

from __future__ import annotations

import re
from typing import Final

from weighbridge.checks.model_scan.pickle.rules.kinds import is_empty, is_shape, is_small, lengths_of, made_by
from weighbridge.checks.model_scan.pickle.rules.rule import Items, Rule
from weighbridge.checks.model_scan.pickle.values import Blob, Collection, Global, Group, Instance, Storage, Value

MAX_EXPANDED: Final = 1 << 24
"""Most elements that a tensor may have over fewer numbers, by steps of zero."""

_DEVICE: Final = re.compile(r"(?:cpu|cuda|mps|xpu|meta|hpu|xla|npu)(?::\d{1,3})?")
_LAYOUT: Final = re.compile(r"torch\.(?:strided|sparse_coo|sparse_csr|sparse_csc|sparse_bsr|sparse_bsc)")
_UNKNOWN_SIZE: Final = 1 << 31


def _size_of(storage: Value) -> int | None:
    if type(storage) is Storage:
        return storage.count
    return _UNKNOWN_SIZE if made_by(storage, "_load_from_bytes") else None


def _tensor(items: Items) -> bool:
    match items:
        case [storage, int(offset), sizes, steps]:
            rest: Items = []
        case [storage, int(offset), sizes, steps, bool(), hooks, *rest]:
            if not is_empty(hooks) or len(rest) > 1 or not all(is_empty(one) for one in rest):
                return False
        case _:
            return False
    count = _size_of(storage)
    shape, strides = _numbers(sizes), _numbers(steps)
    if count is None or shape is None or strides is None or len(shape) != len(strides) or offset < 0:
        return False
    elements = 1
    for length in shape:
        elements *= length
    if not elements:
        return offset <= count
    last = offset + sum((length - 1) * step for length, step in zip(shape, strides, strict=True))
    return last < count and elements <= max(count, MAX_EXPANDED)


def _numbers(value: Value) -> list[int] | None:
    if type(value) is Instance and made_by(value, "Size") and len(value.args.items) == 1:
        value = value.args.items[0]
    return lengths_of(value) if is_shape(value) else None


def is_tensor(value: Value) -> bool:
    """Tell whether a value is a tensor that a rebuilder gave, with no state of its own."""
    made = made_by(value, "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_from_type_v2")
    return made and type(value) is Instance and not value.built


def _parameter(items: Items) -> bool:
    match items:
        case [tensor, bool(), hooks]:
            return is_tensor(tensor) and is_empty(hooks)
        case _:
            return False


_REBUILDERS: Final = {"_rebuild_tensor": _tensor, "_rebuild_tensor_v2": _tensor, "_rebuild_parameter": _parameter}


def _typed(items: Items) -> bool:
    match items:
        case [Global(name=name) as function, Global(name="Tensor" | "Parameter"), Group(cut=False) as args, state]:
            known = function.rule is not None and name in _REBUILDERS
            return known and _REBUILDERS[name](args.items) and _is_tensor_state(state)
        case _:
            return False


def _is_tensor_state(state: Value) -> bool:
    if type(state) is Collection:
        # Attributes that a person gave a tensor: numbers and text, under names of their own.
        own = all(not name.startswith("_") and name not in _METHODS for name in state.entries)
        return state.kind == "dict" and state.special is None and state.is_plain and own
    return is_empty(state)


_METHODS: Final = frozenset({"detach", "data", "grad", "requires_grad_", "set_", "numpy", "to", "cpu", "clone"})


def _size(items: Items) -> bool:
    match items:
        case []:
            return True
        case [Group() as sizes]:
            return is_shape(sizes)
        case [Collection(kind="list") as sizes]:
            return sizes.is_plain and sizes.count <= 64  # noqa: PLR2004
        case _:
            return False


def _device(items: Items) -> bool:
    match items:
        case [str(name)] | [str(name), int() | None]:
            return _DEVICE.fullmatch(name) is not None and all(one is None or is_small(one) for one in items[1:])
        case _:
            return False


def _layout(items: Items) -> bool:
    return len(items) == 1 and isinstance(items[0], str) and _LAYOUT.fullmatch(items[0]) is not None


def _storage_bytes(items: Items) -> bool:
    return len(items) == 1 and (type(items[0]) is bytes or (type(items[0]) is Blob and items[0].kind == "bytes"))


TENSOR_RULES: Final = {
    "tensor": Rule(call=_tensor),
    "parameter": Rule(call=_parameter),
    "typed-tensor": Rule(call=_typed),
    "tensor-type": Rule(),
    "storage-type": Rule(),
    "storage-bytes": Rule(call=_storage_bytes),
    "size": Rule(call=_size, is_plain=True),
    "device": Rule(call=_device, is_plain=True),
    "layout": Rule(call=_layout, is_plain=True),
}
"""The rules about PyTorch."""
