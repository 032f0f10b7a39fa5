"""Read the metadata of one installed distribution."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from weighbridge import _json
from weighbridge.checks.dependencies.inventory import normalise
from weighbridge.checks.dependencies.names import canonical
from weighbridge.checks.dependencies.sources.environment_tree import EnvironmentTree
from weighbridge.errors import InputError, ParseError

MAX_METADATA: Final = 4 * 1024 * 1024
"""Most bytes of a METADATA or PKG-INFO file that are read; the long description stands behind the headers."""

MAX_RECORD: Final = 64 * 1024 * 1024
"""Largest RECORD that is read; the largest in common use, of big SDKs, have about 3 MB."""

_WANTED: Final = ("name", "version")
_DIST_INFO: Final = ".dist-info"
_EGGS: Final = (".egg-link", ".egg")
_ENDINGS: Final = (_DIST_INFO, ".egg-info", *_EGGS)
_EGG_INFO: Final = "egg-info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One installed distribution; ``record`` is None where it has none."""

    name: str
    version: str
    record: bytes | None
    doubt: str = ""

    @property
    def start_files(self) -> tuple[str, ...]:
        """Return the ``.pth`` files at the top of ``site-packages`` that this distribution recorded."""
        found = re.findall(rb"^([^,/\\\"\r\n]+\.pth),", self.record or b"", re.MULTILINE)
        return tuple(name.decode("utf-8", "surrogateescape") for name in found)


def is_metadata(name: str) -> bool:
    """Say whether a name at the top of a site is what Python, or a tool before it, takes for an installed distribution.

    As ``importlib.metadata`` (its ``Lookup``): endings in any case, with nothing before them too. ``EGG-INFO`` counts
    for Python in a path that ends in ``.egg`` alone, and here everywhere.
    """
    low = name.lower()
    return low.endswith(_ENDINGS) or low == _EGG_INFO


def read_distribution(tree: EnvironmentTree, name_in_tree: str) -> Distribution:
    """Read a ``.dist-info`` directory, or an ``.egg-info`` directory or file, by its name in the environment.

    Raises:
        InputError: When the metadata is missing, unreadable, or names no package and version.
    """
    place = PurePosixPath(name_in_tree)
    low = place.name.lower()
    if low.endswith(_EGGS) or low == _EGG_INFO:
        raise InputError("it was installed as an egg, whose metadata is not read; install it from a wheel")
    name, version = _metadata(tree, place)
    record, doubt = None, ""
    if low.endswith(_DIST_INFO):
        record = _optional(tree, place / "RECORD", MAX_RECORD)
        stem = low.removesuffix(_DIST_INFO).partition("-")[0]
        if canonical(stem) != name:
            doubt = f"its directory names another package than its metadata, which says {name}"
        doubt = doubt or _origin(tree, place, name)
    return Distribution(name=name, version=version, record=record, doubt=doubt)


def _metadata(tree: EnvironmentTree, place: PurePosixPath) -> tuple[str, str]:
    # Python asks for these in this order, in a .dist-info as in an .egg-info. Other tools read the one that belongs to
    # the format, so where there are several they must say the same.
    candidates = (place / "METADATA", place / "PKG-INFO", place)
    found = {
        _name_and_version(data) for each in candidates if (data := _optional(tree, each, MAX_METADATA)) is not None
    }
    if not found:
        raise InputError("its metadata is missing or cannot be read")
    if len(found) > 1:
        raise InputError("its METADATA and its PKG-INFO name different packages or versions")
    return found.pop()


def _optional(tree: EnvironmentTree, path: PurePosixPath, limit: int) -> bytes | None:
    try:
        data = tree.read(str(path), limit=limit)
    except OSError:
        return None
    if len(data) > limit:
        raise InputError(f"{path.name} is larger than {limit} bytes")
    return data


def _name_and_version(data: bytes) -> tuple[str, str]:
    found: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").split("\n"):
        if not line.strip():
            break
        key, colon, value = line.partition(":")
        key = key.lower()
        if colon and key in _WANTED:
            if key in found:
                raise InputError(f"its metadata says {key} twice")
            found[key] = value.strip()
    if not found.get("name") or not found.get("version"):
        raise InputError("its metadata names no package and version")
    return normalise(found["name"]), found["version"]


def _origin(tree: EnvironmentTree, place: PurePosixPath, name: str) -> str:
    """Say why a distribution is no release of an index, from ``direct_url.json`` (PEP 610)."""
    data = _optional(tree, place / "direct_url.json", 1024 * 1024)
    if data is None:
        return ""
    try:
        origin: Any = _json.loads(data, what="direct_url.json")
    except ParseError:
        return f"where {name} came from cannot be read"
    if not isinstance(origin, dict):
        return f"where {name} came from cannot be read"
    folder = origin.get("dir_info")
    if isinstance(folder, dict) and folder.get("editable") is True:
        return f"{name} is an editable install: it is whatever its source directory holds"
    if isinstance(folder, dict):
        return f"{name} was installed from a directory, not from an index, so its content is not a known release"
    kind = "version control" if "vcs_info" in origin else "a URL"
    return f"{name} was installed from {kind}, not from an index, so its content is not a known release"
