"""What is judged is what was hashed, whoever writes to the file meanwhile."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.checks.model_scan.race import race
from weighbridge.checks.interface import CheckRequest, ModelScanOptions
from weighbridge.checks.model_scan import held
from weighbridge.checks.model_scan.check import run, scan_file
from weighbridge.checks.model_scan.held import HeldRange
from weighbridge.checks.model_scan.report import UndecidedError
from weighbridge.checks.run import given_view
from weighbridge.model.choice import Room
from weighbridge.model.view import private_view

FORBIDDEN = b"\x80\x04cos\ngetcwd\n)R."


@pytest.mark.parametrize("kept", [held.MAX_KEPT, 0], ids=["in memory", "in blocks"])
def test_no_scan_of_a_file_that_a_writer_flips_has_the_digest_of_other_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(held, "MAX_KEPT", kept)
    filler = pickle.dumps(bytes(300_000), 4)[:-1] + b"0"
    outcome = race(
        tmp_path, clean=filler + b"C\x0b" + bytes(11) + b".", forbidden=filler + b"cos\ngetcwd\n)R.", scans=300
    )
    assert outcome.wrong == 0
    assert outcome.states["refused"] + outcome.states["undecided"] > 0


def test_a_block_that_changed_since_it_was_hashed_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes(1_000_000))
    descriptor = os.open(path, os.O_RDWR)
    try:
        source = HeldRange(descriptor, start=0, length=1_000_000)
        assert source.sha256 == hashlib.sha256(bytes(1_000_000)).hexdigest()
        assert b"".join(source.chunks(5)) == bytes(999_995)
        os.pwrite(descriptor, b"x", 600_000)
        assert source.read(0, 400_000) == bytes(400_000)
        with pytest.raises(UndecidedError, match="changed while it was scanned"):
            source.read(600_010, 10)
        with pytest.raises(UndecidedError, match="changed while it was scanned"):
            list(source.chunks())
    finally:
        os.close(descriptor)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(st.integers(0, 1_000_010), st.integers(0, 600_000)), max_size=8))
def test_blocks_read_as_the_file(tmp_path: Path, places: list[tuple[int, int]]) -> None:
    content = bytes(range(251)) * 3985
    (tmp_path / "f").write_bytes(b"before" + content + b"behind")
    descriptor = os.open(tmp_path / "f", os.O_RDONLY)
    try:
        source = HeldRange(descriptor, start=6, length=len(content))
        for start, count in places:
            assert source.read(start, count) == content[start : start + count]
    finally:
        os.close(descriptor)


def test_a_file_that_becomes_shorter_is_undecided(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(100))
    descriptor = os.open(tmp_path / "f", os.O_RDONLY)
    try:
        with pytest.raises(UndecidedError, match="changed"):
            HeldRange(descriptor, start=0, length=200)
    finally:
        os.close(descriptor)


ROOMS = {
    "sealed": Room(memory=2**60, disk=0, unwritable=False, place=None),
    "copy": Room(memory=0, disk=2**60, unwritable=False, place=Path("/tmp")),
    "watched": Room(memory=0, disk=0, unwritable=False, place=None),
}


@pytest.mark.parametrize("kind", ROOMS)
@pytest.mark.parametrize("size", [1000, 20 * 1024**2], ids=["small", "large"])
def test_every_kind_of_view_is_scanned_as_it_was_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, size: int
) -> None:
    """Only what nobody can change is read without being held against its hash."""
    model = tmp_path / "m"
    model.mkdir()
    (model / "a.pkl").write_bytes(pickle.dumps(bytes(size)))
    used: list[bool] = []
    sealed = held.is_sealed

    def noted(descriptor: int) -> bool:
        used.append(sealed(descriptor))
        return used[-1]

    monkeypatch.setattr(held, "is_sealed", noted)
    with private_view(model, room=ROOMS[kind]) as view:
        assert view.kind == kind
        request = CheckRequest(model=str(model), options=ModelScanOptions())
        with given_view(request, view) as given_request:
            output = run(given_request)
    assert used == [kind == "sealed"]
    assert output.measurements is not None
    (entry,) = output.measurements.files  # type: ignore[union-attr]
    assert entry.state == "clean"
    assert entry.sha256 == hashlib.sha256((model / "a.pkl").read_bytes()).hexdigest()


def test_a_file_that_a_hard_link_has_elsewhere_says_so_through_the_view(tmp_path: Path) -> None:
    model = tmp_path / "m"
    model.mkdir()
    (model / "a").write_bytes(b"x")
    os.link(model / "a", model / "b")
    (tmp_path / "outside").write_bytes(b"y")
    os.link(tmp_path / "outside", model / "c")
    with private_view(model) as view:
        assert {file.name: file.elsewhere for file in view.files} == {"a": 0, "b": 0, "c": 1}
        with given_view(CheckRequest(model=str(model), options=ModelScanOptions()), view) as request:
            assert {file.name: file.elsewhere for file in request.files} == {"a": 0, "b": 0, "c": 1}


def test_scanning_in_place_says_the_digest_of_what_was_judged(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(FORBIDDEN)
    report = scan_file(tmp_path / "f", name="f")
    assert report.coverage.sha256 == hashlib.sha256(FORBIDDEN).hexdigest()
