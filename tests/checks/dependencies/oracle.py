"""An independent judge of the same question, written from the rules alone and in another way.

It turns every range into a list of half-open intervals and asks ``packaging`` about each; nothing of it is shared with
the code under test but the data and ``packaging`` itself.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

Json = dict[str, Any]
LOWEST = Version("0.dev0")


def live_records(path: Path) -> list[Json]:
    """Return the records of a bundle that are in force."""
    with gzip.open(path) as file:
        return [each for each in map(json.loads, file) if "id" in each and "withdrawn" not in each]


def version_of(text: str) -> Version | None:
    """Return a version, reading the two spellings of the NVD."""
    for spelling in (text, re.sub(r"-NA$", "", text), re.sub(r"-(cu\d+)$", r"+\1", text)):
        try:
            return Version(spelling)
        except InvalidVersion:
            continue
    return None


def without_local(version: Version) -> Version:
    """Return the public part."""
    return Version(str(version).partition("+")[0])


def expected(records: list[Json], name: str, version: Version) -> tuple[set[str], set[str]]:
    """Return the ids that speak about a version and the ids that cannot be decided."""
    affected, undecidable = set(), set()
    for record in records:
        for entry in record["affected"]:
            if canonicalize_name(entry["package"]["name"]) != name:
                continue
            answers = [_in_range(each, version) for each in entry.get("ranges", []) if each["type"] == "ECOSYSTEM"]
            if True in answers or _in_list(entry.get("versions", []), version):
                affected.add(record["id"])
            elif None in answers:
                undecidable.add(record["id"])
    return affected, undecidable - affected


def _in_list(listed: list[str], version: Version) -> bool:
    # Entries of this snapshot that have a local part are dates, which are no versions.
    wanted = without_local(version)
    return any(version_like(text) == wanted for text in listed)


@cache
def version_like(text: str) -> Version | None:
    """Return a version, or None."""
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _in_range(one: Json, version: Version) -> bool | None:
    low: Version | None = None
    events: list[tuple[Version, str]] = []
    for event in one["events"]:
        ((kind, text),) = event.items()
        parsed = LOWEST if (kind, text) == ("introduced", "0") else version_of(text)
        if parsed is None:
            return None
        events.append((parsed, kind))
    # Closing events first at one version, except that a last_affected closes after what is introduced there.
    events.sort(key=lambda each: (each[0], {"fixed": 0, "introduced": 1, "last_affected": 2}[each[1]]))
    for point, kind in [*events, (Version("9999999999!0"), "fixed")]:
        if kind == "introduced":
            low = point if low is None else low
            continue
        inclusive = kind == "last_affected"
        shown = without_local(version) if inclusive and point.local is None else version
        if inclusive and shown == point:
            return True
        if low is not None and low <= version and shown < point:
            return True
        low = None
    return False


def derived(record: Json) -> Iterator[tuple[str, Version]]:
    """Derive versions from a record that sit where mistakes are made."""
    for entry in record["affected"]:
        name = canonicalize_name(entry["package"]["name"])
        listed = sorted(version for text in entry.get("versions", []) if (version := version_like(text)))
        for version in {*listed[:1], *listed[-1:]}:
            yield name, version
            yield name, Version(f"{without_local(version)}+cu121")
            yield name, Version(f"{without_local(version).base_version}.post9")
        ranges = [each for each in entry.get("ranges", []) if each["type"] == "ECOSYSTEM"]
        for text in (text for each in ranges for event in each["events"] for text in event.values()):
            point = version_of(text)
            if point is None:
                continue
            base = without_local(point).base_version
            yield name, point
            yield name, Version(f"{without_local(point)}+cpu")
            for ending in ("rc1", ".dev1", ".post1"):
                yield name, Version(base + ending)
