"""The geometry of charts: numbers in, places on a drawing out. The template draws them and escapes all text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite, log10
from typing import Final, TypeVar

from weighbridge.evidence.measurements import CurvePoint, RateAtFpr, RocPoint
from weighbridge.report.summary import interval, percent

WIDTH: Final = 560.0
HEIGHT: Final = 340.0
LEFT: Final = 76.0
RIGHT: Final = 16.0
TOP: Final = 16.0
BOTTOM: Final = 54.0

MAX_POINTS: Final = 400
"""Points of one line that are drawn; a longer line is thinned evenly, its ends kept."""

MAX_BANDS: Final = 48
"""Points at which an interval is computed."""

FLOOR: Final = 1e-3
"""Lowest rate on a logarithmic axis; what is lower is drawn on it."""

T = TypeVar("T")
Scale = Callable[[float], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One mark on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One measured point with its interval, as places on the drawing and as words."""

    x: float
    y: float
    low: float
    high: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One drawing. ``line``, ``band`` and ``reference`` are lists of points as SVG writes them; empty is not drawn."""

    title: str
    description: str
    x_label: str
    y_label: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    line: str
    band: str = ""
    reference: str = ""
    reference_label: str = ""
    bars: tuple[Bar, ...] = ()
    limit: float | None = None
    limit_label: str = ""
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = WIDTH - RIGHT
    top: float = TOP
    bottom: float = HEIGHT - BOTTOM


def _linear(low: float, high: float, start: float, end: float) -> Scale:
    def scale(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return start + share * (end - start)

    return scale


def _logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    inner = _linear(log10(low), log10(high), start, end)

    def scale(value: float) -> float:
        return inner(log10(max(value, low)))

    return scale


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)


def _thin(items: Sequence[T], *, limit: int) -> list[T]:
    if len(items) <= limit:
        return list(items)
    step = (len(items) - 1) / (limit - 1)
    return [items[round(place * step)] for place in range(limit)]


def accuracy_chart(curve: Sequence[CurvePoint], *, examples: int, limit: float | None) -> Chart | None:
    """Return accuracy against queries, with the exact interval of each point as a band; None without two points.

    The axis of queries is logarithmic in ``1 + queries``, so that the accuracy before the attack has a place on it.
    """
    points = sorted({point.queries: point.accuracy for point in curve}.items())
    if len(points) < 2:  # noqa: PLR2004
        return None
    last = points[-1][0]
    place = _logarithmic(1, 1 + last, LEFT, WIDTH - RIGHT)
    y = _linear(0, 1, HEIGHT - BOTTOM, TOP)
    steps: list[tuple[float, float]] = []
    for queries, accuracy in _thin(points, limit=MAX_POINTS):
        # Accuracy holds until the next point, so the line goes in steps.
        if steps:
            steps.append((place(1 + queries), steps[-1][1]))
        steps.append((place(1 + queries), y(accuracy)))
    shown = limit if limit is not None and isfinite(limit) and 0 < limit < 1 else None
    return Chart(
        title="Accuracy against queries",
        description=f"Accuracy falls from {percent(points[0][1])} without attack to {percent(points[-1][1])} after "
        f"{last} queries an example.",
        x_label="queries an example",
        y_label="accuracy",
        x_ticks=tuple(Tick(at=place(1 + value), label=f"{value:,}") for value in _decades(last)),
        y_ticks=tuple(Tick(at=y(step / 5), label=f"{20 * step} %") for step in range(6)),
        line=_points(steps),
        band=_band(points, examples, place, y),
        limit=y(shown) if shown is not None else None,
        limit_label=f"policy limit {percent(shown)}" if shown is not None else "",
    )


def _decades(last: int) -> list[int]:
    found = [0, 1]
    while found[-1] * 10 <= last:
        found.append(found[-1] * 10)
    return found if last > 0 else [0]


def _band(points: Sequence[tuple[int, float]], examples: int, place: Scale, y: Scale) -> str:
    if examples < 1:
        return ""
    upper: list[tuple[float, float]] = []
    lower: list[tuple[float, float]] = []
    for queries, accuracy in _thin(points, limit=MAX_BANDS):
        low, high = interval(round(accuracy * examples), examples)
        x = place(1 + queries)
        if upper:
            upper.append((x, upper[-1][1]))
            lower.append((x, lower[-1][1]))
        upper.append((x, y(high)))
        lower.append((x, y(low)))
    return _points([*upper, *reversed(lower)])


def roc_chart(roc: Sequence[RocPoint], rates: Sequence[RateAtFpr]) -> Chart | None:
    """Return the ROC on logarithmic axes with the intervals at the measured rates; None when there is nothing.

    Carlini et al., "Membership inference attacks from first principles" (2022): what matters is the left end, which
    linear axes hide.
    """
    if not roc and not rates:
        return None
    x = _logarithmic(FLOOR, 1, LEFT, WIDTH - RIGHT)
    y = _logarithmic(FLOOR, 1, HEIGHT - BOTTOM, TOP)
    # Zero has no place on a logarithmic axis; a line up from it would show rates that nobody measured.
    curve = sorted((point.fpr, point.tpr) for point in roc if point.tpr > 0)
    # Thinned by place on the drawing, or the left end of the axis would lose its points.
    drawn: dict[int, tuple[float, float]] = {}
    for fpr, tpr in curve:
        drawn[round(x(fpr))] = (x(fpr), y(tpr))
    ticks = (0.001, 0.01, 0.1, 1.0)
    shown = [rate for rate in rates if rate.fpr > 0]
    words = "; ".join(
        f"{percent(rate.tpr)} at {percent(rate.fpr)} (from {percent(rate.lower)} to {percent(rate.upper)})"
        for rate in shown[:6]
    )
    return Chart(
        title="Membership attack: training rows recognised against false alarms",
        description=f"Training rows recognised, at so many false alarms: {words or 'no rate was measured'}.",
        x_label="false alarms (false-positive rate)",
        y_label="recognised (true-positive rate)",
        x_ticks=tuple(Tick(at=x(value), label=f"{100 * value:g} %") for value in ticks),
        y_ticks=tuple(Tick(at=y(value), label=f"{100 * value:g} %") for value in ticks),
        line=_points(list(drawn.values())),
        reference=_points([(x(FLOOR), y(FLOOR)), (x(1), y(1))]),
        reference_label="guessing",
        bars=tuple(
            Bar(
                x=x(rate.fpr),
                y=y(rate.tpr),
                low=y(rate.lower),
                high=y(rate.upper),
                label=f"{percent(rate.tpr)} at {percent(rate.fpr)}",
            )
            for rate in shown
        ),
    )
