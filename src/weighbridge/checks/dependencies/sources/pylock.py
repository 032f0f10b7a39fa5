"""Read ``pylock.toml`` (PEP 751, packaging.python.org "pylock.toml Specification").

Markers are evaluated for every place that the model may be served from, with and without every extra and dependency
group that the lock offers: an installer skips what a marker excludes, and may be asked for any of them or none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec
from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from weighbridge.checks.dependencies.inventory import Inventory, read_input
from weighbridge.checks.dependencies.sources.lock import Locked, LockFormat, convert, inventory_of, parse_lock
from weighbridge.checks.dependencies.sources.lock_files import LockedFile, why_other_files, why_unbound
from weighbridge.checks.dependencies.sources.targets import Targets
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import ParseError

FORMAT: Final = "1."
"""Beginning of the lock formats that are understood; a higher minor version only adds fields."""

_DIRECTORY: Final = "a directory"
_INDEX: Final = "files of a release"


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
    wheels: list[LockedFile] = []
    sdist: LockedFile | None = None

    @property
    def files(self) -> tuple[LockedFile, ...]:
        return (*self.wheels, *([] if self.sdist is None else [self.sdist]))


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
    choices = {
        "extras": frozenset(lock.extras),
        "dependency_groups": frozenset((*lock.dependency_groups, *lock.default_groups)),
    }
    try:
        targets = Targets(pythons=SpecifierSet(lock.requires_python), choices=choices)
    except InvalidSpecifier:
        raise ParseError(f"{name} says no versions of Python in its requires-python") from None
    locked = [_locked(package, targets) for package in lock.packages]
    return inventory_of(locked, name=name, data=data, table="packages")


def _locked(package: _Package, targets: Targets) -> Locked:
    applies, doubt = _applies(package, targets)
    kind = _source(package)
    own = kind == _DIRECTORY and package.directory is not None and package.directory.path in (".", "./", "")
    if not own and kind:
        doubt = doubt or f"{package.name[:200]} comes from {kind}, so that its content is not a known release"
    doubt = (
        doubt
        or why_unbound(package.name, package.files)
        or why_other_files(package.name, package.version, package.files)
    )
    return Locked(
        name=package.name,
        version=package.version,
        needs=tuple((need.name, need.version) for need in package.dependencies if need.name),
        doubt=doubt,
        own=own,
        applies=applies,
    )


def _source(package: _Package) -> str:
    found = [kind for kind, value in _kinds(package).items() if value]
    if len(found) > 1:
        return f"several places ({', '.join(found)}), of which the format allows one"
    return next((kind for kind in found if kind != _INDEX), "")


def _kinds(package: _Package) -> dict[str, bool]:
    return {
        "version control": package.vcs is not None,
        _DIRECTORY: package.directory is not None,
        "an archive at a URL": package.archive is not None,
        _INDEX: bool(package.files),
    }


def _applies(package: _Package, targets: Targets) -> tuple[bool, str]:
    if package.marker is None:
        return True, ""
    try:
        return targets.may_hold(Marker(package.marker), context="lock_file"), ""
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName, TypeError, RecursionError):
        return True, f"the marker of {package.name[:200]} cannot be evaluated, so it may or may not be installed"
