from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.dependencies import ecosystem, gzip_bomb, json_lines, record, write_bundle

from weighbridge.checks.dependencies import bundle as module
from weighbridge.checks.dependencies.advisories import load_advisories, packaged_bundle
from weighbridge.checks.dependencies.bundle import parse_bundle, read_bundle
from weighbridge.errors import InputError, ParseError

GOOD = record("demo", ecosystem({"introduced": "0"}))
NAME = "test-2026-01-02.jsonl"
HEADER = {
    "schema": module.SCHEMA,
    "built": "2026-01-02",
    "records": 1,
    "withdrawn": 0,
    "sources": [{"name": "PYSEC", "records": 1}],
}


def with_header(**changes: object) -> bytes:
    return json_lines({**HEADER, **changes}, GOOD)


def test_reads_the_bundle_that_comes_with_the_package() -> None:
    path = packaged_bundle()
    database = load_advisories(path).database
    assert database.built == "2026-07-23"
    assert (database.records, database.withdrawn, database.sources) == (7080, 269, ("PYSEC",))
    assert database.sha256 == "286bb3136db6b52d11d37103d7ca0e05f390d68038088ee1972e7fa9cc9a12e1"


def test_the_package_carries_the_licence_of_its_data() -> None:
    folder = packaged_bundle().parent
    assert "CC-BY-4.0" in (folder / "NOTICE").read_text()
    assert "PyPA Advisory Database contributors" in (folder / "NOTICE").read_text()
    assert hashlib.sha256(packaged_bundle().read_bytes()).hexdigest() in (folder / "README.md").read_text()


def test_reads_plain_and_packed_lines_alike() -> None:
    plain = parse_bundle(json_lines(GOOD), name=NAME)
    packed = parse_bundle(gzip.compress(json_lines(GOOD)), name=NAME + ".gz")
    assert plain.records == packed.records
    assert plain.database.built == "2026-01-02"


def test_takes_the_date_of_the_header() -> None:
    assert parse_bundle(with_header(built="2026-03-04T05:06:07Z"), name="x.jsonl").database.built.startswith("2026-03")


def test_never_dates_itself_by_its_records() -> None:
    future = {**GOOD, "modified": "2027-07-01T00:00:00Z"}
    assert parse_bundle(json_lines(future), name=NAME).database.built == "2026-01-02"


@pytest.mark.parametrize(
    ("data", "name", "why"),
    [
        (json_lines(GOOD), "advisories.jsonl", "says no date"),
        (json_lines(GOOD), "a-2026-01-02-b-2026-01-03.jsonl", "says no date"),
        (json_lines(GOOD), "a-2026-13-45.jsonl", "expected RFC 3339"),
        (with_header(), "a-2026-01-03.jsonl", "but its file name says"),
        (with_header(records=2), NAME, "does not hold the records that its header counts"),
        (with_header(withdrawn=1), NAME, "does not hold the records that its header counts"),
        (with_header(sources=[]), NAME, "does not hold the records that its header counts"),
        (with_header(unknown=1), NAME, "unknown field"),
        (with_header(built="yesterday"), NAME, "expected RFC 3339"),
        (with_header(schema="weighbridge.dev/advisories/v2"), NAME, "not acceptable"),
        (b"", NAME, "is empty"),
        (gzip.compress(b"", mtime=0), NAME, "is empty"),
        (json_lines(HEADER), NAME, "is empty"),
        (json_lines({**GOOD, "withdrawn": "2026-01-01T00:00:00Z"}), NAME, "no record that is in force"),
        (json_lines(GOOD, GOOD), NAME, "PYSEC-2026-1000 twice"),
        (json_lines(GOOD) + b"\n" + json_lines({**GOOD, "id": "B-1"}), NAME, "line 2"),
        (json_lines(GOOD)[:-5], NAME, "line 1"),
        (gzip.compress(json_lines(GOOD), mtime=0)[:-9], NAME, "truncated"),
        (gzip.compress(json_lines(GOOD), mtime=0) + b"more", NAME, "after its end"),
        (
            gzip.compress(json_lines(GOOD), mtime=0) + gzip.compress(json_lines({**GOOD, "id": "B-1"}), mtime=0),
            NAME,
            "after its end",
        ),
        (b"\x1f\x8b\x08garbage", NAME, "damaged"),
        (json_lines({key: value for key, value in GOOD.items() if key != "id"}), NAME, "line 1"),
        (json_lines({**GOOD, "id": ""}), NAME, "its id is empty"),
        (json_lines({**GOOD, "id": "x" * 129}), NAME, "longer than 128"),
        (json_lines({**GOOD, "id": "PYSEC\u001b[2J"}), NAME, "not printable"),
        (json_lines({**GOOD, "affected": {}}), NAME, "line 1"),
        (json_lines({**GOOD, "aliases": [1]}), NAME, "line 1"),
        (json_lines({**GOOD, "withdrawn": True}), NAME, "line 1"),
        (b"[" * 100_000, NAME, "line 1"),
        (b'{"id": "A-1", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", NAME, "line 1"),
        (b"\xff\xfe" + json_lines(GOOD), NAME, "line 1"),
        (b"null\n", NAME, "line 1"),
    ],
)
def test_refuses_a_bundle_that_is_not_whole(data: bytes, name: str, why: str) -> None:
    with pytest.raises(ParseError, match=why):
        parse_bundle(data, name=name)


def test_refuses_a_bomb() -> None:
    with pytest.raises(ParseError, match="times its size"):
        parse_bundle(gzip_bomb(50_000_000), name=NAME)


def test_refuses_what_is_over_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_bundle(tmp_path, GOOD)
    for limit, why in (
        ("MAX_PACKED", "larger than"),
        ("MAX_UNPACKED", "unpacks to more"),
        ("MAX_LINE", "longer than"),
        ("MAX_RECORDS", "more than 0 lines"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, limit, 0 if limit == "MAX_RECORDS" else 20)
            with pytest.raises(InputError, match=why):
                read_bundle(path)


def test_refuses_a_bundle_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file") as caught:
        read_bundle(tmp_path / "none-2026-01-02.jsonl.gz")
    assert "weighbridge advisories build" in caught.value.remedy


def test_passes_over_fields_of_the_schema_that_it_does_not_need() -> None:
    richer = {**GOOD, "references": [{"type": "WEB", "url": "https://example.org"}], "credits": []}
    assert parse_bundle(json_lines(richer), name=NAME).records[0].id == GOOD["id"]


@given(st.binary(max_size=300))
def test_never_fails_otherwise_than_by_refusing(data: bytes) -> None:
    for given_bytes in (data, b"\x1f\x8b" + data, gzip.compress(data), json_lines(GOOD) + data):
        try:
            parse_bundle(given_bytes, name=NAME)
        except ParseError:
            continue


KEYS = st.sampled_from(["id", "affected", "package", "ranges", "events", "name"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@given(st.recursive(LEAVES, lambda inner: st.lists(inner, min_size=1) | st.dictionaries(KEYS, inner), max_leaves=12))
def test_refuses_any_other_json_without_a_traceback(value: object) -> None:
    data = json.dumps({"id": "A-1", "modified": "x", "affected": value})
    with pytest.raises(ParseError):
        parse_bundle(data.encode(), name=NAME)
