"""The files of which requirements consist: the one that is named, its root, and what it includes, under one digest.

A policy binds requirements, not files: an included file must not stand for its root, nor one included file for another.
So what is bound are the bytes of the root where it includes nothing, and otherwise a list as ``sha256sum`` prints it,
the root first and then what it includes in the order of names, relative to the root's directory::

    sha256sum requirements.txt base.txt constraints.txt | sha256sum

What is installed follows from the root's bytes and from which bytes each included name has. The list holds both.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Final

from weighbridge.checks.dependencies.inventory import describe, read_input
from weighbridge.checks.dependencies.sources.requirement_lines import Line, OptionLine, decode, lines
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import Input

MAX_FILES: Final = 200
"""Most files that requirements may consist of; one that is included as both kinds counts twice."""

NESTED_SUFFIXES: Final = (".txt", ".in", ".pip")
"""Endings that an included file must have. A requirements file is hostile input: without this it could have any file
below its directory opened, and a line of a private key repeated as "no requirement"."""

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|git\+|file:")
_LISTED: Final = re.compile(r"[\w./+ -]+")
"""Names that a list of sums can hold. ``sha256sum`` escapes others, or the list could be read as requirements itself
(``==1.0;`` in a name), and then stand for itself under its own digest."""


class Kind(StrEnum):
    """What a file is included as."""

    REQUIREMENT = "requirement"
    CONSTRAINT = "constraint"


_INCLUDES: Final = {"--requirement": Kind.REQUIREMENT, "--constraint": Kind.CONSTRAINT}


@dataclass(frozen=True, slots=True)
class Placed:
    """A line that includes no file, where it stands, and as what its file is read."""

    location: str
    kind: Kind
    line: Line


@dataclass(frozen=True, slots=True)
class NotIncluded:
    """A line that includes a file which is not read, and why."""

    location: str
    reason: str


@dataclass(slots=True)
class RequirementTree:
    """Requirements that are being read; what it says of its files holds when ``walk`` has come to its end."""

    root: Path
    rows: int = 0
    _data: bytes = b""
    _sums: dict[Path, str] = field(default_factory=dict)
    _seen: set[tuple[Path, Kind]] = field(default_factory=set)

    def __post_init__(self) -> None:
        # As pip makes them: names are compared, so each file must have one.
        self.root = Path(os.path.abspath(self.root))

    def walk(self) -> Iterator[Placed | NotIncluded]:
        """Yield every line of the root and of what it includes, in the order in which pip reads them.

        Raises:
            InputError: When the root itself cannot be read or is no text.
        """
        return self._walk(self.root, Kind.REQUIREMENT)

    @property
    def included(self) -> tuple[Path, ...]:
        """Return the files beside the root that were read."""
        return tuple(path for path in self._sums if path != self.root)

    @property
    def bytes_to_bind(self) -> bytes:
        """Return the bytes whose sha256 binds the requirements, and which are signed."""
        if not self.included:
            return self._data
        listed = [self.root, *sorted(self.included, key=lambda path: self._name(path).encode())]
        return "".join(f"{self._sums[path]}  {self._name(path)}\n" for path in listed).encode()

    def describe(self) -> Input:
        """Return what the evidence says about the requirements as one input."""
        return describe(plain(self.root.name), self.bytes_to_bind, rows=self.rows)

    def _walk(self, path: Path, kind: Kind) -> Iterator[Placed | NotIncluded]:
        name = plain(self._name(path))
        self._seen.add((path, kind))
        text = decode(self._read(path, name), what=name)
        for line in lines(text, what=name):
            self.rows += 1
            location = f"{name}:{line.number}"
            if isinstance(line, OptionLine) and line.name in _INCLUDES:
                yield from self._include(path.parent, line, location)
            else:
                yield Placed(location, kind, line)

    def _include(self, folder: Path, line: OptionLine, location: str) -> Iterator[Placed | NotIncluded]:
        kind = _INCLUDES[line.name]
        try:
            nested = self._inside(folder, line.value)
            if (nested, kind) in self._seen:
                return
            if len(self._seen) >= MAX_FILES:
                raise InputError(f"more than {MAX_FILES} files are included")
            yield from self._walk(nested, kind)
        except InputError as error:
            yield NotIncluded(location, f"the included file {plain(line.value)!r} is not judged: {error}")

    def _inside(self, folder: Path, written: str) -> Path:
        top = self.root.parent
        if _URL.match(written) or PurePosixPath(written).is_absolute() or "\0" in written:
            raise InputError("it is not a relative path")
        nested = Path(os.path.normpath(folder / written))
        real = _real(folder / written)
        if not (nested.is_relative_to(top) and real.is_relative_to(_real(top))):
            raise InputError("it lies outside the directory of the file that is audited")
        if not (nested.name.endswith(NESTED_SUFFIXES) and real.name.endswith(NESTED_SUFFIXES)):
            raise InputError(f"its name does not end in {', '.join(NESTED_SUFFIXES)}")
        # Old pip lets the file system follow "link/..", new pip takes both parts out of the path.
        if real != _real(nested):
            raise InputError("its path leads up again from a link, which not every pip reads alike")
        if not (_LISTED.fullmatch(self._name(nested)) and _LISTED.fullmatch(self.root.name)):
            raise InputError("its name or that of the file that is audited cannot stand in a list of checksums")
        return nested

    def _read(self, path: Path, name: str) -> bytes:
        data = read_input(path, what=name)
        if path == self.root:
            self._data = data
        found = hashlib.sha256(data).hexdigest()
        if self._sums.setdefault(path, found) != found:
            raise InputError("it was changed while it was read")
        return data

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root.parent).as_posix()


def _real(path: Path) -> Path:
    # Not resolve, which has no answer for a link to itself before Python 3.13.
    return Path(os.path.realpath(path))


def included_files(path: Path) -> tuple[Path, ...]:
    """Return the files that a requirements file includes with ``-r`` and ``-c``, directly or through another.

    For the caller that has to let a confined worker read them. Files that are not read are left out; the audit then
    says so.
    """
    tree = RequirementTree(path)
    try:
        deque(tree.walk(), maxlen=0)
    except InputError:
        return ()
    return tree.included


def bytes_to_bind(path: Path) -> bytes:
    """Return the bytes whose sha256 binds requirements: of the file, or of the list of it and what it includes.

    Raises:
        InputError: When a file cannot be read, or one that is included may not be.
    """
    tree = RequirementTree(path)
    for each in tree.walk():
        if isinstance(each, NotIncluded):
            raise InputError(
                f"{each.location}: {each.reason}, so these requirements could never be judged",
                remedy="include files beside or below it, by relative paths",
            )
    return tree.bytes_to_bind
