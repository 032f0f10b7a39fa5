"""Who answers for a weak limit or a waiver answers until a date, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from weighbridge.clock import format_instant
from weighbridge.policy.parse import Policy

LONGEST_ANSWER: Final = timedelta(days=731)
"""Longest time ahead for which somebody may answer; then it has to be looked at again."""

_END_OF_DAY: Final = timedelta(days=1)
"""A date means the end of its day."""


def answered_for_ever(policy: Policy, *, now: datetime) -> Iterator[str]:
    """Yield in words everything in a policy for which somebody answers longer than anybody can."""
    until = [(f"line {item.line}: `accepted`", item.accepted_until) for item in policy.requirements]
    until += [("inputs.advisories: `accepted`", policy.advisories_accepted_until)]
    until += [(f"line {item.line}: the waiver", item.expires) for item in policy.waivers]
    for what, end in until:
        if end is not None and end > now + LONGEST_ANSWER + _END_OF_DAY:
            yield f"{what} expires at {format_instant(end)}, more than {LONGEST_ANSWER.days} days from now"
