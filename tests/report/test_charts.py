from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import samples
from weighbridge.evidence.measurements import CurvePoint, RateAtFpr, RocPoint
from weighbridge.report.html.charts import (
    BOTTOM,
    HEIGHT,
    LEFT,
    MAX_POINTS,
    RIGHT,
    TOP,
    WIDTH,
    accuracy_chart,
    roc_chart,
)

SHARE = st.floats(0, 1)
CURVES = st.lists(st.builds(CurvePoint, queries=st.integers(0, 2**53), accuracy=SHARE), max_size=12)
ROCS = st.lists(st.builds(RocPoint, fpr=SHARE, tpr=SHARE), max_size=12)
RATES = st.lists(st.builds(RateAtFpr, fpr=SHARE, confidence=SHARE, tpr=SHARE, lower=SHARE, upper=SHARE), max_size=4)


def places(text: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]


def assert_inside(text: str) -> None:
    for x, y in places(text):
        assert LEFT - 0.1 <= x <= WIDTH - RIGHT + 0.1
        assert TOP - 0.1 <= y <= HEIGHT - BOTTOM + 0.1


@given(CURVES, st.integers(0, 300), st.none() | SHARE)
def test_curve_stays_inside_whatever_the_evidence_says(
    curve: list[CurvePoint], examples: int, limit: float | None
) -> None:
    chart = accuracy_chart(curve, examples=examples, limit=limit)
    if chart is not None:
        assert_inside(chart.line)
        assert_inside(chart.band)


@given(ROCS, RATES)
def test_roc_stays_inside_whatever_the_evidence_says(roc: list[RocPoint], rates: list[RateAtFpr]) -> None:
    chart = roc_chart(roc, rates)
    if chart is not None:
        assert_inside(chart.line)
        assert_inside(" ".join(f"{bar.x},{y}" for bar in chart.bars for y in (bar.y, bar.low, bar.high)))


def test_accuracy_falls_from_left_to_right_in_steps() -> None:
    entry = samples.robustness().entries[0]
    chart = accuracy_chart(entry.curve, examples=entry.examples, limit=0.6)
    assert chart is not None
    line = places(chart.line)
    assert line == sorted(line)
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(line))
    assert chart.limit_label == "policy limit 60.0 %"
    assert "97.0 %" in chart.description


def test_band_encloses_the_line() -> None:
    entry = samples.robustness().entries[0]
    chart = accuracy_chart(entry.curve, examples=entry.examples, limit=None)
    assert chart is not None
    band = places(chart.band)
    for x, y in places(chart.line):
        heights = [height for at, height in band if at == pytest.approx(x, abs=0.2)]
        assert min(heights) <= y <= max(heights)
    assert chart.limit is None


@pytest.mark.parametrize("curve", [[], [CurvePoint(queries=5, accuracy=0.5)]])
def test_one_point_is_no_curve(curve: list[CurvePoint]) -> None:
    assert accuracy_chart(curve, examples=10, limit=None) is None


def test_nothing_measured_is_no_roc() -> None:
    assert roc_chart([], []) is None


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    curve = [CurvePoint(queries=queries, accuracy=1 - queries / 20_000) for queries in range(10_000)]
    chart = accuracy_chart(curve, examples=100, limit=None)
    assert chart is not None
    line = places(chart.line)
    assert len(line) <= 2 * MAX_POINTS
    assert line[0][0] == pytest.approx(LEFT)
    assert line[-1][0] == pytest.approx(WIDTH - RIGHT, abs=0.1)


def test_roc_axes_are_logarithmic() -> None:
    chart = roc_chart([RocPoint(fpr=0.01, tpr=0.1)], [])
    assert chart is not None
    gaps = [b.at - a.at for a, b in pairwise(chart.x_ticks)]
    assert gaps == pytest.approx([gaps[0]] * 3)
    assert [tick.label for tick in chart.x_ticks] == ["0.1 %", "1 %", "10 %", "100 %"]


def test_rate_of_zero_is_not_drawn_as_measured() -> None:
    chart = roc_chart([RocPoint(fpr=0.0, tpr=0.0), RocPoint(fpr=0.01, tpr=0.1)], [])
    assert chart is not None
    assert len(places(chart.line)) == 1
