"""The files that a lock gives for a package: whether they are those of the release that it says.

Advisories are looked up for the name and version that an entry states, and what is installed is one of its files. An
entry may state the one and give the other: not every installer compares them, and uv can be told not to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from weighbridge.checks.dependencies.names import canonical
from weighbridge.checks.dependencies.text import plain
from weighbridge.checks.dependencies.versions import parse_version

CHECKED: Final = "https://"
"""Beginning of the URLs of servers whose identity is checked."""

_WHEEL: Final = ".whl"
_ENDINGS: Final = (_WHEEL, ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar")


class LockedFile(msgspec.Struct, frozen=True):
    """One wheel or source archive, as uv.lock and pylock.toml write it."""

    name: str | None = None
    filename: str | None = None
    url: str | None = None
    path: str | None = None
    hash: str | None = None
    hashes: dict[str, Any] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return every file name that it states: its own, and the ends of where it lies."""
        places = [*([urlsplit(self.url).path] if self.url else []), *([self.path] if self.path else [])]
        ends = [unquote(place).replace("\\", "/").rpartition("/")[2] for place in places]
        return tuple(name for name in (self.name, self.filename, *ends) if name)

    @property
    def hashed(self) -> bool:
        """Tell whether its bytes are under a digest."""
        return bool(self.hash or self.hashes)

    @property
    def from_checked_server(self) -> bool:
        """Tell whether nothing says that it lies elsewhere than on such a server."""
        return self.path is None and (self.url or CHECKED).lower().startswith(CHECKED)


def why_unbound(name: str, files: Iterable[LockedFile], *, index: str = CHECKED) -> str:
    """Return why the bytes of an entry can be any, or nothing.

    A file that is fetched by https from a release's index may lack a digest; one from a path or another server not.
    """
    servers_checked = index.lower().startswith(CHECKED)
    if all(file.hashed or (servers_checked and file.from_checked_server) for file in files):
        return ""
    return (
        f"{name[:200]} is taken from a path or from a server whose identity is not checked, and its bytes are under no "
        "digest; lock it from an https:// index with hashes"
    )


def why_other_files(name: str, version: str | None, files: Iterable[LockedFile]) -> str:
    """Return why the files of an entry are not surely those of its release, or nothing."""
    if version is None:
        return ""
    try:
        other = next((each for file in files for each in file.names if not _is_of(each, name, version)), None)
    except ValueError:
        return f"where a file of {name[:200]} lies is no URL, so what is installed is not known"
    if other is None:
        return ""
    return (
        f"{name[:200]} is locked as {plain(version, limit=60)}, and its file {plain(other, limit=120)!r} does not say "
        "that it is of this name and version; lock it again"
    )


def _is_of(file: str, name: str, version: str) -> bool:
    ending = next((each for each in _ENDINGS if file.lower().endswith(each)), None)
    if ending is None:
        return False
    parts = file[: -len(ending)].split("-")
    # The names of old source archives have dashes, and so may their versions.
    ends = [(1, 2)] if ending == _WHEEL else [(end, len(parts)) for end in range(1, len(parts))]
    return any(
        canonical("-".join(parts[:middle])) == canonical(name) and _same("-".join(parts[middle:end]), version)
        for middle, end in ends
    )


def _same(written: str, version: str) -> bool:
    if written == version:
        return True
    found = parse_version(written.replace("_", "-"))
    return found is not None and found == parse_version(version)
