"""Read requirements files: what pip would install from them, as far as they say it exactly.

A requirement is judged when it names one version (``==`` or ``===``). Anything looser, a URL, a path or an editable
install is undecided: which version it will be is not written here. What a marker excludes wherever the model may be
served is passed over.

Where an option has packages come from elsewhere is judged in ``elsewhere``.

A requirements file lists what it lists: packages that those packages need in turn are judged only where the file, or
a constraints file that it includes, names them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement

from weighbridge.checks.dependencies.inventory import Inventory, Pin, normalise
from weighbridge.checks.dependencies.reasons import not_judged
from weighbridge.checks.dependencies.sources.elsewhere import PlacedOption, judge_options
from weighbridge.checks.dependencies.sources.requirement_lines import (
    OptionLine,
    RequirementLine,
    UnreadableLine,
)
from weighbridge.checks.dependencies.sources.requirement_tree import Kind, NotIncluded, Placed, RequirementTree
from weighbridge.checks.dependencies.sources.targets import Targets
from weighbridge.checks.dependencies.text import plain
from weighbridge.checks.dependencies.versions import parse_version
from weighbridge.errors import InputError
from weighbridge.evidence.record import Finding, Undecided

MAX_REQUIREMENT: Final = 4096
"""Longest requirement without its hashes, in characters."""

_UNREADABLE: Final = (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName, InputError, RecursionError)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|git\+|file:")
_TARGETS: Final = Targets(values={"extra": ""})
_ARCHIVE: Final = (
    *(".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz"),
    *(".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"),
)
"""What pip takes for an archive; ``demo==1.0+x.zip`` is the file of that name, where there is one."""


@dataclass(frozen=True, slots=True)
class _Loose:
    """A requirement that names no version, which a pin elsewhere may do wherever its marker holds."""

    name: str
    marker: Marker | None
    location: str


@dataclass(slots=True)
class _Reading:
    """What was found so far while a file and everything that it includes is read."""

    pins: list[Pin] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)
    loose: list[_Loose] = field(default_factory=list)
    pinned: dict[str, list[Marker | None]] = field(default_factory=lambda: defaultdict(list))
    unhashed: list[str] = field(default_factory=list)
    options: list[PlacedOption] = field(default_factory=list)
    passed_over: int = 0

    def doubt(self, location: str, reason: str) -> None:
        self.undecided.append(not_judged("not-pinned", reason, location=location))


def read_requirements(path: Path) -> Inventory:
    """Read a requirements file and the files that it includes, as one input.

    Included files must lie in the directory of the given file or below it.

    Raises:
        InputError: When the file itself cannot be read or is no text; a nested one that cannot be read is
            undecided.
    """
    reading = _Reading()
    tree = RequirementTree(path)
    for each in tree.walk():
        if isinstance(each, NotIncluded):
            reading.doubt(each.location, each.reason)
        else:
            _line(reading, each)
    for loose in reading.loose:
        pinned = reading.pinned[loose.name]
        if not _is_pinned(loose, pinned):
            reading.doubt(loose.location, _why_loose(loose, pinned))
    judged = tuple(judge_options(reading.options, unhashed=reading.unhashed))
    return Inventory(
        inputs=(tree.describe(),),
        pins=tuple(reading.pins),
        findings=tuple(each for each in judged if isinstance(each, Finding)),
        undecided=(*reading.undecided, *(each for each in judged if isinstance(each, Undecided))),
        passed_over=reading.passed_over,
        indexes=tuple(each.option.value for each in reading.options if each.option.name.endswith("-url")),
    )


def _is_pinned(loose: _Loose, pinned: Sequence[Marker | None]) -> bool:
    try:
        return _TARGETS.covered(loose.marker, pinned, context="requirement")
    except _UNREADABLE:
        return False


def _why_loose(loose: _Loose, pinned: Sequence[Marker | None]) -> str:
    if not pinned:
        return f"{loose.name} is not pinned to one version, so which one is installed is not known"
    return (
        f"{loose.name} is pinned to one version in some places only ({plain(str(pinned[0]), limit=120)}), and this "
        "requirement holds in others too; pin it there as well"
    )


def _line(reading: _Reading, placed: Placed) -> None:
    match placed.line:
        case UnreadableLine() as line:
            reading.doubt(placed.location, f"the line cannot be judged: {plain(line.reason)}")
        case OptionLine() as line:
            _option(reading, line, placed.location)
        case RequirementLine() as line:
            _requirement(reading, line, placed.location, kind=placed.kind)


def _option(reading: _Reading, option: OptionLine, location: str) -> None:
    if option.name == "--editable":
        reading.doubt(location, "an editable install is whatever its directory holds; it has no version to look up")
    else:
        reading.options.append(PlacedOption(location, option))


def _requirement(reading: _Reading, line: RequirementLine, location: str, *, kind: Kind) -> None:
    if _is_place(line.text):
        reading.doubt(location, "a file, directory or URL is not a release of an index; it has no advisories")
        return
    try:
        if len(line.text) > MAX_REQUIREMENT:
            raise InputError(f"it is longer than {MAX_REQUIREMENT} characters")
        requirement = Requirement(line.text)
        name = normalise(requirement.name)
        marker = requirement.marker
        applies = marker is None or _TARGETS.may_hold(marker, context="requirement")
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
    # As pip: what stands before the marker is looked at.
    name = text.partition(";")[0].rstrip()
    return "@" not in name and name.lower().endswith(_ARCHIVE)


def _pin(
    reading: _Reading, requirement: Requirement, name: str, line: RequirementLine, location: str, *, kind: Kind
) -> None:
    exact = [
        each.version
        for each in requirement.specifier
        if each.operator == "===" or (each.operator == "==" and not each.version.endswith(".*"))
    ]
    if not line.hashes and kind is Kind.REQUIREMENT:
        reading.unhashed.append(name)
    if not exact:
        if kind is Kind.REQUIREMENT:
            reading.loose.append(_Loose(name, requirement.marker, location))
        else:
            reading.passed_over += 1
        return
    version = parse_version(exact[0])
    if "" in exact:
        reading.doubt(location, f"{name} is pinned to no version, so it is no requirement")
        return
    if len(set(exact)) > 1 or (version and not requirement.specifier.contains(version, prereleases=True)):
        reading.doubt(location, f"{name} is pinned to versions that contradict each other")
    reading.pinned[name].append(requirement.marker)
    reading.pins.extend(Pin(name=name, version=each, location=location) for each in dict.fromkeys(exact))
