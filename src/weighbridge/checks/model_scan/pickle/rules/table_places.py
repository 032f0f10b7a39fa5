"""Where pandas takes numbers as places: codes of categories and levels, and the columns of blocks.

``pandas/_libs/algos.pyx`` takes codes, and ``pandas/_libs/internals.pyx`` writes at the places of blocks, without
asking whether they lie inside. So each must lie inside the index that it belongs to, whose length must be known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from weighbridge.checks.model_scan.pickle.rules.kinds import MAX_SMALL, is_count, listed_objects, made_by, object_class
from weighbridge.checks.model_scan.pickle.rules.parts import array_parts
from weighbridge.checks.model_scan.pickle.rules.rule import Places
from weighbridge.checks.model_scan.pickle.values import Collection, Global, Group, Instance, Value

_MISSING: Final = -1
"""The code of a value that is missing."""

_OLD_STATE: Final = "0.14.1"
"""The version under which pandas keeps the state of blocks that it still reads."""


def index_length(index: Value) -> int | None:
    """Return how many elements an index has; None where that cannot be told."""
    if type(index) is not Instance or not made_by(index, "_new_Index"):
        return _array_length(index)
    kind, parts = index.args.items[0], index.args.items[1]
    if type(kind) is not Global or type(parts) is not Collection:
        return None
    entries = parts.entries
    if kind.name == "RangeIndex":
        start, stop, step = entries.get("start", 0), entries.get("stop"), entries.get("step", 1)
        whole = isinstance(start, int) and isinstance(stop, int) and isinstance(step, int) and step != 0
        return len(range(start, stop, step)) if whole else None  # type: ignore[arg-type]
    if kind.name == "MultiIndex":
        codes = listed_objects(entries.get("codes", entries.get("labels")))
        return _array_length(codes[0]) if codes else None
    return index_length(entries.get("data", entries.get("left")))


def index_places(index: Instance) -> list[Places] | None:
    """Name the codes of an index of several levels."""
    kind, parts = index.args.items[0], index.args.items[1]
    if type(kind) is not Global or kind.name != "MultiIndex" or type(parts) is not Collection:
        return []
    levels = listed_objects(parts.entries.get("levels"))
    codes = listed_objects(parts.entries.get("codes", parts.entries.get("labels")))
    if (
        levels is None
        or codes is None
        or len(levels) != len(codes)
        or ("labels" in parts.entries) == ("codes" in parts.entries)
    ):
        return None
    if len({_array_length(one) for one in codes}) > 1:
        return None
    return _coded(zip(codes, levels, strict=True))


def category_places(array: Instance) -> list[Places] | None:
    """Name the codes of an array of categories; any other array of pandas has none."""
    parts = array.state.items[:2] if type(array.state) is Group else []
    dtypes = [one for one in parts if made_by(one, "CategoricalDtype")]
    codes = [one for one in parts if array_parts(one) is not None]
    if not dtypes:
        return []
    made = dtypes[0]
    described = made.state if type(made) is Instance else None
    if len(codes) != 1 or type(described) is not Collection:
        return None
    return _coded([(codes[0], described.entries.get("categories"))])


def any_places(block: Instance) -> list[Places] | None:
    """Name the places of a block or of what stands for them, which pandas believes even below zero."""
    arrays = [one for one in block.args.items[:2] if array_parts(one) is not None]
    placed = arrays[-1:] if len(arrays) == len(block.args.items[:2]) else []
    return [Places(one, "places of blocks", below=MAX_SMALL) for one in placed]


def block_places(manager: Instance) -> list[Places] | None:
    """Name the places of the columns of every block."""
    if manager.args.items and object_class(manager) is manager.maker:
        found = _new_blocks(manager.args.items)
    elif manager.built:
        found = _old_blocks(manager.state)
    else:
        return []
    if found is None:
        return None
    index, places = found
    length = index_length(index)
    if length is None:
        return None
    arrays = []
    for place in places:
        if array_parts(place) is not None:
            arrays.append(Places(place, "places of blocks", below=length))
        elif not _is_within(place, length):
            return None
    return arrays


def _new_blocks(items: list[Value]) -> tuple[Value, list[Value]] | None:
    match items:
        case [Group() as blocks, Collection() as axes] if indexes := listed_objects(axes):
            placed = [block.args.items[1] for block in blocks.items if type(block) is Instance]
            return indexes[0], [_bare(place) for place in placed]
        case [Instance() as block, index]:
            return index, [_bare(block.args.items[1])]
        case _:
            return None


def _old_blocks(state: Value) -> tuple[Value, list[Value]] | None:
    last = state.items[-1] if type(state) is Group and state.items else None
    described = last.entries.get(_OLD_STATE) if type(last) is Collection else None
    if type(described) is not Collection:
        return None
    axes, blocks = (listed_objects(described.entries.get(name)) for name in ("axes", "blocks"))
    if not axes or blocks is None:
        return None
    return axes[0], [_bare(one.entries.get("mgr_locs")) if type(one) is Collection else None for one in blocks]


def _bare(place: Value) -> Value:
    return place.args.items[0] if type(place) is Instance and made_by(place, "BlockPlacement") else place


def _is_within(place: Value, length: int) -> bool:
    if is_count(place):
        return place < length
    if type(place) is not Instance or not made_by(place, "slice"):
        return False
    match place.args.items:
        case [start, None, int(step)] if step < 0:
            return is_count(start) and start < length
        case [start, stop, int(step)] if step != 0 and is_count(start) and is_count(stop):
            covered = range(start, stop, step)
            return not covered or max(covered[0], covered[-1]) < length
        case _:
            return False


def _coded(pairs: Iterable[tuple[Value, Value]]) -> list[Places] | None:
    found = []
    for codes, index in pairs:
        length = index_length(index)
        if length is None or array_parts(codes) is None or length > MAX_SMALL:
            return None
        found.append(Places(codes, "codes", below=length, least=_MISSING))
    return found


def _array_length(value: Value) -> int | None:
    parts = array_parts(value)
    if parts is not None:
        return parts.lengths[0] if parts.lengths and len(parts.lengths) == 1 else None
    # An array of pandas over one of NumPy's: its state is that and its type.
    state = value.state if type(value) is Instance and value.built else None
    inner = state.items[:2] if type(state) is Group else []
    if type(state) is Collection:
        inner = [one for name in ("_codes", "_ndarray") if (one := state.entries.get(name)) is not None]
    arrays = [one for one in inner if array_parts(one) is not None]
    return _array_length(arrays[0]) if len(arrays) == 1 else None
