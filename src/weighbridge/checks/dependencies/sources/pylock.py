"""Read ``pylock.toml`` (PEP 751, packaging.python.org "pylock.toml Specification").

Markers are evaluated for every place that the model may be served from, with every extra and every dependency group
that the lock offers: an installer skips what a marker excludes, and may be asked for any of the extras.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.specifiers import InvalidSpecifier

from weighbridge.checks.dependencies.inventory import Inventory, read_input
from weighbridge.checks.dependencies.sources.lock import Locked, LockFormat, convert, inventory_of, parse_lock
from weighbridge.checks.dependencies.sources.targets import Place, may_hold, places
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import ParseError

FORMAT: Final = "1."
"""Beginning of the lock formats that are understood; a higher minor version only adds fields."""


class _Need(msgspec.Struct, frozen=True):
    name: str | None = None
    version: str | None = None


class _Directory(msgspec.Struct, frozen=True):
    path: str


class _Package(msgspec.Struct, frozen=True):
    name: str
    version: str | None = None
    marker: str | None = None
    dependencies: list[_Need] = []
    vcs: dict[str, Any] | None = None
    directory: _Directory | None = None
    archive: dict[str, Any] | None = None


class _Lock(msgspec.Struct, frozen=True, rename="kebab"):
    lock_version: str
    packages: list[_Package]
    extras: list[str] = []
    dependency_groups: list[str] = []
    default_groups: list[str] = []
    requires_python: str = ""


def read_pylock(path: Path) -> Inventory:
    """Read a lock of PEP 751.

    Raises:
        InputError: When it cannot be read, is no TOML, or has another format.
    """
    name = plain(path.name)
    return parse_pylock(read_input(path, what=name), name=name)


def parse_pylock(data: bytes, *, name: str) -> Inventory:
    """Read a lock of PEP 751, from bytes.

    Raises:
        ParseError: As ``read_pylock``.
    """
    lock = convert(parse_lock(data, what=name, of=LockFormat.PYLOCK), _Lock, what=name)
    if not lock.lock_version.startswith(FORMAT):
        raise ParseError(f"{name} has format {lock.lock_version[:20]!r}; format 1 of pylock.toml is understood")
    sets = {
        "extras": frozenset(lock.extras),
        "dependency_groups": frozenset((*lock.dependency_groups, *lock.default_groups)),
    }
    try:
        among = places(pythons=lock.requires_python, values=sets)
    except InvalidSpecifier:
        raise ParseError(f"{name} says no versions of Python in its requires-python") from None
    locked = [_locked(package, among) for package in lock.packages]
    return inventory_of(locked, name=name, data=data, table="packages")


def _locked(package: _Package, among: tuple[Place, ...]) -> Locked:
    applies, doubt = _applies(package, among)
    own = package.directory is not None and package.directory.path in (".", "./", "")
    if not own and (kind := _source(package)):
        doubt = doubt or f"{package.name[:200]} comes from {kind}, so that its content is not a known release"
    return Locked(
        name=package.name,
        version=package.version,
        needs=tuple((need.name, need.version) for need in package.dependencies if need.name),
        doubt=doubt,
        own=own,
        applies=applies,
    )


def _source(package: _Package) -> str:
    if package.vcs is not None:
        return "version control"
    if package.directory is not None:
        return "a directory"
    return "an archive at a URL" if package.archive is not None else ""


def _applies(package: _Package, among: tuple[Place, ...]) -> tuple[bool, str]:
    if package.marker is None:
        return True, ""
    try:
        return may_hold(Marker(package.marker), among, context="lock_file"), ""
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, TypeError, RecursionError):
        return True, f"the marker of {package.name[:200]} cannot be evaluated, so it may or may not be installed"
