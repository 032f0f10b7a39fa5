"""The account of one content: which of its bytes a parser read, which it passed over as data, and which nobody touched.

A parser keeps no books itself. ``Reader`` and ``Part`` do, so none can forget to: a byte that is not in the account was
not judged, and the content is not clean.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Protocol

from weighbridge.evidence.measurements import Coverage, CoveredRange, How

MAX_RUNS: Final = 20_000
"""Most runs that an account keeps; past that, short parsed runs between data count as data."""

MAX_RANGES: Final = 64
"""Most ranges by which a report says what became of one file and its members."""

MIN_RANGES: Final = 8
"""Ranges that are said of a file even in a model of very many files."""

Pair = tuple[int, int]


class Follower(Protocol):
    """Something that reads forward and tells its account only from time to time."""

    def settle(self) -> None:
        """Tell the account what was read so far."""


@dataclass(slots=True)
class Account:
    """What was done with the bytes of one content; ``member`` is its place inside the file, empty for the file."""

    location: str
    member: str
    size: int
    ranges: tuple[CoveredRange, ...] | None = None
    _parsed: list[Pair] = field(default_factory=list)
    _data: list[Pair] = field(default_factory=list)
    _follower: Follower | None = None

    def attend(self, follower: Follower) -> None:
        """Let a reader be asked, before another one takes its place or the account is closed, how far it came."""
        self.settle()
        self._follower = follower

    def settle(self) -> None:
        """Ask the reader how far it came."""
        if self._follower is not None:
            self._follower.settle()

    def parsed(self, start: int, end: int) -> None:
        """Note bytes that a parser read."""
        _add(self._parsed, start, end)
        if len(self._parsed) > MAX_RUNS:
            self._parsed, self._data = _shorter(self._parsed, self._data)

    def data(self, start: int, end: int) -> None:
        """Note bytes that a parser passed over: numbers of a tensor, a long text or the like."""
        _add(self._data, start, end)

    def untouched(self) -> bool:
        """Tell whether nothing was read of it yet."""
        self.settle()
        return not self._parsed and not self._data

    def close(self) -> tuple[CoveredRange, ...]:
        """Return ranges that tile the content exactly, each in one of three ways, and keep nothing else."""
        if self.ranges is not None:
            return self.ranges
        self.settle()
        self._follower = None
        parsed = _cut(_union(self._parsed), self.size)
        data = _without(_cut(_union(self._data), self.size), parsed)
        gaps = _without([(0, self.size)] if self.size else [], _union([*parsed, *data]))
        self._parsed, self._data = [], []
        ways: tuple[tuple[How, list[Pair]], ...] = (("parsed", parsed), ("data", data), ("undecided", gaps))
        found = [CoveredRange(member=self.member, start=a, length=b - a, how=how) for how, run in ways for a, b in run]
        self.ranges = tuple(sorted(found, key=lambda one: one.start))
        return self.ranges


@dataclass(frozen=True, slots=True)
class Ledger:
    """An account as the reader of a part sees it, whose first byte is at ``offset``."""

    account: Account
    offset: int = 0

    def at(self, start: int) -> Ledger:
        """Return the ledger of a part of this part."""
        return Ledger(self.account, self.offset + start)

    def parsed(self, start: int, end: int) -> None:
        """Note bytes that a parser read."""
        self.account.parsed(self.offset + start, self.offset + end)

    def data(self, start: int, end: int) -> None:
        """Note bytes that a parser passed over."""
        self.account.data(self.offset + start, self.offset + end)


def covered(accounts: list[Account], most: int) -> Coverage:
    """Sum up the accounts of one file, its own first, in at most ``most`` ranges."""
    own = accounts[0].close()
    sums = {way: sum(one.length for one in own if one.how == way) for way in ("parsed", "data", "undecided")}
    listed = list(shortened(own, most))
    for account in accounts[1:]:
        listed += shortened(account.close(), most)
    return Coverage(
        parsed=sums["parsed"],
        data=sums["data"],
        undecided=sums["undecided"],
        ranges=tuple(listed[:most]),
        more=max(0, len(listed) - most),
    )


def shortened(ranges: tuple[CoveredRange, ...], most: int) -> tuple[CoveredRange, ...]:
    """Return at most ``most`` ranges of one content that still tile it.

    The shortest parsed ranges between data are told as data, which claims less than was done; a range that is
    undecided is never taken into another. Fewer than that many cannot be promised.
    """
    while len(ranges) > most:
        inner = sorted(
            one.length
            for before, one, after in zip(ranges, ranges[1:], ranges[2:], strict=False)
            if (before.how, one.how, after.how) == ("data", "parsed", "data")
        )
        if not inner:
            break
        # One range that becomes data saves two.
        limit = inner[min(len(inner), max(1, (len(ranges) - most) // 2)) - 1]
        ranges = _absorbed(ranges, limit)
    return ranges


def _absorbed(ranges: tuple[CoveredRange, ...], limit: int) -> tuple[CoveredRange, ...]:
    found: list[CoveredRange] = []
    for place, one in enumerate(ranges):
        follows = ranges[place + 1].how if place + 1 < len(ranges) else ""
        between = bool(found) and found[-1].how == "data" and follows == "data"
        how: How = "data" if between and one.how == "parsed" and one.length <= limit else one.how
        if found and found[-1].how == how:
            last = found.pop()
            found.append(CoveredRange(member=one.member, start=last.start, length=last.length + one.length, how=how))
        else:
            found.append(CoveredRange(member=one.member, start=one.start, length=one.length, how=how))
    return tuple(found)


def _add(runs: list[Pair], start: int, end: int) -> None:
    if start >= end:
        return
    if runs and runs[-1][0] <= start <= runs[-1][1]:
        runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
    else:
        runs.append((start, end))


def _shorter(parsed: list[Pair], data: list[Pair]) -> tuple[list[Pair], list[Pair]]:
    parsed, data = _union(parsed), _union(data)
    ends, starts = {end for _, end in data}, {start for start, _ in data}
    between = sorted(end - start for start, end in parsed if start in ends and end in starts)
    if not between:
        return parsed, data
    limit = between[len(between) // 2]
    kept: list[Pair] = []
    for start, end in parsed:
        if end - start <= limit and start in ends and end in starts:
            data.append((start, end))
        else:
            kept.append((start, end))
    return kept, _union(data)


def _union(pairs: Iterable[Pair]) -> list[Pair]:
    found: list[Pair] = []
    for start, end in sorted(pairs):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _cut(pairs: list[Pair], size: int) -> list[Pair]:
    return [(start, min(end, size)) for start, end in pairs if start < size]


def _without(pairs: list[Pair], holes: list[Pair]) -> list[Pair]:
    """Take sorted, separate holes out of sorted, separate pairs."""
    found: list[Pair] = []
    place = 0
    for first, last in pairs:
        start = first
        while place < len(holes) and holes[place][1] <= start:
            place += 1
        at = place
        while at < len(holes) and holes[at][0] < last:
            if holes[at][0] > start:
                found.append((start, holes[at][0]))
            start = max(start, holes[at][1])
            at += 1
        if start < last:
            found.append((start, last))
    return found
