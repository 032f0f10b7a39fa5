"""Instants and spans of time as they stand in policies, trust and evidence."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from weighbridge.errors import ParseError

MAX_SKEW: Final = timedelta(minutes=5)
"""How far in the future a timestamp may lie before a clock counts as wrong."""

MAX_DATE_AHEAD: Final = timedelta(days=2)
"""How far in the future the date of advisories may lie: a date means the end of its day, and east of UTC that day
begins earlier."""

_DURATION: Final = re.compile(r"([1-9][0-9]{0,4})([smhdw])")
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_INSTANT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


class Clock(Protocol):
    """Tells the time; passed in, so that tests and replays can choose it."""

    def __call__(self) -> datetime:
        """Return the present instant with its time zone."""


def system_clock() -> datetime:
    """Return the machine's time in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def parse_duration(text: str, *, what: str) -> timedelta:
    """Read a span such as ``30d``, ``12h``, ``90m``; one whole number and one unit of s, m, h, d, w.

    Raises:
        ParseError: For anything else.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ParseError(f"{what} is {text!r}; expected a whole number and one of s, m, h, d, w, such as 30d")
    return int(match[1]) * _UNITS[match[2]]


def parse_instant(text: str, *, what: str) -> datetime:
    """Read an RFC 3339 timestamp, or a date, which means the end of that day in UTC.

    Raises:
        ParseError: For anything else.
    """
    try:
        if _DATE.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=1) - timedelta(seconds=1)
        if _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ParseError(f"{what} is {text!r}; expected RFC 3339 such as 2026-12-31T23:59:59Z")


def format_instant(instant: datetime) -> str:
    """Write an instant as RFC 3339 in UTC with a final Z, to the second."""
    # Not strftime, whose years before 1000 have fewer than four digits.
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
