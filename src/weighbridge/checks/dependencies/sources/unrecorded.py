"""Find code in the sites of an environment that no RECORD answers for.

A package whose metadata was deleted is imported as before, and its name and version are known to nobody. So a file that
Python can import or load must stand in the RECORD of an installed distribution with its hash, or it is undecided: it
is under the digest, but no advisory can be looked up for it. Data is not asked for, since installers and programs leave
much of it. Nor is byte code in ``__pycache__`` beside a source that is recorded, since every environment that was ever
used has it and no installer records its hash; that it was made from this source is not shown.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Set
from typing import Final

from weighbridge.checks.dependencies.reasons import not_judged
from weighbridge.checks.dependencies.sources.environment_listing import EnvironmentListing
from weighbridge.checks.dependencies.text import plain
from weighbridge.evidence.record import Undecided

MAX_SHOWN: Final = 5
"""How many packages or modules without a RECORD are named one by one."""

_CODE: Final = re.compile(r"\.(?:pyc?|pyw|pyd|so(?:\.[0-9.]+)?)$", re.ASCII | re.IGNORECASE)
_CACHE: Final = "__pycache__"


def unrecorded_code(listing: EnvironmentListing, *, site: str, label: str, recorded: Set[str]) -> Iterator[Undecided]:
    """Yield what lies directly in a site and is or holds code that is not among the ``recorded`` names.

    Names are those of the tree. Sites inside this one are looked at as well: code there must be recorded too.
    """
    start = "" if site == "." else f"{site}/"
    tops: dict[str, list[str]] = {}
    for name in listing.files:
        if name.startswith(start) and _CODE.search(name) and name not in recorded and not _cached(name, recorded):
            tops.setdefault(name[len(start) :].partition("/")[0], []).append(name)
    for top in sorted(tops)[:MAX_SHOWN]:
        more = f" ({len(tops)} such names)" if len(tops) > 1 else ""
        reason = (
            f"no RECORD has the hash of this code ({plain(min(tops[top]), limit=120)}, {len(tops[top])} in all), so "
            "whose it is and of which version is not known; install it from a wheel, or remove it"
        )
        yield not_judged("code-of-nobody", reason + more, location=plain(f"{label}/{top}", limit=300))


def _cached(name: str, recorded: Set[str]) -> bool:
    folder, file = posixpath.split(name)
    parent, cache = posixpath.split(folder)
    if cache != _CACHE or not file.endswith(".pyc"):
        return False
    # The tag stands behind the source's name, which may have dots itself: more.cpython-313.opt-1.pyc.
    parts = file.split(".")
    return any(posixpath.join(parent, ".".join(parts[:end]) + ".py") in recorded for end in range(1, len(parts) - 1))
