"""Whether one advisory speaks about one version.

The rules, which follow the OSV schema's evaluation and widen it for local builds (``+cu121``, the normal case in
machine learning):

* affected is a version that the list names, or that lies in any range of type ECOSYSTEM; GIT ranges are no
  statement about PyPI versions and are passed over;
* the list is compared by PEP 440 equality on the public part, unless the entry itself has a local part;
* ``introduced`` and ``fixed`` compare the full version; ``last_affected`` compares the public part, unless the
  event itself has a local part; the version that a ``last_affected`` names is affected whatever else is said;
* pre-releases are ordered by PEP 440, not by the rules of specifiers: 2.0rc1 is before the fix 2.0 and affected;
* a range that holds something which cannot be ordered decides nothing, and says so.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from typing import Final

from packaging.version import Version

from weighbridge.checks.dependencies.osv import Affected, Range
from weighbridge.checks.dependencies.versions import parse_event_version, parse_version, public

_BEGINNING: Final = "0"
_FOREVER: Final = "*"
_NOTHING: Final = (b"[]", b"null")
_UNUSUAL: Final = (b"\\", b"!", b'"v', b'"V', b'" ')
_LEADING_ZEROS: Final = (re.compile(rb"\.0[0-9]"), re.compile(rb'"0[0-9]'))
_ORDER: Final = {"fixed": 0, "limit": 0, "introduced": 1, "last_affected": 2}


class Outcome(enum.Enum):
    """What an advisory says about a version."""

    AFFECTED = "affected"
    UNAFFECTED = "unaffected"
    UNDECIDABLE = "undecidable"


Point = tuple[Version | None, str]
"""A version (None is before all versions) and the kind of event there."""


def judge_entry(entry: Affected, version: Version) -> Outcome:
    """Say whether one affected entry speaks about a version.

    Raises:
        ParseError: When the entry is not what the OSV schema says.
    """
    outcome = Outcome.UNAFFECTED
    for one in entry.ranges:
        found = judge_range(one, version)
        if found is Outcome.AFFECTED:
            return found
        if found is Outcome.UNDECIDABLE:
            outcome = found
    if names_version(entry, version):
        return Outcome.AFFECTED
    return outcome


def judge_range(one: Range, version: Version) -> Outcome:
    """Say whether a version lies in a range; a type that is neither ECOSYSTEM nor GIT is undecidable."""
    if one.type == "GIT":
        return Outcome.UNAFFECTED
    points = ordered_points(one) if one.type == "ECOSYSTEM" else None
    if points is None:
        return Outcome.UNDECIDABLE
    return Outcome.AFFECTED if _inside(points, version) else Outcome.UNAFFECTED


def ordered_points(one: Range) -> list[Point] | None:
    """Return the events of a range in the order of their versions, or None when one cannot be ordered.

    At one version a fix comes before an introduction, so that ``fixed 2.0, introduced 2.0`` leaves 2.0 affected.

    Raises:
        ParseError: When an event does not say exactly one thing.
    """
    points: list[Point] = []
    for event in one.events:
        kind, text = event.item()
        if kind == "introduced" and text == _BEGINNING:
            points.append((None, kind))
        elif kind == "limit" and text == _FOREVER:
            continue
        elif (parsed := parse_event_version(text)) is None:
            return None
        else:
            points.append((parsed, kind))
    if not any(kind == "introduced" for _, kind in points):
        return None
    early = [point for point in points if point[0] is None]
    late = [point for point in points if point[0] is not None]
    return early + sorted(late, key=_place)


def _place(point: Point) -> tuple[Version, int]:
    version, kind = point
    assert version is not None  # noqa: S101  # the beginning is kept apart by the caller
    return version, _ORDER[kind]


def _inside(points: Iterable[Point], version: Version) -> bool:
    inside = False
    for point, kind in points:
        if point is None:
            inside = True
        elif kind == "introduced":
            inside = inside or version >= point
        elif kind == "last_affected":
            comparable = version if point.local is not None else public(version)
            if comparable == point:
                return True
            inside = inside and comparable < point
        else:
            inside = inside and version < point
    return inside


def names_version(entry: Affected, version: Version) -> bool:
    """Say whether the list of an entry names this version.

    Spellings that PEP 440 makes equal begin with the same release without its trailing zeros, unless they have a
    leading v, zero or space, an epoch, or escapes. So most lists need not be parsed at all; a list with any of these
    is always parsed whole.

    Raises:
        ParseError: When the list is no list of strings.
    """
    raw = bytes(entry.versions)
    if raw in _NOTHING:
        return False
    beginning = _beginning(version) if _is_usual(raw) else ""
    if f'"{beginning}'.encode() not in raw and raw.startswith(b'["'):
        return False
    bare = public(version)
    for text in entry.listed():
        if text.startswith(beginning):
            named = parse_version(text)
            if named is not None and (version if named.local is not None else bare) == named:
                return True
    return False


def _beginning(version: Version) -> str:
    release = list(version.release)
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    epoch = f"{version.epoch}!" if version.epoch else ""
    return epoch + ".".join(map(str, release))


def _is_usual(raw: bytes) -> bool:
    return (
        raw.isascii()
        and not any(sign in raw for sign in _UNUSUAL)
        and not any(pattern.search(raw) for pattern in _LEADING_ZEROS)
    )


def fixed_versions(entry: Affected) -> list[Version]:
    """Return the versions at which ranges of this entry say that it is fixed."""
    found = []
    for one in entry.ranges:
        if one.type == "ECOSYSTEM":
            for event in one.events:
                kind, text = event.item()
                if kind == "fixed" and (version := parse_version(text)) is not None:
                    found.append(version)
    return found
