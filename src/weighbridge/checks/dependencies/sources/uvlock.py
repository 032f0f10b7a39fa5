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
from weighbridge.checks.dependencies.sources.lock_files import LockedFile, why_other_files, why_unbound
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import ParseError

FORMAT: Final = 1
"""The lock format that is understood; revisions within it only add fields."""

_PART: Final = "subdirectory"
"""A key of a source that only says which part of it is meant."""


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
    wheels: list[LockedFile] = []
    sdist: LockedFile | None = None

    @property
    def files(self) -> tuple[LockedFile, ...]:
        return (*self.wheels, *([] if self.sdist is None else [self.sdist]))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in self.source if kind != _PART]


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
    local = {kind for kind in ("editable", "virtual", "directory") if [kind] == package.kinds}
    own = bool(local) and (package.name in members or package.source[next(iter(local))] == ".")
    return Locked(
        name=package.name,
        version=package.version,
        needs=tuple((need.name, need.version) for group in groups for need in group),
        doubt="" if own else _doubt(package),
        own=own,
    )


def _doubt(package: _Package) -> str:
    name = package.name[:200]
    if len(package.kinds) > 1:
        # uv takes one of them and says nothing: of a registry and a directory, the registry.
        return f"{name} comes from several places ({plain(', '.join(package.kinds), limit=100)}), so which is not known"
    if "registry" not in package.source:
        kind = next(iter(package.source), "nowhere")[:20]
        return f"{name} comes from {kind}, not from an index, so that its content is not a known release"
    index = str(package.source["registry"])
    return why_unbound(name, package.files, index=index) or why_other_files(name, package.version, package.files)
