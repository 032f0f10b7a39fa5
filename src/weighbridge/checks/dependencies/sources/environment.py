"""Read an installed environment: a ``site-packages`` directory, or a virtual environment that holds one.

Nothing is imported and nothing of the environment runs: names and versions come from the metadata that installers
write (packaging.python.org, "Recording installed projects"). The interpreter and its standard library are not judged.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from weighbridge._files import open_regular
from weighbridge.checks.dependencies.inventory import Inventory, Pin
from weighbridge.checks.dependencies.sources.installed import Distribution, read_distribution
from weighbridge.checks.dependencies.sources.recorded import check_record
from weighbridge.checks.dependencies.sources.startup import startup_findings
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import Input
from weighbridge.evidence.record import Finding, Undecided

MAX_DISTRIBUTIONS: Final = 20_000
"""Most distributions in one environment."""

_PACKAGES: Final = ("site-packages", "dist-packages")
_METADATA: Final = (".dist-info", ".egg-info", ".egg-link", ".egg")


def read_environment(path: Path) -> Inventory:
    """Read every ``site-packages`` of an environment.

    Besides names and versions this checks every installed file against the hash that its installer recorded, and
    looks at what Python runs by itself at start.

    Raises:
        InputError: When the path is no directory, or holds no ``site-packages``.
    """
    sites = find_sites(path)
    if not sites:
        raise InputError(f"{path.name} holds no site-packages directory and no installed package")
    pins: list[Pin] = []
    findings: list[Finding] = []
    undecided: list[Undecided] = list(_borrowed(path))
    inputs: list[Input] = []
    for site in sites:
        label = site.name if site == path else site.relative_to(path).as_posix()
        found = _read_site(site, root=path, label=label)
        inputs.extend(found.inputs)
        pins.extend(found.pins)
        findings.extend(found.findings)
        undecided.extend(found.undecided)
    return Inventory(inputs=tuple(inputs), pins=tuple(pins), findings=tuple(findings), undecided=tuple(undecided))


def find_sites(path: Path) -> tuple[Path, ...]:
    """Return the directories with installed packages at or below a path: itself, or those of a virtual environment.

    Raises:
        InputError: When the path cannot be listed.
    """
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        raise InputError(f"the environment {path.name} cannot be read: {error.strerror}") from None
    if path.name in _PACKAGES or any(name.endswith(_METADATA[:2]) for name in names):
        return (path,)
    patterns = [f"{lib}/python3*/{kind}" for lib in ("lib", "lib64", "local/lib") for kind in _PACKAGES]
    patterns += [f"lib/python3/{kind}" for kind in _PACKAGES] + ["Lib/site-packages"]
    found: dict[Path, Path] = {}
    for pattern in patterns:
        for site in sorted(path.glob(pattern)):
            if site.is_dir():
                found.setdefault(site.resolve(), site)
    return tuple(found.values())


def _borrowed(path: Path) -> Iterator[Undecided]:
    try:
        with open_regular(path / "pyvenv.cfg") as file:
            text = file.read(65_536).decode(errors="replace")
    except OSError:
        return
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip().lower() == "include-system-site-packages" and value.strip().lower() == "true":
            reason = "the environment also uses the packages of the system's Python, which were not handed in"
            yield Undecided(location="pyvenv.cfg", reason=reason)


def _read_site(site: Path, *, root: Path, label: str) -> Inventory:
    try:
        names = sorted(os.listdir(site))
    except OSError as error:
        raise InputError(f"{label} cannot be read: {error.strerror}") from None
    entries = [name for name in names if name.endswith(_METADATA)]
    if len(entries) > MAX_DISTRIBUTIONS:
        raise InputError(f"{label} holds more than {MAX_DISTRIBUTIONS} distributions")
    pins: list[Pin] = []
    findings: list[Finding] = []
    undecided: list[Undecided] = []
    digest = hashlib.sha256()
    explained: set[str] = set()
    for name in entries:
        location = f"{label}/{plain(name, limit=300)}"
        try:
            found = read_distribution(site / name)
        except InputError as error:
            undecided.append(Undecided(location=location, reason=str(error)))
            continue
        digest.update(f"{found.digest}  {name}\n".encode("utf-8", "surrogateescape"))
        if found.doubt:
            explained.update(found.start_files)
        pins.append(Pin(name=found.name, version=found.version, location=location, doubt=found.doubt))
        checked = _check(found, site=site, root=root, location=location)
        findings.extend(checked.findings)
        undecided.extend(checked.undecided)
    started = startup_findings(site, names, label=label, explained=explained)
    return Inventory(
        inputs=(Input(name=label, sha256=digest.hexdigest(), rows=len(entries)),),
        pins=tuple(pins),
        findings=(*findings, *started.findings),
        undecided=(*undecided, *started.undecided),
    )


def _check(found: Distribution, *, site: Path, root: Path, location: str) -> Inventory:
    if found.record is None:
        reason = f"{found.name} was installed without a RECORD, so its files cannot be compared with what was installed"
        return Inventory(inputs=(), undecided=(Undecided(location=location, reason=reason),))
    return check_record(found, site=site, root=root, location=location)
