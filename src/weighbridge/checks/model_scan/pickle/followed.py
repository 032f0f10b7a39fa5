"""What of an object native code follows, and must be looked at when the whole pickle was read."""

from __future__ import annotations

from dataclasses import dataclass

from weighbridge.checks.model_scan.pickle.records import Records
from weighbridge.checks.model_scan.pickle.rules.rule import Places


@dataclass(frozen=True, slots=True)
class Followed:
    """Arrays of places and rows of records; ``within`` has the ``id`` of each that was judged with it."""

    places: tuple[Places, ...] = ()
    records: tuple[Records, ...] = ()
    within: frozenset[int] = frozenset()
