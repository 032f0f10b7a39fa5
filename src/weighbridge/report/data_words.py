"""Say of the data of a check what a reader has to know before he trusts its figures."""

from __future__ import annotations

from weighbridge.evidence.measurements import (
    BoundsFrom,
    Input,
    LeakageMeasurements,
    Measurements,
    RobustnessMeasurements,
)
from weighbridge.report._text import cut


def data_notes(measured: Measurements | None) -> tuple[str, ...]:
    """Return what is to be said of the data: bounds that nobody stated, and what the caller said of it."""
    match measured:
        case RobustnessMeasurements(data=data):
            return tuple(filter(None, (_bounds(data), _label(data))))
        case LeakageMeasurements(members=members):
            return tuple(filter(None, (_label(members),)))
        case _:
            return ()


def _bounds(data: Input) -> str:
    if data.bounds is None:
        return ""
    low, high = data.bounds
    match data.bounds_from:
        case BoundsFrom.ROWS:
            return (
                f"bounds {low:g} to {high:g} are those of the rows themselves, and epsilon is a share of their width; "
                "give your own with --bounds LOW HIGH"
            )
        case BoundsFrom.CALLER:
            return f"bounds {low:g} to {high:g} were given by whoever called the check; a gate wants them in the policy"
        case _:
            return ""


def _label(data: Input) -> str:
    return f"label: {cut(data.label)}" if data.label not in ("", "y") else ""
