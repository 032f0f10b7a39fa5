"""Every byte of every file is parsed, data, or undecided, and the record says which, in ranges that tile the file."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.attacks.model_containers import archive, npy, state_dict, torch_archive
from tests.attacks.model_files import external, field, node, onnx, safetensors, tensor
from tests.builders import request_for
from weighbridge import _json
from weighbridge.checks.interface import ModelScanOptions
from weighbridge.checks.model_scan import formats
from weighbridge.checks.model_scan.account import MAX_RANGES, Account, Ledger, shortened
from weighbridge.checks.model_scan.check import run, scan_file
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import FileReport
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Memory, Part, Source
from weighbridge.evidence.measurements import Coverage, CoveredRange, FileCoverage, ModelScanMeasurements


def scanned(tmp_path: Path, content: bytes) -> FileReport:
    (tmp_path / "f").write_bytes(content)
    return scan_file(tmp_path / "f", name="f")


def coverage_of(report: FileReport) -> Coverage:
    assert report.coverage.coverage is not None
    return report.coverage.coverage


def tiles(ranges: tuple[CoveredRange, ...], size: int) -> bool:
    place = 0
    for one in ranges:
        if one.start != place or one.length <= 0:
            return False
        place += one.length
    return place == size


def members(covered: Coverage) -> dict[str, tuple[CoveredRange, ...]]:
    names = dict.fromkeys(one.member for one in covered.ranges)
    return {name: tuple(one for one in covered.ranges if one.member == name) for name in names}


def require_tiled(report: FileReport) -> None:
    covered = coverage_of(report)
    assert covered.parsed + covered.data + covered.undecided == report.coverage.size
    for name, ranges in members(covered).items():
        end = ranges[-1].start + ranges[-1].length
        assert tiles(ranges, report.coverage.size if not name else end)
    if report.coverage.state == "clean":
        assert covered.undecided == 0
        assert all(one.how != "undecided" for one in covered.ranges)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(max_size=5000),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=12,
)


def _contents() -> st.SearchStrategy[bytes]:
    pickles = st.builds(pickle.dumps, VALUES, st.integers(0, 5))
    sizes = st.lists(st.integers(0, 3000), max_size=6)
    tensors = st.builds(_safetensors, sizes)
    graphs = st.builds(_onnx, sizes)
    arrays = st.builds(
        lambda n: npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({n},)}}", bytes(n)), st.integers(0, 9000)
    )
    objects = st.builds(
        lambda value: npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", pickle.dumps([value])), VALUES
    )
    torch = st.integers(1, 200).map(
        lambda n: torch_archive(state_dict(kind="ByteStorage", count=n), storages={"0": bytes(n)})
    )
    text = st.text(max_size=2000).map(str.encode)
    plain = pickles | tensors | graphs | arrays | objects | torch | text | st.binary(max_size=2000)
    return plain | plain.map(gzip.compress) | st.dictionaries(st.sampled_from("abcdef"), plain, max_size=4).map(archive)


def _safetensors(sizes: list[int]) -> bytes:
    place, header = 0, {}
    for number, size in enumerate(sizes):
        header[str(number)] = tensor(place, place + size)
        place += size
    return safetensors(header, bytes(place))


def _onnx(sizes: list[int]) -> bytes:
    return onnx(node("Relu"), tensors=tuple(field(1, 1) + field(2, 2) + field(9, bytes(size)) for size in sizes))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=_contents())
def test_ranges_tile_every_file(tmp_path: Path, content: bytes) -> None:
    require_tiled(scanned(tmp_path, content))


def test_tensors_are_data_and_their_header_is_parsed(tmp_path: Path) -> None:
    content = safetensors({str(n): tensor(n * 300, n * 300 + 300) for n in range(10_000)}, bytes(3_000_000))
    head = len(content) - 3_000_000
    ranges = coverage_of(scanned(tmp_path, content)).ranges
    assert [(one.start, one.length, one.how) for one in ranges] == [(0, head, "parsed"), (head, 3_000_000, "data")]


def test_storages_of_a_torch_archive_are_data_and_its_pickle_is_parsed(tmp_path: Path) -> None:
    report = scanned(tmp_path, torch_archive(state_dict(count=100), storages={"0": bytes(400)}))
    found = {one.member: one.how for one in coverage_of(report).ranges}
    assert found["archive/data/0"] == "data"
    assert found["archive/data.pkl"] == found["archive/version"] == found[""] == "parsed"


def test_a_member_without_a_parser_is_undecided_and_its_neighbours_are_not(tmp_path: Path) -> None:
    report = scanned(
        tmp_path,
        archive(
            {
                "a.npy": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (900,)}", bytes(900)),
                "b": bytes(range(9, 60)) * 9,
            }
        ),
    )
    found = {(one.member, one.how) for one in coverage_of(report).ranges}
    assert {("a.npy", "data"), ("b", "undecided")} <= found
    assert report.coverage.state == "undecided"


def test_external_data_is_data(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(onnx(tensors=(external("w.bin"),)))
    (tmp_path / "w.bin").write_bytes(bytes(range(1, 9)))
    measured = run(request_for(tmp_path, ModelScanOptions())).measurements
    assert isinstance(measured, ModelScanMeasurements)
    found = {entry.path: entry.coverage for entry in measured.files}
    assert found["w.bin"] == Coverage(data=8, ranges=(CoveredRange(start=0, length=8, how="data"),))


def test_a_parser_that_forgets_bytes_leaves_them_undecided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(scan: Scan, source: Source, location: str) -> None:
        del scan, location
        Reader(source).read(3)

    monkeypatch.setitem(formats._SCANNERS, "text", forgetful)
    report = scanned(tmp_path, b"some text")
    assert report.coverage.state == "undecided"
    assert "6 bytes from byte 3 on were read by no parser" in report.undecided[0].reason


def test_many_ranges_are_told_in_few_that_still_tile(tmp_path: Path) -> None:
    report = scanned(tmp_path, _onnx([500] * 3000))
    require_tiled(report)
    covered = coverage_of(report)
    assert report.coverage.state == "clean"
    assert len(covered.ranges) <= MAX_RANGES
    assert not covered.more
    assert covered.data == 1_500_000


def test_many_members_are_cut_with_a_count(tmp_path: Path) -> None:
    report = scanned(tmp_path, archive({f"{n}.json": b"{}" for n in range(1000)}))
    covered = coverage_of(report)
    assert (len(covered.ranges), covered.more) == (MAX_RANGES, 1001 - MAX_RANGES)


def test_evidence_of_many_files_stays_small(tmp_path: Path) -> None:
    content = torch_archive(state_dict(), storages={"0": bytes(16)})
    for number in range(400):
        (tmp_path / f"{number}.pt").write_bytes(content)
    measured = run(request_for(tmp_path, ModelScanOptions())).measurements
    assert len(_json.dumps(measured)) < 400 * 800


def test_a_record_of_an_earlier_release_is_read() -> None:
    old = b'{"path":"a","format":"json","size":2,"sha256":null,"state":"clean"}'
    assert _json.parse(old, FileCoverage, what="x").coverage is None
    assert _json.dumps(_json.parse(old, FileCoverage, what="x")) == _json.dumps(_json.loads(old, what="x"))


def test_readers_of_one_content_share_its_account() -> None:
    account = Account("f", "", 1000)
    whole = Part(Memory(bytes(1000)), start=0, ledger=Ledger(account))
    outer = Reader(whole)
    outer.read(10)
    outer.skip(500)
    Reader(Part(whole, start=100, length=50)).read(50)
    outer.read(5)
    outer.skip(485)
    assert outer.at_end()
    found = [(one.start, one.length, one.how) for one in account.close()]
    assert found == [
        (0, 10, "parsed"),
        (10, 90, "data"),
        (100, 50, "parsed"),
        (150, 360, "data"),
        (510, 5, "parsed"),
        (515, 485, "data"),
    ]


@given(cuts=st.lists(st.tuples(st.sampled_from(["parsed", "data", "undecided"]), st.integers(1, 9)), max_size=200))
def test_shortened_ranges_tile_the_same_and_hide_nothing_undecided(cuts: list[Any]) -> None:
    place = 0
    ranges: list[CoveredRange] = []
    for how, length in cuts:
        if not ranges or ranges[-1].how != how:
            ranges.append(CoveredRange(start=place, length=length, how=how))
            place += length
    short = shortened(tuple(ranges), 16)
    assert tiles(short, place)
    assert len(short) <= max(16, len(ranges))
    undecided = [(one.start, one.length) for one in ranges if one.how == "undecided"]
    assert undecided == [(one.start, one.length) for one in short if one.how == "undecided"]
    if not undecided:
        assert len(short) <= 16


def test_an_account_of_a_million_pieces_stays_small() -> None:
    account = Account("f", "", 30_000_000)
    for number in range(100_000):
        account.parsed(number * 300, number * 300 + 10 + number % 7)
        account.data(number * 300 + 10 + number % 7, number * 300 + 300)
    assert len(account._parsed) <= 20_001
    assert tiles(account.close(), 30_000_000)


def test_numpy_writes_what_is_accounted_for(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((100, 100)))
    report = scan_file(tmp_path / "a.npy", name="a.npy")
    assert coverage_of(report).data == 80_000
