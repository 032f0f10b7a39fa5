"""A report says of every file how its bytes were accounted for."""

from __future__ import annotations

import pytest

from weighbridge.evidence.measurements import Coverage, CoveredRange, FileCoverage
from weighbridge.report.coverage import accounted


def _file(size: int, coverage: Coverage | None) -> FileCoverage:
    return FileCoverage(path="m", format="pickle", size=size, sha256=None, state="clean", coverage=coverage)


_GAP = CoveredRange(member="a/b", start=7, length=3, how="undecided")


@pytest.mark.parametrize(
    ("size", "coverage", "said"),
    [
        (0, Coverage(), "pickle, 0 bytes"),
        (10, None, "pickle, 10 bytes"),
        (1, Coverage(parsed=1), "pickle, 1 byte, all parsed"),
        (1200, Coverage(parsed=200, data=1000), "pickle, 1,200 bytes: 200 parsed, 1,000 data"),
        (
            10,
            Coverage(parsed=7, undecided=3, ranges=(_GAP,)),
            "pickle, 10 bytes: 7 parsed, 3 undecided, from byte 7 of a/b",
        ),
    ],
)
def test_says_what_became_of_the_bytes(size: int, coverage: Coverage | None, said: str) -> None:
    assert accounted(_file(size, coverage)) == said
