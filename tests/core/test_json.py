from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge import _json
from weighbridge._struct import Wire
from weighbridge.errors import ParseError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


class Sample(Wire, omit_defaults=True):
    file_name: str
    size: int = 0


@given(VALUES)
def test_reads_what_it_writes(value: object) -> None:
    assert _json.loads(_json.dumps(value), what="x") == value


@given(st.dictionaries(st.text(), st.integers(-(2**53), 2**53)))
def test_writes_the_same_bytes_whatever_the_order(value: dict[str, int]) -> None:
    assert _json.dumps(value) == _json.dumps(dict(reversed(list(value.items()))))


@given(st.binary(max_size=200))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    try:
        _json.loads(data, what="x")
    except ParseError:
        return
    json.loads(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"a":1,"a":2}', "twice"),
        (b'{"x":{"a":1,"a":1}}', "twice"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "larger than a double"),
        (b"-1e999", "larger than a double"),
        (rb'{"a":"\ud800"}', "surrogates not allowed"),
        (rb'{"\uDC00":1}', "surrogates not allowed"),
        (b"{} {}", "not JSON"),
        (b"", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"\xff", "UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"),
        (b"[" * 1_000_000, "deeper than 64"),
    ],
)
def test_refuses_what_is_not_strict_json(data: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        _json.loads(data, what="the file")


@pytest.mark.timeout(20)
def test_a_string_that_never_ends_is_refused_in_one_pass() -> None:
    # Quadratic, this takes days.
    for data in (b'"' + b'\\"' * 2_000_000, b'["' + b"a" * 4_000_000, b'"' * 4_000_001, b"[" + b'"\\' * 2_000_000):
        with pytest.raises(ParseError, match="not JSON"):
            _json.loads(data, what="x")


def test_a_long_string_needs_little_memory() -> None:
    data = b'["' + b"A" * 4_000_000 + b'"]'
    tracemalloc.start()
    try:
        _json.loads(data, what="x")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(data)


def test_brackets_in_strings_are_not_nesting() -> None:
    text = "[" * 100 + '\\"' + "{" * 100
    assert _json.loads(json.dumps([text]).encode(), what="x") == [text]
    assert _json.loads(rb'["\ud83d\ude00"]', what="x") == ["\U0001f600"]
    with pytest.raises(ParseError, match="deeper"):
        _json.loads(json.dumps(["\\", *["["] * 3]).encode() + b"[" * 65, what="x")


def test_refuses_what_is_too_large() -> None:
    with pytest.raises(ParseError, match="at most 3"):
        _json.loads(b"[1,2]", what="x", max_bytes=3)


def test_types_are_strict() -> None:
    assert _json.parse(b'{"fileName":"a"}', Sample, what="x") == Sample(file_name="a")
    for bad in (b'{"fileName":1}', b'{"fileName":"a","extra":1}', b"{}", b'{"fileName":"a","size":"1"}', b"[]"):
        with pytest.raises(ParseError, match="not acceptable"):
            _json.parse(bad, Sample, what="x")


RACE = """
import sys, threading
sys.setswitchinterval(1e-6)
from weighbridge import _json
from weighbridge.checks.interface import CheckRequest
start = threading.Barrier(8)
def convert():
    start.wait()
    _json.convert({"model": "m", "options": {"check": "model-scan"}}, CheckRequest, what="x")
threads = [threading.Thread(target=convert) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_the_first_use_of_a_type_by_many_threads_ends_no_process() -> None:
    # `run` starts its checks side by side; half of such starts ended in a segmentation fault inside msgspec.
    for _ in range(6):
        assert subprocess.run([sys.executable, "-c", RACE], capture_output=True, check=False).returncode == 0
