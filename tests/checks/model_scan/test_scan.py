"""What a parser raises by accident of depth is no answer, and leaves the content undecided."""

from __future__ import annotations

from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Memory, Source


def _endless(scan: Scan, source: Source, location: str) -> None:
    _endless(scan, source, location)


def test_what_nests_too_deeply_is_undecided() -> None:
    scan = Scan.start()
    scan.guard(_endless, Memory(b""), "m")
    assert [one.reason for one in scan.notes.undecided] == ["the content nests too deeply to be judged"]
