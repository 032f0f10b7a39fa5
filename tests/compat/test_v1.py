"""What a released version signed is verified by every later one. The files are never rewritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.builders import NOW
from tests.compat.make import HERE, write_case
from weighbridge import verify
from weighbridge.errors import VerificationError
from weighbridge.evidence.keys import KeyAlgorithm
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.store import DirectoryStore
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.gate.verdict import Verdict
from weighbridge.model.digest import hash_model
from weighbridge.policy import Policy
from weighbridge.trust import Trust

CASES = sorted(path for path in HERE.iterdir() if path.is_dir())


def verify_case(case: Path) -> Verdict:
    return verify(
        case / "model",
        verdict=case / "verdict.sigstore.json",
        trust=case / "trust.yaml",
        policy=case / "policy.yaml",
        clock=lambda: NOW,
    )


def test_both_key_algorithms_have_a_case() -> None:
    assert {case.name for case in CASES} == {algorithm.value for algorithm in KeyAlgorithm}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_stored_verdict_is_still_verified(case: Path) -> None:
    assert verify_case(case).policy_name == "production"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_stored_evidence_is_still_read_and_counts_as_far_as_it_says_which_bytes(case: Path) -> None:
    decision = judge(
        hash_model(case / "model"),
        policy=Policy.read(case / "policy.yaml"),
        trust=Trust.read(case / "trust.yaml"),
        files=list(DirectoryStore(case / "evidence").read()),
        now=NOW,
    )
    # Only the scan of the first release says which bytes it read; the other checks must be done again.
    assert not decision.rejected
    assert {item.check: item.result for item in decision.outcomes if item.result is VerdictResult.PASSED} == {
        CheckName.MODEL_SCAN: VerdictResult.PASSED
    }
    others = [item for item in decision.outcomes if item.check is not CheckName.MODEL_SCAN]
    assert all("does not say which bytes were examined" in item.reason for item in others)
    assert decision.result is VerdictResult.UNDECIDED


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("changed", ["model/a.bin", "policy.yaml"])
def test_a_stored_verdict_refuses_after_a_change(case: Path, changed: str, tmp_path: Path) -> None:
    copy = shutil.copytree(case, tmp_path / "case")
    with (copy / changed).open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(VerificationError):
        verify_case(copy)


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_a_new_case_would_be_verified_too(algorithm: KeyAlgorithm, tmp_path: Path) -> None:
    write_case(tmp_path / "case", algorithm=algorithm)
    assert verify_case(tmp_path / "case").policy_name == "production"
