"""The short form of ``make fuzz-parsers``: changed files of every format are judged, and nothing else happens."""

from __future__ import annotations

import random

import pytest

from tests.fuzz.mutate import scramble
from tests.fuzz.parsers.examine import PARSERS, examine, seeds

SMALL = 8000


@pytest.mark.parametrize("parser", PARSERS)
def test_changed_bytes_are_judged(parser: str) -> None:
    rng = random.Random(25)
    files = [data for data in seeds(parser) if len(data) <= SMALL]
    states = {examine(parser, data).coverage.state for data in files}
    for _ in range(150):
        data = rng.choice(files)
        states.add(examine(parser, scramble(data, rng)).coverage.state)
        states.add(examine(parser, data[: rng.randrange(len(data) + 1)]).coverage.state)
    assert "refused" in states
