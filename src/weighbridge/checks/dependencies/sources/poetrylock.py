"""Read ``poetry.lock``: every version that Poetry resolved, for every platform, group and extra.

All of them are judged, as for ``uv.lock``. Source: locks written by Poetry 1.1 to 2.2 (formats 1.1 to 2.1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from weighbridge.checks.dependencies.inventory import Inventory, read_input
from weighbridge.checks.dependencies.sources.lock import Locked, LockFormat, convert, inventory_of, parse_lock
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import ParseError

FORMATS: Final = ("1.", "2.")
"""Beginnings of the lock formats that are understood."""

_LEGACY_INDEX: Final = "legacy"


class _Source(msgspec.Struct, frozen=True):
    type: str


class _Package(msgspec.Struct, frozen=True):
    name: str
    version: str
    dependencies: dict[str, Any] = {}
    source: _Source | None = None


class _Metadata(msgspec.Struct, frozen=True, rename="kebab"):
    lock_version: str


class _Lock(msgspec.Struct, frozen=True):
    metadata: _Metadata
    package: list[_Package] = []


def read_poetry_lock(path: Path) -> Inventory:
    """Read a lock that Poetry wrote.

    Raises:
        InputError: When it cannot be read, is no TOML, or has another format.
    """
    name = plain(path.name)
    return parse_poetry_lock(read_input(path, what=name), name=name)


def parse_poetry_lock(data: bytes, *, name: str) -> Inventory:
    """Read a lock that Poetry wrote, from bytes.

    Raises:
        ParseError: As ``read_poetry_lock``.
    """
    lock = convert(parse_lock(data, what=name, of=LockFormat.POETRY), _Lock, what=name)
    if not lock.metadata.lock_version.startswith(FORMATS):
        raise ParseError(f"{name} has format {lock.metadata.lock_version[:20]!r}; formats 1 and 2 are understood")
    locked = [
        Locked(
            name=package.name,
            version=package.version,
            needs=tuple((needed, None) for needed in package.dependencies),
            doubt=_doubt(package),
        )
        for package in lock.package
    ]
    return inventory_of(locked, name=name, data=data, table="package")


def _doubt(package: _Package) -> str:
    if package.source is None or package.source.type == _LEGACY_INDEX:
        return ""
    return (
        f"{package.name[:200]} comes from {package.source.type[:20]}, not from an index, so that its content is not a "
        "known release"
    )
