"""Judge the options of requirements by which packages come from elsewhere than pip's own index, PyPI.

An advisory is about the release of a name and version on PyPI. A requirement without a hash takes whatever file bears
that name and version in any of the places that pip looks in, so another place makes the advisories of the release say
nothing about what is installed. With a hash for every requirement the file is fixed, wherever it comes from.

Each option that pip allows in a requirements file (``SUPPORTED_OPTIONS`` in its ``req_file``) is one of these kinds:

- **another server beside the index** (``--extra-index-url``, ``--find-links`` with a URL): a finding;
- **an index in place of pip's own** (``--index-url`` with a URL): nothing, since mirrors are usual, and one that pip's
  own settings name is not seen from here either;
- **a path or a file: URL** (for any of the three), **no index** (``--no-index``, where only the caller's own places are
  left), **hashes that do not count for all** (``--no-require-hashes``): undecided;
- **a server that nobody checks** (``--trusted-host``, ``http:``): a finding, with hashes too;
- **which release or file of the index is taken** (``--pre``, ``--all-releases``, ``--only-final``,
  ``--uploaded-prior-to``, ``--no-binary``, ``--only-binary``, ``--prefer-binary``), ``--require-hashes`` and
  ``--use-feature``: nothing, since a release that is pinned is the same, and one that is not is undecided already.

``--editable``, URLs, archives and directories in the place of a name are undecided where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.dependencies.reasons import not_judged
from weighbridge.checks.dependencies.sources.requirement_lines import OptionLine
from weighbridge.evidence.record import Finding, Severity, Undecided

MAX_SHOWN: Final = 5
"""How many packages without a hash a message names."""

_INDEX: Final = frozenset({"--index-url", "--pypi-url"})
_BESIDE: Final = frozenset({"--extra-index-url", "--find-links"})
_SERVER: Final = re.compile(r"https?://", re.IGNORECASE)
_UNCHECKED: Final = "http://"


@dataclass(frozen=True, slots=True)
class PlacedOption:
    """An option and where it stands."""

    location: str
    option: OptionLine


def judge_options(options: Sequence[PlacedOption], *, unhashed: Sequence[str]) -> Iterator[Finding | Undecided]:
    """Yield what each option means for requirements of which the ``unhashed`` names have no hash."""
    names = sorted(set(unhashed))
    shown = ", ".join(names[:MAX_SHOWN]) + (f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else "")
    for placed in options:
        if names:
            yield from _elsewhere(placed, count=len(names), shown=shown)
        yield from _always(placed)


def _elsewhere(placed: PlacedOption, *, count: int, shown: str) -> Iterator[Finding | Undecided]:
    name, value = placed.option.name, placed.option.value
    what = ""
    if name == "--no-index":
        what = "no index is asked, so packages come from places that these requirements do not name"
    elif name not in _INDEX | _BESIDE:
        return
    elif not _SERVER.match(value):
        what = "packages are taken from a path, or from what is no web server, and its bytes are under no digest"
    elif name in _BESIDE:
        yield _confusion(placed.location, count=count, shown=shown)
    if what:
        reason = f"{what}; {count} of them have no hash ({shown}): pin with hashes (--require-hashes)"
        yield not_judged("not-pinned", reason, location=placed.location)


def _always(placed: PlacedOption) -> Iterator[Finding | Undecided]:
    option = placed.option
    if option.name == "--no-require-hashes":
        reason = "packages that are not listed are installed without a hash beside those that have one: take it out"
        yield not_judged("not-pinned", reason, location=placed.location)
    if option.name == "--trusted-host" or (
        option.name in _INDEX | _BESIDE and option.value.lower().startswith(_UNCHECKED)
    ):
        yield Finding(
            rule="insecure-index",
            severity=Severity.MEDIUM,
            message="Packages are fetched from a server whose identity is not checked.",
            location=placed.location,
            remedy="Use an https:// index with a certificate that the machine trusts, and no --trusted-host.",
        )


def _confusion(location: str, *, count: int, shown: str) -> Finding:
    return Finding(
        rule="index-confusion",
        severity=Severity.HIGH,
        message=(
            f"A second place is asked for every name, and {count} packages have no hash ({shown}): whoever can publish "
            "one of these names in either place decides what is installed. This is how torchtriton was replaced in "
            "December 2022."
        ),
        location=location,
        remedy="Pin with hashes (--require-hashes), or take every package from pip's own index alone.",
    )
