from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.clock import format_instant, parse_duration, parse_instant
from weighbridge.errors import ParseError

INSTANTS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))


@given(INSTANTS)
def test_reads_what_it_writes_to_the_second(instant: datetime) -> None:
    assert parse_instant(format_instant(instant), what="x") == instant.replace(microsecond=0)


def test_a_date_means_the_end_of_its_day() -> None:
    assert parse_instant("2026-12-31", what="x") == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_zones_are_told_apart() -> None:
    assert parse_instant("2026-12-31T23:00:00+14:00", what="x") == datetime(2026, 12, 31, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-12-31T23:59:59",
        "2026-12-31 23:59:59Z",
        "2026-12-31T23:59:59z",
        "2026-12-31T23:59:60Z",
        "2026-12-31T25:00:00Z",
        "2026-02-30",
        "0000-01-01",
        "9999-12-31",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "2026-12-31T23:59:59+99:99",
        "\uff12026-12-31",
        "2026-12-31\n",
        "-2026-12-31",
        "2026-366",
    ],
)
def test_refuses_what_is_no_instant(text: str) -> None:
    with pytest.raises(ParseError, match="expected RFC 3339"):
        parse_instant(text, what="x")


@pytest.mark.parametrize("text", ["", "0d", "1", "d", "-1d", "1.5d", "1d1h", "100000d", "1 d", "1d\n", "\uff11d", "1D"])
def test_refuses_what_is_no_span(text: str) -> None:
    with pytest.raises(ParseError, match="such as 30d"):
        parse_duration(text, what="x")


def test_reads_spans() -> None:
    assert parse_duration("90m", what="x") == timedelta(minutes=90)
    assert parse_duration("99999w", what="x") == timedelta(weeks=99999)
