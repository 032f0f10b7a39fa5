"""Read ``uv.lock``: every version that uv resolved, for every platform that the project supports.

A universal lock holds the packages of all platforms; all of them are judged, since a lock is what any of these
platforms installs. Source: uv documentation, "Lockfile", and locks written by uv 0.5 to 0.13 (format 1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from weighbridge.checks.dependencies.inventory import Inventory, read_input
from weighbridge.checks.dependencies.sources.lock import Locked, LockFormat, convert, inventory_of, parse_lock
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import ParseError

FORMAT: Final = 1
"""The lock format that is understood; revisions within it only add fields."""


class _Need(msgspec.Struct, frozen=True):
    name: str
    version: str | None = None


class _Package(msgspec.Struct, frozen=True, rename="kebab"):
    name: str
    source: dict[str, Any]
    version: str | None = None
    dependencies: list[_Need] = []
    optional_dependencies: dict[str, list[_Need]] = {}
    dev_dependencies: dict[str, list[_Need]] = {}


class _Manifest(msgspec.Struct, frozen=True):
    members: list[str] = []


class _Lock(msgspec.Struct, frozen=True):
    version: int
    package: list[_Package] = []
    manifest: _Manifest = _Manifest()


def read_uv_lock(path: Path) -> Inventory:
    """Read a lock that uv wrote.

    Raises:
        InputError: When it cannot be read, is no TOML, or has another format.
    """
    name = plain(path.name)
    return parse_uv_lock(read_input(path, what=name), name=name)


def parse_uv_lock(data: bytes, *, name: str) -> Inventory:
    """Read a lock that uv wrote, from bytes.

    Raises:
        ParseError: As ``read_uv_lock``.
    """
    lock = convert(parse_lock(data, what=name, of=LockFormat.UV), _Lock, what=name)
    if lock.version != FORMAT:
        raise ParseError(f"{name} has format {lock.version}; only format {FORMAT} of uv.lock is understood")
    members = frozenset(lock.manifest.members)
    locked = [_locked(package, members) for package in lock.package]
    return inventory_of(locked, name=name, data=data, table="package")


def _locked(package: _Package, members: frozenset[str]) -> Locked:
    groups = [
        package.dependencies,
        *package.optional_dependencies.values(),
        *package.dev_dependencies.values(),
    ]
    local = {kind for kind in ("editable", "virtual", "directory") if kind in package.source}
    own = bool(local) and (package.name in members or package.source[next(iter(local))] == ".")
    doubt = ""
    if not own and "registry" not in package.source:
        kind = next(iter(package.source), "nowhere")[:20]
        doubt = f"{package.name[:200]} comes from {kind}, not from an index, so that its content is not a known release"
    return Locked(
        name=package.name,
        version=package.version,
        needs=tuple((need.name, need.version) for group in groups for need in group),
        doubt=doubt,
        own=own,
    )
