"""Read requirements files: what pip would install from them, as far as they say it exactly.

A requirement is judged when it names one version (``==`` or ``===``). Anything looser, a URL, a path or an editable
install is undecided: which version it will be is not written here. What a marker excludes wherever the model may be
served is passed over.

A requirements file lists what it lists: packages that those packages need in turn are judged only where the file, or
a constraints file that it includes, names them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

from weighbridge.checks.dependencies.inventory import Inventory, Pin, describe, normalise, read_input
from weighbridge.checks.dependencies.sources.requirement_lines import (
    OptionLine,
    RequirementLine,
    UnreadableLine,
    decode,
    lines,
)
from weighbridge.checks.dependencies.sources.targets import Place, may_hold, places
from weighbridge.checks.dependencies.text import plain
from weighbridge.checks.dependencies.versions import parse_version
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import Input
from weighbridge.evidence.record import Finding, Severity, Undecided

MAX_FILES: Final = 200
"""Most requirements files that one may include, directly or through another."""

MAX_REQUIREMENT: Final = 4096
"""Longest requirement without its hashes, in characters."""

NESTED_SUFFIXES: Final = (".txt", ".in", ".pip")
"""Endings that an included file must have. A requirements file is hostile input: without this it could have any file
below its directory opened, and a line of a private key repeated as "no requirement"."""

_UNREADABLE: Final = (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName, InputError, RecursionError)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|git\+|file:")
_ARCHIVE: Final = (".whl", ".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tar")
_NESTED: Final = {"--requirement": "requirement", "--constraint": "constraint"}


@dataclass(slots=True)
class _Reading:
    """What was found so far while a file and everything that it includes is read."""

    root: Path
    inputs: list[Input] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)
    loose: list[tuple[str, str, str]] = field(default_factory=list)
    bounds: set[str] = field(default_factory=set)
    unhashed: list[str] = field(default_factory=list)
    options: list[tuple[str, OptionLine]] = field(default_factory=list)
    seen: set[tuple[Path, str]] = field(default_factory=set)
    passed_over: int = 0
    places: tuple[Place, ...] = field(default_factory=lambda: places(values={"extra": ""}))

    def doubt(self, location: str, reason: str) -> None:
        self.undecided.append(Undecided(location=location, reason=reason))


def read_requirements(path: Path) -> Inventory:
    """Read a requirements file and the files that it includes.

    Included files must lie in the directory of the given file or below it.

    Raises:
        InputError: When the file itself cannot be read or is no text; a nested one that cannot be read is
            undecided.
    """
    reading = _Reading(root=path.parent)
    _read(reading, path, plain(path.name), kind="requirement")
    pinned = {pin.name for pin in reading.pins}
    for name, location, reason in reading.loose:
        if name not in pinned:
            reading.doubt(location, reason)
    findings = tuple(_index_findings(reading))
    return Inventory(
        inputs=tuple(reading.inputs),
        pins=tuple(reading.pins),
        findings=findings,
        undecided=tuple(reading.undecided),
        passed_over=reading.passed_over,
        indexes=tuple(option.value for _, option in reading.options if option.name.endswith("-url")),
    )


def included_files(path: Path) -> tuple[Path, ...]:
    """Return the files that a requirements file includes with ``-r`` and ``-c``, directly or through another.

    For the caller that has to let a confined worker read them. Files that cannot be read, that lie outside the
    directory of the given file, and those beyond ``MAX_FILES`` are left out; the audit then says so.
    """
    found: dict[Path, None] = {}
    waiting = [path]
    while waiting and len(found) < MAX_FILES:
        current = waiting.pop()
        try:
            text = decode(read_input(current, what=current.name), what=current.name)
            for line in lines(text, what=current.name):
                if isinstance(line, OptionLine) and line.name in _NESTED:
                    nested = _inside(path.parent, current.parent, line.value)
                    if nested not in found and nested != path:
                        found[nested] = None
                        waiting.append(nested)
        except InputError:
            continue
    return tuple(nested for nested in found if nested.is_file())


def _inside(root: Path, folder: Path, written: str) -> Path:
    if _URL.match(written) or PurePosixPath(written).is_absolute():
        raise InputError("it is not a relative path")
    nested = folder / written
    if not nested.resolve().is_relative_to(root.resolve()):
        raise InputError("it lies outside the directory of the file that is audited")
    if not (written.endswith(NESTED_SUFFIXES) and nested.resolve().name.endswith(NESTED_SUFFIXES)):
        raise InputError(f"its name does not end in {', '.join(NESTED_SUFFIXES)}")
    # Without this, "a/../b" and "b" would be two files.
    return root / nested.resolve().relative_to(root.resolve())


def _read(reading: _Reading, path: Path, name: str, *, kind: str) -> None:
    data = read_input(path, what=name)
    text = decode(data, what=name)
    reading.seen.add((path.resolve(), kind))
    rows = 0
    place = len(reading.inputs)
    for line in lines(text, what=name):
        rows += 1
        location = f"{name}:{line.number}"
        match line:
            case UnreadableLine():
                reading.doubt(location, f"the line cannot be judged: {plain(line.reason)}")
            case OptionLine():
                _option(reading, line, path, location)
            case RequirementLine():
                _requirement(reading, line, location, kind=kind)
    reading.inputs.insert(place, describe(name, data, rows=rows))


def _option(reading: _Reading, option: OptionLine, path: Path, location: str) -> None:
    if option.name == "--editable":
        reading.doubt(location, "an editable install is whatever its directory holds; it has no version to look up")
    elif option.name in _NESTED:
        try:
            nested = _inside(reading.root, path.parent, option.value)
            if (nested.resolve(), _NESTED[option.name]) in reading.seen:
                return
            if len(reading.seen) >= MAX_FILES:
                raise InputError(f"more than {MAX_FILES} files are included")
            name = plain(nested.relative_to(reading.root).as_posix())
            _read(reading, nested, name, kind=_NESTED[option.name])
        except InputError as error:
            reading.doubt(location, f"the included file {plain(option.value)!r} is not judged: {error}")
    else:
        reading.options.append((location, option))


def _requirement(reading: _Reading, line: RequirementLine, location: str, *, kind: str) -> None:
    if _is_place(line.text):
        reading.doubt(location, "a file, directory or URL is not a release of an index; it has no advisories")
        return
    try:
        if len(line.text) > MAX_REQUIREMENT:
            raise InputError(f"it is longer than {MAX_REQUIREMENT} characters")
        requirement = Requirement(line.text)
        name = normalise(requirement.name)
        marker = requirement.marker
        applies = marker is None or may_hold(marker, reading.places, context="requirement")
    except _UNREADABLE as error:
        reading.doubt(location, f"{plain(line.text, limit=120)!r} is no requirement: {plain(str(error), limit=200)}")
        return
    if not applies:
        reading.passed_over += 1
    elif requirement.url is not None:
        reading.doubt(location, f"{name} comes from a URL, so that its content is not a release of an index")
    else:
        _pin(reading, requirement, name, line, location, kind=kind)


def _is_place(text: str) -> bool:
    if _URL.match(text) or text.startswith((".", "/", "~")):
        return True
    return "@" not in text and text.lower().endswith(_ARCHIVE)


def _pin(
    reading: _Reading, requirement: Requirement, name: str, line: RequirementLine, location: str, *, kind: str
) -> None:
    exact = [
        each.version
        for each in requirement.specifier
        if each.operator == "===" or (each.operator == "==" and not each.version.endswith(".*"))
    ]
    if not line.hashes and kind == "requirement":
        reading.unhashed.append(name)
    if not exact:
        if kind == "requirement":
            reason = f"{name} is not pinned to one version, so which one is installed is not known"
            reading.loose.append((name, location, reason))
        else:
            reading.passed_over += 1
        return
    version = parse_version(exact[0])
    if "" in exact:
        reading.doubt(location, f"{name} is pinned to no version, so it is no requirement")
        return
    if len(set(exact)) > 1 or (version and not requirement.specifier.contains(version, prereleases=True)):
        reading.doubt(location, f"{name} is pinned to versions that contradict each other")
    reading.pins.extend(Pin(name=name, version=each, location=location) for each in dict.fromkeys(exact))


def _index_findings(reading: _Reading) -> Iterator[Finding]:
    for location, option in reading.options:
        if option.name == "--extra-index-url" and reading.unhashed:
            shown = ", ".join(sorted(set(reading.unhashed))[:5])
            yield Finding(
                rule="index-confusion",
                severity=Severity.HIGH,
                message=(
                    f"A second package index is asked for every name, and {len(set(reading.unhashed))} packages have "
                    f"no hash ({shown}): whoever can publish one of these names on either index decides what is "
                    "installed. This is how torchtriton was replaced in December 2022."
                ),
                location=location,
                remedy="Pin with hashes (--require-hashes), or take every package from one --index-url.",
            )
        elif option.name == "--trusted-host" or option.value.startswith("http://"):
            yield Finding(
                rule="insecure-index",
                severity=Severity.MEDIUM,
                message="Packages are fetched from a server whose identity is not checked.",
                location=location,
                remedy="Use an https:// index with a certificate that the machine trusts, and no --trusted-host.",
            )
