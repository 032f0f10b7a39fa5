"""The advisories that an audit looks things up in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge.checks.dependencies.bundle import Bundle, read_bundle
from weighbridge.checks.dependencies.names import canonical
from weighbridge.checks.dependencies.osv import ECOSYSTEM, Affected, Record
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import AdvisoryDatabase

PACKAGED: Final = "pysec-2026-07-23.jsonl.gz"
"""The bundle that comes with the package."""

Entry = tuple[Record, Affected]
"""A record and that one of its affected packages that is meant."""


def packaged_bundle() -> Path:
    """Return the path of the bundle that comes with the package, a fixed snapshot of 2026-07-23.

    Raises:
        InputError: When the package was installed without its data, or is run from inside an archive.
    """
    from importlib import resources  # not needed where a bundle is named, and slow to import

    found = resources.files("weighbridge") / "data" / "advisories" / PACKAGED
    if not isinstance(found, Path) or not found.is_file():
        raise InputError(
            f"the advisory bundle {PACKAGED} is not installed beside the program",
            remedy="name a bundle with --advisories, or install weighbridge again",
        )
    return found


@dataclass(frozen=True, slots=True)
class Advisories:
    """A bundle, arranged by package name."""

    database: AdvisoryDatabase
    _by_name: dict[str, tuple[Entry, ...]]

    def about(self, name: str) -> tuple[Entry, ...]:
        """Return every entry in force about a package; the name is normalised (PEP 503)."""
        return self._by_name.get(name, ())

    def names(self) -> Iterable[str]:
        """Return the names of all packages that a record in force is about."""
        return self._by_name.keys()


def arrange(bundle: Bundle) -> Advisories:
    """Arrange the records of a bundle by package; withdrawn records and other ecosystems are left out."""
    found: dict[str, list[Entry]] = {}
    normal: dict[str, str] = {}
    for record in bundle.records:
        if record.withdrawn is not None:
            continue
        for entry in record.affected:
            if entry.package.ecosystem == ECOSYSTEM:
                written = entry.package.name
                name = normal.get(written) or normal.setdefault(written, canonical(written))
                found.setdefault(name, []).append((record, entry))
    return Advisories(bundle.database, {name: tuple(entries) for name, entries in found.items()})


def load_advisories(path: Path) -> Advisories:
    """Read a bundle file and arrange it.

    Raises:
        InputError: As ``read_bundle``.
    """
    return arrange(read_bundle(path))
