"""A zip archive: its structure, every member's checksum, then each member for what it is.

What kind of archive it is, torch's or numpy's or any other, is in its members and not in its name.
"""

from __future__ import annotations

from typing import Final, Protocol

from weighbridge.checks.model_scan.account import Ledger
from weighbridge.checks.model_scan.content import Ends
from weighbridge.checks.model_scan.pickle_scan import make_context
from weighbridge.checks.model_scan.report import UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Memory, Part, Source, head
from weighbridge.checks.model_scan.torch_archive import is_archive, scan_archive
from weighbridge.checks.model_scan.zip_reader import check_content, read_members

MAX_INNER_ARCHIVE: Final = 128 * 1024**2
"""Largest archive inside a compressed stream or a compressed member that is taken into memory."""


class Examine(Protocol):
    """What scans a member by its content."""

    def __call__(self, scan: Scan, source: Source, location: str, *, name: str, ends: Ends | None) -> str:
        """Scan it and return its format."""


def scan_zip(scan: Scan, source: Source, location: str, *, examine: Examine) -> None:
    """Scan an archive: its structure, every member's checksum, then each member by its own content.

    Raises:
        RefusedError: The structure does not hold.
        UndecidedError: It is too large to be judged where it lies.
    """
    inner = scan.deeper()
    found: dict[str, tuple[int, Source]] = {}
    ends: dict[str, Ends] = {}
    for member, content in read_members(_reachable(source), scan.budget):
        looked = check_content(member, content)
        if not member.name.endswith("/"):
            found[member.name] = (member.size, content)
            ends[member.name] = looked
    judged = _scan_torch(inner, found, location)
    for name, (_, content) in found.items():
        if name not in judged:
            examine(inner, content, f"{location}!{name}", name=name, ends=ends[name])


def _reachable(source: Source) -> Part:
    part = Part(source, start=0)
    if part.reachable:
        return part
    data = head(source, MAX_INNER_ARCHIVE + 1)
    if len(data) > MAX_INNER_ARCHIVE:
        raise UndecidedError(
            "inner-archive-too-large",
            f"an archive inside another or a compressed one has more than {MAX_INNER_ARCHIVE} bytes; unpack it",
        )
    return Part(Memory(data), start=0, ledger=part.ledger)


def _scan_torch(scan: Scan, members: dict[str, tuple[int, Source]], location: str) -> set[str]:
    """Scan what torch reads of an archive that it would take for its own; return the members that were judged."""
    root = is_archive(set(members))
    if root is None or f"{root}/version" not in members:
        return set()
    accounts = {
        name: scan.unlisted(location=f"{location}!{name}", size=size)
        for name, (size, _) in members.items()
        if name.startswith(f"{root}/")
    }
    parts: dict[str, tuple[int, Source]] = {
        name: (members[name][0], Part(members[name][1], start=0, ledger=Ledger(account)))
        for name, account in accounts.items()
    }
    data = f"{root}/data.pkl"
    judged = scan_archive(make_context(scan, parts[data][1], f"{location}!{data}"), parts, root)
    for name in sorted(judged):
        if accounts[name].untouched():
            accounts[name].data(0, accounts[name].size)  # a storage, whose length was held against its tensors
        scan.accounts.append(accounts[name])
    return judged
