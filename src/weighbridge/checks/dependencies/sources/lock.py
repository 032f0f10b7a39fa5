"""What the lock formats have in common: TOML, packages, and the way from a root to each of them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec

from weighbridge.checks.dependencies.inventory import (
    GAP,
    Inventory,
    Pin,
    describe,
    natural_roots,
    normalise,
    paths_from_roots,
)
from weighbridge.checks.dependencies.names import canonical
from weighbridge.checks.dependencies.reasons import not_judged
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import InputError, ParseError
from weighbridge.evidence.record import Undecided

MAX_EDGES: Final = 1_000_000
"""Most connections between packages of one lock."""

MAX_PACKAGES: Final = 50_000
"""Most packages in one lock."""

T = TypeVar("T")


class LockFormat(StrEnum):
    """A lock format, by the name of the file that its tool writes."""

    UV = "uv.lock"
    POETRY = "poetry.lock"
    PYLOCK = "pylock.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One package of a lock.

    ``needs`` names other packages, each with its version where the lock tells two versions apart. ``doubt`` says why
    the package is not a release of an index. ``own`` marks the project itself and its workspace members, which are
    what is being built and no dependency: paths begin there. ``applies`` is false where a marker excludes it here.
    """

    name: str
    version: str | None
    needs: tuple[tuple[str, str | None], ...] = ()
    doubt: str = ""
    own: bool = False
    applies: bool = True


def parse_toml(data: bytes, *, what: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        ParseError: When the bytes are not UTF-8 or not TOML.
    """
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ParseError(f"{what} is not UTF-8: {error.reason} at byte {error.start}") from None
    except (RecursionError, ValueError) as error:
        raise ParseError(f"{what} is not TOML: {plain(str(error), limit=200)}") from None


def parse_lock(data: bytes, *, what: str, of: LockFormat) -> dict[str, Any]:
    """Parse a lock of one format, and of no other.

    A policy binds a lock's bytes and not its name, so bytes that are a lock of two formats would have two readings
    under one digest, and whoever names the file would choose.

    Raises:
        ParseError: When the bytes are not UTF-8 or not TOML, or bear the mark of another format.
    """
    document = parse_toml(data, what=what)
    others = [f"{other}" for other in LockFormat if other is not of and _MARKS[other](document)]
    if others:
        raise ParseError(
            f"{what} is read as {of} for its name, and its content is that of {' and '.join(others)}: one lock must "
            "have one reading",
            remedy="give the lock under the name, and with the content, that its tool wrote",
        )
    return document


def _is_poetry(document: dict[str, Any]) -> bool:
    metadata = document.get("metadata")
    return isinstance(metadata, dict) and "lock-version" in metadata


_MARKS: Final[dict[LockFormat, Callable[[dict[str, Any]], bool]]] = {
    LockFormat.UV: lambda document: "version" in document,
    LockFormat.POETRY: _is_poetry,
    LockFormat.PYLOCK: lambda document: "lock-version" in document or "packages" in document,
}
"""What each format requires at its top, and none of the others has."""


def convert(value: object, into: type[T], *, what: str) -> T:
    """Give parsed data its type; fields that the type does not name are passed over.

    Raises:
        ParseError: For a missing field or one of another type.
    """
    try:
        return msgspec.convert(value, into, strict=True)
    except msgspec.ValidationError as error:
        raise ParseError(f"{what} is not a lock of its format: {error}") from None


def inventory_of(locked: Sequence[Locked], *, name: str, data: bytes, table: str) -> Inventory:
    """Turn the packages of a lock into an inventory, with a path from a root to each.

    Every package that the lock holds for this target is judged, whether or not a root leads to it. ``table`` is the
    name of the array of tables that the packages stand in, from which their lines are known.

    Raises:
        ParseError: When there are more than ``MAX_PACKAGES``.
    """
    if len(locked) > MAX_PACKAGES:
        raise ParseError(f"{name} has more than {MAX_PACKAGES} packages")
    places = _places(data, table, len(locked))
    paths = _paths(locked)
    pins: list[Pin] = []
    undecided: list[Undecided] = []
    passed_over = 0
    for place, package in enumerate(locked):
        location = f"{name}:{places[place]}" if places else f"{name}#{plain(package.name, limit=200)}"
        try:
            normal = normalise(package.name)
        except InputError as error:
            reason = f"the package {plain(package.name, limit=200)!r} cannot be looked up: {error}"
            undecided.append(not_judged("not-pinned", reason, location=location))
            continue
        if package.own or not package.applies:
            passed_over += 1
        elif package.version is None:
            reason = package.doubt or f"{normal} has no version in the lock"
            undecided.append(not_judged("not-pinned", reason, location=location))
        else:
            path = paths.get(place, (normal,))
            pins.append(Pin(name=normal, version=package.version, location=location, path=path, doubt=package.doubt))
    return Inventory(
        inputs=(describe(name, data, rows=len(locked)),),
        pins=tuple(pins),
        undecided=tuple(undecided),
        passed_over=passed_over,
    )


def _places(data: bytes, table: str, count: int) -> list[int]:
    header = re.compile(rb"\s*\[\[\s*" + table.encode() + rb"\s*\]\]")
    found = [number for number, line in enumerate(data.splitlines(), start=1) if header.match(line)]
    # Inline tables and strings with line breaks could shift the count; then no line is better than a wrong one.
    return found if len(found) == count else []


def _paths(locked: Sequence[Locked]) -> dict[int, tuple[str, ...]]:
    names = [canonical(package.name) for package in locked]
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    edges: dict[str, list[str]] = {}
    count = 0
    for place, package in enumerate(locked):
        reached: list[str] = []
        edges[str(place)] = reached
        for needed, version in package.needs:
            targets = places.get(canonical(needed), ())
            count += len(targets)
            if count > MAX_EDGES:
                raise ParseError(f"the packages have more than {MAX_EDGES} connections")
            reached.extend(str(one) for one in targets if version is None or locked[one].version == version)
    own = [str(place) for place, package in enumerate(locked) if package.own]
    found = paths_from_roots(edges, [*own, *natural_roots(edges)])
    shown = {GAP: GAP, **{str(place): name for place, name in enumerate(names)}}
    return {int(place): tuple(shown[step] for step in path) for place, path in found.items()}
