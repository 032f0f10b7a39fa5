"""List what lies in the sites of an environment, once, before anything of it is read.

Links are followed where they stay below the directory that was handed in, as Python follows them. What one leads to
outside is not held by the environment: it can be another thing tomorrow, and on another machine, so it is undecided.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from weighbridge.errors import InputError

MAX_ENTRIES: Final = 500_000
"""Most files and directories in the sites of one environment; large ones have about 100,000."""


@dataclass(frozen=True, slots=True)
class EnvironmentListing:
    """The names of everything in the sites, relative to the top, with ``/``; a site is ``.`` when it is the top itself.

    Names of sites, and so of all in them, have no links in them, but that of a site which leads out of the top.

    ``links`` are those to directories, with where they lead; a link to a file counts as a file. ``away`` are links, and
    sites, that lead out of the top. ``tops`` has for each site the names of what lies directly in it, sorted.
    """

    top: Path
    real_top: str
    sites: tuple[str, ...]
    files: set[str] = field(default_factory=set)
    directories: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    tops: dict[str, list[str]] = field(default_factory=dict)

    def within(self, name: str) -> str | None:
        """Return the name without links of something below the top; None when it lies elsewhere."""
        return _within(self.real_top, self.top / name)

    def site_of(self, name: str) -> str | None:
        """Return the site that a name lies in, None when it lies in none."""
        return next((site for site in self.sites if site in (".", name) or name.startswith(f"{site}/")), None)

    def is_directory(self, name: str) -> bool:
        """Say whether a name is a directory, or a link that may lead to one."""
        return name in self.directories or name in self.links or name in self.away


def name_in(folder: str, name: str) -> str:
    """Return the name that something in a directory has in the environment; the top itself is ``.``."""
    return posixpath.normpath(posixpath.join(folder, name))


def list_sites(top: Path, sites: Sequence[Path]) -> EnvironmentListing:
    """List everything in the sites, which lie at the top or below it.

    Raises:
        InputError: When a directory cannot be listed, or there are more than ``MAX_ENTRIES`` entries.
    """
    real_top = os.path.realpath(top)
    real = {name: _within(real_top, top / name) for name in (site.relative_to(top).as_posix() for site in sites)}
    found = EnvironmentListing(top, real_top, tuple(where or name for name, where in real.items()))
    for name, where in real.items():
        if where is None:
            found.away.add(name)
            found.tops[name] = []
        else:
            found.tops[where] = _list(found, where)
    return found


def _within(real_top: str, path: Path) -> str | None:
    real = os.path.realpath(path)
    return os.path.relpath(real, real_top) if os.path.commonpath([real_top, real]) == real_top else None


def _list(found: EnvironmentListing, site: str) -> list[str]:
    waiting = [site]
    first: list[str] = []
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(found.top / folder) as entries:
                names = [_place(found, entry, name_in(folder, entry.name), waiting) for entry in entries]
        except OSError as error:
            raise InputError(f"a directory of the environment cannot be read: {error.strerror}") from None
        if folder == site:
            first = sorted(names)
    return first


def _place(found: EnvironmentListing, entry: os.DirEntry[str], name: str, waiting: list[str]) -> str:
    count = len(found.files) + len(found.directories) + len(found.links) + len(found.away)
    if count >= MAX_ENTRIES:
        raise InputError(f"the environment holds more than {MAX_ENTRIES} files and directories")
    if not entry.is_symlink():
        if entry.is_dir():
            found.directories.add(name)
            waiting.append(name)
        else:
            found.files.add(name)
        return entry.name
    real = found.within(name)
    if real is None:
        found.away.add(name)
    elif (found.top / name).is_dir():
        found.links[name] = real
    else:
        found.files.add(name)
    return entry.name
