"""Python's own unpickler as the oracle: what the scan calls clean never asks it for a name that is not listed.

The oracle resolves nothing: every global becomes a class that does nothing.
"""

from __future__ import annotations

import contextlib
import io
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attacks.model_pickles import OPCODES, SYSTEM, joblib_array, name0, name4
from tests.checks.model_scan.benign import joblib_bytes
from weighbridge.checks.model_scan.allow import allowed_globals, scan_pickle_bytes


class _Nothing(dict[Any, Any]):
    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__()

    def __call__(self, *args: Any, **keywords: Any) -> _Nothing:
        return _Nothing()

    def __setstate__(self, state: object) -> None:
        pass

    def append(self, item: object) -> None:
        pass

    def extend(self, items: object) -> None:
        pass

    def __hash__(self) -> int:  # type: ignore[override]
        return 1


class _Oracle(pickle.Unpickler):
    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), fix_imports=False)
        self.asked: set[tuple[str, str]] = set()

    def find_class(self, module: str, name: str, /) -> Any:
        self.asked.add((module, name))
        return _Nothing

    def persistent_load(self, key: object) -> Any:
        self.asked.add(("persistent", "id"))
        return None


def _asked(data: bytes) -> set[tuple[str, str]]:
    oracle = _Oracle(data)
    with contextlib.suppress(Exception):  # whatever stops it, what it asked for before counts
        oracle.load()
    return oracle.asked


def _check(data: bytes) -> None:
    report = scan_pickle_bytes(data, name="m.pkl")
    if report.coverage.state == "clean":
        assert _asked(data) <= allowed_globals(), data


_TREE = pickle.dumps({"a": np.arange(4), "b": [1, "x", (2.5, None)], "c": np.float64(1)}, protocol=4)
_JOBLIB = joblib_bytes({"a": np.arange(4), "b": np.array(["x", None], dtype=object), "c": [1, 2]})
_SEEDS = [_TREE, _JOBLIB, SYSTEM, *OPCODES.values(), joblib_array(padding=b"\x01\xff", data=b"abcd")]

_FRAGMENTS = st.sampled_from(
    [
        b"N", b"(", b"0", b"1", b"2", b"]", b"}", b")", b"a", b"e", b"s", b"u", b"t", b"l", b"d", b"R", b"b", b"o",
        b"\x81", b"\x85", b"\x86", b"\x87", b"\x88", b"\x8f", b"\x90", b"\x91", b"\x92", b"\x93", b"\x94", b"q\x00",
        b"q\x01", b"h\x00", b"h\x01", b"h\x02", b"K\x01", b"\x8c\x02os", b"\x8c\x06system", b"\x8c\x05numpy",
        b"\x8c\x05dtype", b"\x8c\x02u1", b"U\x02os", b"C\x02os", b"Q", b"\x82\x01", b".", b"\x80\x04", b"ios\nsystem\n",
        name0("os", "system"), name4("numpy", "dtype"), name4("collections", "OrderedDict"),
        name4("collections", "defaultdict"), name4("copyreg", "_reconstructor"), name4("builtins", "object"),
        name4("_codecs", "encode"), name4("joblib.numpy_pickle", "NumpyArrayWrapper"), name4("numpy", "ndarray"),
    ]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_never_crash_nor_hide_a_name(data: bytes) -> None:
    _check(data)


@settings(max_examples=600, deadline=None)
@given(st.lists(_FRAGMENTS, max_size=40).map(lambda parts: b"".join(parts) + b"."))
def test_random_opcodes_never_crash_nor_hide_a_name(data: bytes) -> None:
    _check(data)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(_SEEDS), st.data())
def test_mutated_pickles_never_crash_nor_hide_a_name(seed: bytes, data: st.DataObject) -> None:
    changed = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(changed)))
        cut = data.draw(st.integers(0, 8))
        changed[place : place + cut] = data.draw(st.one_of(st.binary(max_size=8), _FRAGMENTS))
    _check(bytes(changed))


@pytest.mark.parametrize("seed", [_TREE, _JOBLIB], ids=["pickle", "joblib"])
def test_payload_at_any_place_is_not_clean(seed: bytes) -> None:
    payload = name0("os", "system") + b"(S'true'\ntR0"
    for place in range(len(seed)):
        _check(seed[:place] + payload + seed[place:])


def test_oracle_finds_what_it_should() -> None:
    assert ("os", "system") in _asked(SYSTEM)
    assert ("os", "system") in _asked(OPCODES["memo-names"])
    assert scan_pickle_bytes(_JOBLIB, name="m").coverage.state == "clean"


def test_every_cut_of_a_clean_pickle_is_not_clean() -> None:
    for seed in (_TREE, _JOBLIB):
        for end in range(len(seed)):
            assert scan_pickle_bytes(seed[:end], name="m").coverage.state != "clean"


@pytest.mark.parametrize("escape", [b"\\ ", b"\\8", b"\\400", b"\\777", b"\\x", b"\\xg0", b"\\q"])
def test_escapes_that_python_only_warns_of_are_refused(escape: bytes) -> None:
    assert scan_pickle_bytes(b"S'a" + escape + b"'\n.", name="p.pkl").findings


@pytest.mark.parametrize("escape", [b"\\n", b"\\x41", b"\\101", b"\\7", b"\\\\", b"\\'", b'"'])
def test_escapes_that_a_pickler_writes_are_read(escape: bytes) -> None:
    assert not scan_pickle_bytes(b"S'a" + escape + b"'\n.", name="p.pkl").findings
