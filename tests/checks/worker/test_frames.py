"""Frames survive the way through a pipe, and what is not one is refused."""

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.checks.interface import CheckRequest, Limits, ModelScanOptions
from weighbridge.checks.worker import frames
from weighbridge.checks.worker.parent import parse_output
from weighbridge.errors import ParseError

REQUEST = CheckRequest(model="/model", options=ModelScanOptions())
LIMITS = Limits(seconds=1, cpu_seconds=1, memory=1)


def _through_a_pipe(content: bytes, *, limit: int = 1000) -> CheckRequest:
    reading, writing = os.pipe()
    try:
        frames.write(writing, content)
        os.close(writing)
        return frames.read(reading, CheckRequest, what="the request", limit=limit)
    finally:
        os.close(reading)


def test_brings_a_request_through_a_pipe() -> None:
    assert _through_a_pipe(frames.encode(REQUEST)) == REQUEST


def test_brings_an_input_for_every_check_through_a_pipe() -> None:
    assert b'"check":"model-scan"' in frames.encode(REQUEST)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "ends too early"),
        (b"\0\0", "ends too early"),
        (struct.pack(">I", 5) + b"{}", "ends too early"),
        (struct.pack(">I", 1001), "at most 1000"),
        (struct.pack(">I", 2) + b"{}", "missing required field"),
        (struct.pack(">I", 0), "not JSON"),
    ],
)
def test_refuses_what_is_not_a_frame(content: bytes, why: str) -> None:
    with pytest.raises(ParseError, match=why):
        _through_a_pipe(content)


@given(st.binary(max_size=200))
def test_an_answer_is_parsed_or_refused_and_nothing_else(content: bytes) -> None:
    try:
        output = parse_output(content, request=REQUEST, limits=LIMITS)
    except ParseError:
        return
    assert output.undecided or output.measurements


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["findings", "undecided", "measurements", "kind", "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_an_answer_of_the_wrong_shape_is_refused(value: object) -> None:
    import json

    content = json.dumps(value).encode("utf-8")
    try:
        output = parse_output(content, request=REQUEST, limits=LIMITS)
    except ParseError:
        return
    assert output.undecided or output.measurements
