"""What a parser raises by accident of depth is no answer, and leaves the content undecided."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from weighbridge.checks.model_scan.budget import MAX_MARKS, MAX_STACK
from weighbridge.checks.model_scan.check import scan_file
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Memory, Source


def _endless(scan: Scan, source: Source, location: str) -> None:
    _endless(scan, source, location)


def test_what_nests_too_deeply_is_undecided() -> None:
    scan = Scan.start()
    scan.guard(_endless, Memory(b""), "m")
    assert [one.reason for one in scan.notes.undecided] == ["the content nests too deeply to be judged"]


@pytest.mark.parametrize(
    ("pile", "told"),
    [
        (b"N" * (MAX_STACK + 600), "values lie on the stack, with no mark"),
        (b"(" * (MAX_MARKS + 1), "marks lie one inside the other"),
    ],
    ids=["values", "marks"],
)
def test_a_pile_that_no_pickler_leaves_is_a_finding(pile: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"\x80\x04" + pile + b".")
    report = scan_file(tmp_path / "m", name="m")
    assert [one.rule for one in report.findings] == ["malformed-pickle"]
    assert told in report.findings[0].message


def test_a_tuple_that_is_too_long_to_follow_is_undecided(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(pickle.dumps(tuple(range(MAX_STACK + 600)), protocol=4))
    report = scan_file(tmp_path / "m", name="m")
    assert not report.findings
    assert [one.code for one in report.undecided] == ["pickle-too-large"]
