from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.attacks.dependencies import bundle_lines, ecosystem, gzip_bomb, json_lines, record, write_bundle

from weighbridge.checks.dependencies import bundle as module
from weighbridge.checks.dependencies.advisories import load_advisories, packaged_bundle
from weighbridge.checks.dependencies.bundle import parse_bundle, read_bundle
from weighbridge.errors import InputError, ParseError

GOOD = record("demo", ecosystem({"introduced": "0"}))
NAME = "test.jsonl"
GONE = {**GOOD, "withdrawn": "2026-01-01T00:00:00Z"}


def with_header(**changes: Any) -> bytes:
    return bundle_lines(GOOD, **changes)


HEADER = with_header()[: -len(json_lines(GOOD))]


def test_reads_the_bundle_that_comes_with_the_package() -> None:
    path = packaged_bundle()
    database = load_advisories(path).database
    assert database.built == "2026-07-23"
    assert (database.records, database.withdrawn, database.sources) == (7080, 269, ("PYSEC",))
    assert database.sha256 == "806da4fa774dd447ec655a679e6cec268c70bdeef9907e5685e2fe7f0a5fd545"


def test_the_package_carries_the_licence_of_its_data() -> None:
    folder = packaged_bundle().parent
    assert "CC-BY-4.0" in (folder / "NOTICE").read_text()
    assert "PyPA Advisory Database contributors" in (folder / "NOTICE").read_text()
    assert hashlib.sha256(packaged_bundle().read_bytes()).hexdigest() in (folder / "README.md").read_text()


def test_reads_plain_and_packed_lines_alike() -> None:
    plain = parse_bundle(with_header(), name=NAME)
    packed = parse_bundle(gzip.compress(with_header()), name=NAME + ".gz")
    assert plain.records == packed.records
    assert plain.database.built == "2026-01-02"


def test_takes_the_date_of_the_header() -> None:
    assert parse_bundle(with_header(built="2026-03-04T05:06:07Z"), name="x.jsonl").database.built.startswith("2026-03")


def test_never_dates_itself_by_its_records() -> None:
    future = {**GOOD, "modified": "2027-07-01T00:00:00Z"}
    assert parse_bundle(bundle_lines(future), name=NAME).database.built == "2026-01-02"


@pytest.mark.parametrize("name", ["advisories.jsonl", "pysec-2026-11-23.jsonl", "2026-01-02-2026-11-23.jsonl"])
def test_a_name_dates_no_bundle(name: str) -> None:
    assert parse_bundle(with_header(), name=name).database.built == "2026-01-02"
    with pytest.raises(ParseError, match="says no date") as caught:
        parse_bundle(json_lines(GOOD), name=name)
    assert "weighbridge advisories build" in caught.value.remedy


def test_a_bundle_of_another_time_zone_may_have_its_own_date_in_its_name() -> None:
    late = "2026-11-23T23:30:00-05:00"
    assert parse_bundle(with_header(built=late), name="pysec-2026-11-23.jsonl").database.built == late


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (json_lines(GOOD), "says no date"),
        (with_header(records=2), "does not hold the records that its header counts"),
        (with_header(withdrawn=1), "does not hold the records that its header counts"),
        (with_header(sources=[]), "does not hold the records that its header counts"),
        (with_header(unknown=1), "unknown field"),
        (with_header(built="yesterday"), "expected RFC 3339"),
        (with_header(built="2026-13-45"), "expected RFC 3339"),
        (with_header(schema="weighbridge.dev/advisories/v2"), "not acceptable"),
        (b"", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (bundle_lines(records=1), "is empty"),
        (bundle_lines(GONE), "no record that is in force"),
        (bundle_lines(GOOD, GOOD), "PYSEC-2026-1000 twice"),
        (with_header() + b"\n" + json_lines({**GOOD, "id": "B-1"}), "line 3"),
        (with_header()[:-5], "line 2"),
        (gzip.compress(with_header(), mtime=0)[:-9], "truncated"),
        (gzip.compress(with_header(), mtime=0) + b"more", "after its end"),
        (
            gzip.compress(with_header(), mtime=0) + gzip.compress(json_lines({**GOOD, "id": "B-1"}), mtime=0),
            "after its end",
        ),
        (b"\x1f\x8b\x08garbage", "damaged"),
        (HEADER + json_lines({key: value for key, value in GOOD.items() if key != "id"}), "line 2"),
        (bundle_lines({**GOOD, "id": ""}), "its id is empty"),
        (bundle_lines({**GOOD, "id": "x" * 129}), "longer than 128"),
        (bundle_lines({**GOOD, "id": "PYSEC\u001b[2J"}), "not printable"),
        (bundle_lines({**GOOD, "affected": {}}), "line 2"),
        (bundle_lines({**GOOD, "aliases": [1]}), "line 2"),
        (bundle_lines({**GOOD, "withdrawn": True}), "line 2"),
        (HEADER + b"[" * 100_000, "line 2"),
        (HEADER + b'{"id": "A-1", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "line 2"),
        (HEADER + b"\xff\xfe" + json_lines(GOOD), "line 2"),
        (HEADER + b"null\n", "line 2"),
        (b"null\n" + json_lines(GOOD), "says no date"),
    ],
)
def test_refuses_a_bundle_that_is_not_whole(data: bytes, why: str) -> None:
    with pytest.raises(ParseError, match=why):
        parse_bundle(data, name=NAME)


def test_refuses_a_bomb() -> None:
    with pytest.raises(ParseError, match="times its size"):
        parse_bundle(gzip_bomb(50_000_000), name=NAME)


def test_refuses_what_is_over_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_bundle(tmp_path, GOOD)
    for limit, value, why in (
        ("MAX_PACKED", 20, "larger than"),
        ("MAX_UNPACKED", 20, "unpacks to more"),
        ("MAX_LINE", len(HEADER), "longer than"),
        ("MAX_RECORDS", 0, "more than 0 lines"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(module, limit, value)
            with pytest.raises(InputError, match=why):
                read_bundle(path)


def test_refuses_a_bundle_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file") as caught:
        read_bundle(tmp_path / "none.jsonl.gz")
    assert "weighbridge advisories build" in caught.value.remedy


def test_passes_over_fields_of_the_schema_that_it_does_not_need() -> None:
    richer = {**GOOD, "references": [{"type": "WEB", "url": "https://example.org"}], "credits": []}
    assert parse_bundle(bundle_lines(richer), name=NAME).records[0].id == GOOD["id"]


@given(st.binary(max_size=300))
def test_never_fails_otherwise_than_by_refusing(data: bytes) -> None:
    for given_bytes in (data, b"\x1f\x8b" + data, gzip.compress(data), with_header() + data, HEADER + data):
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
        parse_bundle(HEADER + data.encode(), name=NAME)
