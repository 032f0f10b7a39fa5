"""JSON is read as Python reads it, judged by its role, and walked in bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attacks.documents import expected
from tests.attacks.model_files import with_metadata
from tests.attacks.models import Case
from tests.checks.model_scan.documents.honest import JSON, json_bytes
from weighbridge.checks.model_scan.documents.json_walk import MAX_STEPS, walk
from weighbridge.checks.model_scan.documents.tree import MAX_DEPTH, MAX_KEPT, Object
from weighbridge.checks.model_scan.formats import scan_content
from weighbridge.checks.model_scan.report import FileReport, RefusedError, UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Memory

EXPECTED = expected()


def report(data: bytes, *, name: str = "some.json") -> FileReport:
    scan = Scan.start()
    kind = scan_content(scan, Memory(data), name, name=name)
    return scan.notes.close(path=name, size=len(data), kind=kind, sha256=None)


@pytest.mark.parametrize(("case", "rule"), EXPECTED, ids=[str(case) for case, _ in EXPECTED])
def test_finds_hostile_document_by_its_rule(case: Case, rule: str) -> None:
    assert rule in {finding.rule for finding in report(case.content, name=case.filename).findings}


METADATA_CASES = with_metadata()


@pytest.mark.parametrize(("case", "rule"), METADATA_CASES, ids=[str(case) for case, _ in METADATA_CASES])
def test_finds_hostile_metadata_by_its_rule(case: Case, rule: str) -> None:
    assert rule in {finding.rule for finding in report(case.content, name=case.filename).findings}


@pytest.mark.parametrize("name", sorted(JSON))
@pytest.mark.parametrize("indent", [None, 2])
def test_honest_json_is_clean_whatever_its_name(name: str, indent: int | None) -> None:
    found = report(json.dumps(JSON[name], indent=indent).encode(), name="x.json")
    assert (found.findings, found.undecided) == ((), ())
    assert found.coverage.state == "clean"


@pytest.mark.parametrize(
    "data",
    [b"NaN", b'{"a": -Infinity, "b": 1e999}', b'{"a": 1, "a": 2}', b'"\\ud83d"', b"\xef\xbb\xbf{}", b"[]", b" 5 "],
    ids=["nan", "infinity", "duplicate", "half", "mark", "empty", "number"],
)
def test_reads_what_python_reads(data: bytes) -> None:
    assert report(data).coverage.state == "clean"


@pytest.mark.parametrize(
    "data",
    [b"{nope", b"[1,]", b"{} {}", b'{"a" 1}', b'["\x01"]', b"[01]", b'"\\x"', b"[}", b"{]", b"[1}", b"", b" ", b'["a"'],
)
def test_refuses_what_python_does_not_read(data: bytes) -> None:
    with pytest.raises(RefusedError):
        walk(data)


def test_what_is_not_utf8_is_no_json_and_undecided() -> None:
    # Nothing but its name says JSON of such bytes, and a name decides nothing.
    found = report(b'["\xff"]')
    assert (found.coverage.state, found.findings) == ("undecided", ())


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[" * (MAX_DEPTH + 5), "nests deeper"),
        (b'{"a":' * (MAX_DEPTH + 5), "nests deeper"),
        (b"[" + b'{"_x":"y"},' * (MAX_KEPT + 5) + b"0]", "judged one by one"),
    ],
    ids=["arrays", "objects", "many"],
)
def test_what_is_too_much_is_undecided(data: bytes, reason: str) -> None:
    with pytest.raises(UndecidedError, match=reason):
        walk(data)


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.checks.model_scan.documents.json_walk.MAX_STEPS", 1000)
    with pytest.raises(UndecidedError, match="not plain"):
        walk(b"[" + b"[[0],[[0]]]," * 2000 + b"0]")
    assert MAX_STEPS > 1_000_000


def test_keeps_both_values_of_a_key() -> None:
    found = walk(b'{"a": "x", "a": "y"}')
    assert isinstance(found, Object)
    assert found.members == [("a", "x"), ("a", "y")]
    assert found.text("a") == "y"


def test_unknown_role_with_a_class_is_undecided_and_known_role_refused() -> None:
    own = {"model_class": "my_package.Model", "size": 3}
    assert report(json.dumps(own).encode()).coverage.state == "undecided"
    assert report(json.dumps(own | {"model_type": "bert"}).encode()).coverage.state == "refused"


def test_says_where(tmp_path: Path) -> None:
    del tmp_path
    found = report(b'{"a": [{"_target_": "os.system"}]}').findings
    assert [one.location for one in found] == ["some.json:/a/0/_target_"]


@pytest.mark.parametrize("count", [1, 10, 17, 70, 500])
def test_hides_nothing_in_large_containers(count: int) -> None:
    evil = {"_target_": "os.system"}
    for document in (
        [*[0] * count, evil],
        [*["x"] * count, [[evil]]],
        {f"k{n}": n for n in range(count)} | {"x": evil},
    ):
        assert report(json.dumps(document).encode()).findings


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["os.system", "{{a}}"]),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=6), inner, max_size=5),
    max_leaves=60,
)


@given(JSON_VALUES, st.booleans())
@settings(max_examples=200, deadline=None)
def test_reads_whatever_python_writes(value: Any, ascii_only: bool) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "replace")
    assert not {finding.rule for finding in report(data).findings} & {"format-mismatch"}


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\/u0123eE.-+ \ntrufalsnN', max_size=40).map(str.encode))
@settings(max_examples=500, deadline=None)
def test_agrees_with_python_on_any_bytes(data: bytes) -> None:
    try:
        json.loads(data.decode())
        read = True
    except ValueError:
        read = False
    try:
        walk(data)
        walked = True
    except RefusedError:
        walked = False
    if not data.startswith(b"\xef\xbb\xbf"):
        try:
            data.decode()
        except UnicodeDecodeError:
            return  # seen before the walk
        assert read == walked


MEMORY = """
import resource, sys
from pathlib import Path
from weighbridge.checks.model_scan.check import scan_file
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
report = scan_file(Path(sys.argv[1]), name="m.json")
print(report.coverage.state, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("piece", "state"),
    [("{},", "clean"), ('{"a":{"b":0}},', "undecided"), ('["a"],', "clean"), ('{"_t":"x"},', "undecided")],
    ids=["empty-objects", "objects", "rows", "marked"],
)
def test_thirty_megabytes_need_little_memory(tmp_path: Path, piece: str, state: str) -> None:
    path = tmp_path / "m.json"
    path.write_text("[" + piece * (30_000_000 // len(piece)) + "{}]")
    command = [sys.executable, "-c", MEMORY, str(path)]
    found, megabytes = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert found in (state, "clean")
    assert int(megabytes) <= 150


def test_json_bytes_are_what_the_tests_scan() -> None:
    assert json.loads(json_bytes("plain")) == JSON["plain"]


SKOPS = {"__class__": "power", "__module__": "numpy", "__loader__": "DictNode", "content": {}}
SETTINGS = ("backend", "platform", "runtime", "op_library_filename")


@pytest.mark.parametrize("odd", [{}, [], {"a": 1}, ["x"], None, 1, True, "y" * 70_000], ids=lambda odd: repr(odd)[:9])
@pytest.mark.parametrize("key", ["__class__", "__module__", "__loader__"])
def test_an_odd_value_where_a_name_belongs_is_judged(key: str, odd: object) -> None:
    found = report(json.dumps({"x": {**SKOPS, key: odd}}).encode())
    assert found.coverage.state == "refused"


@pytest.mark.parametrize("value", ["{ a: 1 }", "[1, 2]", "[{ a: 1 }]"])
@pytest.mark.parametrize("key", SETTINGS)
def test_an_odd_value_of_a_setting_of_triton_is_judged(key: str, value: str) -> None:
    found = report(f"{key}: {value}\n".encode(), name="config.pbtxt")
    assert found.coverage.state != "clean"
