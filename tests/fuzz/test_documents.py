"""The short form of ``python -m tests.fuzz.documents``, which runs for hours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.documents import Fuzzer


@pytest.mark.parametrize("seed", range(4))
def test_changed_documents_are_refused_or_say_the_same(tmp_path: Path, seed: int) -> None:
    fuzzer = Fuzzer(tmp_path, seed=seed)
    for _ in range(400):
        fuzzer.step()
    outcomes = {name.partition(":")[0] for name in fuzzer.seen}
    assert outcomes == {"signed_evidence", "torn_evidence", "a_policy", "a_trust", "a_verdict"}
    assert fuzzer.seen["a_policy: refused"] > 0
    assert fuzzer.seen["a_verdict: refused"] > 0
