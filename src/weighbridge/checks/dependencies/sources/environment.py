"""Read an installed environment: a ``site-packages`` directory, or a virtual environment that holds one.

Nothing is imported and nothing of the environment runs: names and versions come from the metadata that installers
write (packaging.python.org, "Recording installed projects"). The interpreter and its standard library are not judged.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Final

from weighbridge.checks.dependencies.inventory import Inventory, Pin
from weighbridge.checks.dependencies.reasons import not_judged
from weighbridge.checks.dependencies.sources.environment_listing import name_in
from weighbridge.checks.dependencies.sources.environment_tree import EnvironmentTree
from weighbridge.checks.dependencies.sources.installed import Distribution, is_metadata, read_distribution
from weighbridge.checks.dependencies.sources.recorded import Checked, check_record
from weighbridge.checks.dependencies.sources.startup import known_modules, startup_findings
from weighbridge.checks.dependencies.sources.unrecorded import unrecorded_code
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import Input
from weighbridge.evidence.record import Finding, Undecided

MAX_DISTRIBUTIONS: Final = 20_000
"""Most distributions in one environment."""

MAX_SITES: Final = 64
"""Most sites of one environment; real ones have one or two."""

MAX_SETTINGS: Final = 65_536
"""Largest ``pyvenv.cfg`` that is read; real ones have about 200 bytes."""

_SETTINGS: Final = ("pyvenv.cfg", *(f"{scripts}/pyvenv.cfg" for scripts in ("bin", "Scripts")))
"""Where Python looks for them: beside its own program first, then one directory above."""
_PACKAGES: Final = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    """What one site says; ``recorded`` are the files in it, or elsewhere, that something answers for."""

    recorded: frozenset[str]
    pins: tuple[Pin, ...]
    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]


def read_environment(path: Path) -> Inventory:
    """Read every ``site-packages`` of an environment, as one input.

    Besides names and versions this checks every installed file against the hash that its installer recorded, looks for
    code that no installer recorded, and at what Python runs by itself at start. Its digest is over everything that
    decides, and over every other file of the sites too: see ``environment_tree``.

    Raises:
        InputError: When the path is no directory, or holds no ``site-packages``, or more than the limits.
    """
    sites = find_sites(path)
    if not sites:
        raise InputError(f"{path.name} holds no site-packages directory and no installed package")
    tree = EnvironmentTree.of(path, sites)
    pins: list[Pin] = []
    findings: list[Finding] = []
    undecided: list[Undecided] = [doubt for name in _SETTINGS for doubt in _borrowed(tree, name)]
    undecided.extend(_nested(tree.listing.sites))
    recorded: set[str] = set()
    rows = 0
    for site in tree.listing.sites:
        entries = [name for name in tree.listing.tops[site] if is_metadata(name)]
        rows += len(entries)
        found = _read_site(tree, entries, site=site, label=_label(path, site))
        recorded.update(found.recorded)
        pins.extend(found.pins)
        findings.extend(found.findings)
        undecided.extend(found.undecided)
    # Last of all, since a distribution of one site may record files of another.
    for site in tree.listing.sites:
        undecided.extend(unrecorded_code(tree.listing, site=site, label=_label(path, site), recorded=recorded))
    digest, doubts = tree.finish()
    return Inventory(
        inputs=(Input(name=plain(path.name), sha256=digest, rows=rows),),
        pins=tuple(pins),
        findings=tuple(findings),
        undecided=(*undecided, *doubts),
    )


def find_sites(path: Path) -> tuple[Path, ...]:
    """Return the directories with installed packages at or below a path: itself, and those of a virtual environment.

    All of them, whatever the path holds itself: metadata at the top of a virtual environment takes no site out.

    Raises:
        InputError: When the path cannot be listed, or there are more than ``MAX_SITES``.
    """
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise InputError(f"the environment {path.name} cannot be read: {error.strerror}") from None
    found: dict[Path, Path] = {}
    if path.name in _PACKAGES or any(map(is_metadata, names)):
        found[path.resolve()] = path
    patterns = [f"{lib}/python3*/{kind}" for lib in ("lib", "lib64", "local/lib") for kind in _PACKAGES]
    patterns += [f"lib/python3/{kind}" for kind in _PACKAGES] + ["lib/pypy3*/site-packages", "Lib/site-packages"]
    for pattern in patterns:
        for site in sorted(path.glob(pattern)):
            if site.is_dir():
                found.setdefault(site.resolve(), site)
    if len(found) > MAX_SITES:
        raise InputError(f"the environment {path.name} has more than {MAX_SITES} sites")
    return tuple(found.values())


def _label(path: Path, site: str) -> str:
    return path.name if site == "." else site


def _nested(sites: Sequence[str]) -> Iterator[Undecided]:
    for inner, outer in permutations(sites, 2):
        if outer == "." or inner.startswith(f"{outer}/"):
            reason = (
                "it lies inside another site, so from which of them Python imports is not known; hand in one of them"
            )
            yield not_judged("environment-not-followed", reason, location=plain(inner, limit=300))


def _borrowed(tree: EnvironmentTree, name: str) -> Iterator[Undecided]:
    try:
        text = tree.read(name, limit=MAX_SETTINGS)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.lexists(tree.listing.top / name):
            yield not_judged("environment-not-followed", "it leads to nothing that may be read", location=name)
        return
    except OSError as error:
        yield not_judged("environment-not-followed", f"it cannot be read: {error.strerror}", location=name)
        return
    if len(text) > MAX_SETTINGS:
        yield not_judged("environment-not-followed", f"it has more than {MAX_SETTINGS} bytes", location=name)
    # As site.py, which knows no other ends of lines, and whose strip takes off what str.splitlines would split at.
    for line in io.StringIO(text.decode(errors="replace"), newline=None):
        key, _, value = line.partition("=")
        if key.strip().lower() == "include-system-site-packages" and value.strip().lower() == "true":
            reason = "the environment also uses the packages of the system's Python, which were not handed in"
            yield not_judged("environment-not-followed", reason, location=name)


def _read_site(tree: EnvironmentTree, entries: list[str], *, site: str, label: str) -> _Site:
    if len(entries) > MAX_DISTRIBUTIONS:
        raise InputError(f"{label} holds more than {MAX_DISTRIBUTIONS} distributions")
    pins: list[Pin] = []
    findings: list[Finding] = []
    undecided: list[Undecided] = []
    recorded = {name_in(site, name) for name in known_modules(tree, site=site)}
    explained: set[str] = set()
    for name in entries:
        location = f"{label}/{plain(name, limit=300)}"
        try:
            found = read_distribution(tree, name_in(site, name))
        except InputError as error:
            undecided.append(not_judged("environment-not-followed", str(error), location=location))
            continue
        if found.doubt:
            explained.update(found.start_files)
        pins.append(Pin(name=found.name, version=found.version, location=location, doubt=found.doubt))
        checked = _check(found, tree, site=site, location=location)
        recorded.update(checked.names)
        findings.extend(checked.findings)
        undecided.extend(checked.undecided)
    started = startup_findings(tree, tree.listing.tops[site], site=site, label=label, explained=explained)
    return _Site(
        recorded=frozenset(recorded),
        pins=tuple(pins),
        findings=(*findings, *started.findings),
        undecided=(*undecided, *started.undecided),
    )


def _check(found: Distribution, tree: EnvironmentTree, *, site: str, location: str) -> Checked:
    if found.record is None:
        reason = f"{found.name} was installed without a RECORD, so its files cannot be compared with what was installed"
        return Checked(undecided=(not_judged("code-of-nobody", reason, location=location),))
    return check_record(found, tree, site=site, location=location)
