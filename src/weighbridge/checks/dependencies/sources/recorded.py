"""Compare installed files with the hashes that their installer recorded.

Source: packaging.python.org, "Recording installed projects", the RECORD file. A RECORD proves nothing about where a
package came from, since malware is recorded like everything else; it shows what was changed after the installation.
"""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.dependencies.reasons import not_judged
from weighbridge.checks.dependencies.sources.environment_tree import EnvironmentTree
from weighbridge.checks.dependencies.sources.installed import Distribution
from weighbridge.checks.dependencies.text import plain
from weighbridge.errors import InputError
from weighbridge.evidence.record import Component, Finding, Severity, Undecided

MAX_ROWS: Final = 500_000
"""Most files that one distribution may record."""

MAX_SHOWN: Final = 5
"""How many files a finding names."""

_COLUMNS: Final = 3
_ALGORITHMS: Final = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a comparison showed; ``names`` are the files with a recorded hash, as the tree names them."""

    names: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()
    undecided: tuple[Undecided, ...] = ()


def check_record(found: Distribution, tree: EnvironmentTree, *, site: str, location: str) -> Checked:
    """Hash the files of one distribution and compare.

    Only files of the tree, which is what was handed in, are read: an entry that leads elsewhere, such as a script
    beside a bare ``site-packages``, is not compared.
    """
    try:
        rows = list(_rows(found.record or b""))
    except InputError as error:
        return Checked(undecided=(not_judged("environment-not-followed", str(error), location=location),))
    compiled = {name for name, recorded in rows if not recorded and name.endswith(".pyc")}
    names: set[str] = set()
    changed: list[str] = []
    missing: list[str] = []
    unread: list[str] = []
    for name, recorded in rows:
        # Byte code that a wheel brought and pip made anew is recorded twice, the second time without a hash.
        if not recorded or name in compiled:
            continue
        place = tree.recorded(site, name)
        if place is None:
            continue
        names.add(place)
        try:
            if not _holds(tree, place, recorded):
                changed.append(name)
        except FileNotFoundError:
            missing.append(name)
        except (OSError, InputError):
            unread.append(name)
    return Checked(
        names=frozenset(names),
        findings=tuple(_findings(found, location, changed=changed, missing=missing)),
        undecided=tuple(
            not_judged(
                "environment-not-followed",
                f"recorded files of {found.name} cannot be read: {_shown(unread)}",
                location=location,
            )
            for _ in unread[:1]
        ),
    )


def _rows(record: bytes) -> Iterator[tuple[str, str]]:
    try:
        text = record.decode("utf-8")
        for number, row in enumerate(csv.reader(io.StringIO(text), strict=True), start=1):
            if number > MAX_ROWS:
                raise InputError(f"its RECORD has more than {MAX_ROWS} rows")
            if not row:
                continue
            if len(row) != _COLUMNS or not row[0] or "\0" in row[0]:
                raise InputError(f"row {number} of its RECORD is not a path, a hash and a size")
            yield row[0], row[1]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"its RECORD cannot be read: {plain(str(error), limit=100)}") from None


def _holds(tree: EnvironmentTree, place: str, recorded: str) -> bool:
    algorithm, _, expected = recorded.partition("=")
    if algorithm not in _ALGORITHMS:
        raise InputError("the hash is of an algorithm that is not known or not safe")
    try:
        wanted = base64.b64decode(expected + "=" * (-len(expected) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the hash is not base64") from None
    return tree.hash(place, algorithm) == wanted


def _findings(found: Distribution, location: str, *, changed: list[str], missing: list[str]) -> Iterator[Finding]:
    component = Component(name=found.name, version=found.version)
    if changed:
        yield Finding(
            rule="record-mismatch",
            severity=Severity.HIGH,
            message=f"{len(changed)} files of {found.name} are not what was installed: {_shown(changed)}.",
            location=location,
            remedy=f"Install {found.name} again from a trusted index with hashes, and find out who changed it.",
            component=component,
        )
    if missing:
        yield Finding(
            rule="record-missing",
            severity=Severity.LOW,
            message=f"{len(missing)} files of {found.name} were recorded but are not there: {_shown(missing)}.",
            location=location,
            remedy=f"Install {found.name} again, unless the files were taken out on purpose.",
            component=component,
        )


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
    return ", ".join(plain(name, limit=120) for name in names[:MAX_SHOWN]) + more
