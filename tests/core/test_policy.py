from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from tests.builders import POLICY
from weighbridge.errors import ParseError, WeighbridgeError
from weighbridge.evidence.record import CheckName
from weighbridge.policy import Policy
from weighbridge.trust import VERDICT, Signable, Trust


def parse(text: str) -> Policy:
    return Policy.parse(text.encode(), name="policy.yaml")


def test_reads_the_policy_of_the_design() -> None:
    policy = parse(POLICY)
    assert [item.check for item in policy.requirements] == [
        CheckName.MODEL_SCAN,
        CheckName.DEPENDENCY_AUDIT,
        CheckName.ROBUSTNESS,
        CheckName.LEAKAGE,
    ]
    assert [item.line for item in policy.requirements] == [6, 9, 13, 17]
    assert policy.requirements[1].max_age == timedelta(days=7)
    assert policy.separation == (frozenset({"scanner", "tester", "auditor"}), frozenset({"verifier"}))
    assert policy.mode == "enforce"


def test_digest_is_of_the_bytes() -> None:
    assert parse(POLICY).digest != parse(POLICY + "\n").digest


BARE = POLICY[: POLICY.index("  requirements:")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BARE + "  requirements: []\n", "requires nothing"),
        (BARE + "  mode: enforce\n", "missing required field `requirements`"),
        (POLICY.replace("check: model-scan", "check: magic"), "policy.yaml:6: Invalid value 'magic'"),
        (POLICY.replace("maxAge: 30d", "maxage: 30d", 1), "policy.yaml:6: Object contains unknown field `maxage`"),
        (POLICY.replace("signers: [scanner]", "signers: []"), "policy.yaml:7:"),
        (POLICY.replace("signers: [scanner]", "signers: scanner"), "policy.yaml:7:"),
        (POLICY.replace("maxAge: 7d", "maxAge: seven"), "policy.yaml:11:"),
        (POLICY.replace("maxAge: 7d", "maxAge: 0d"), "policy.yaml:11:"),
        (POLICY.replace("severity: high", "severity: terrible"), "policy.yaml:12:"),
        (POLICY.replace("norm: linf", "norm: l7"), "policy.yaml:16:"),
        (POLICY.replace("epsilon: 0.1", "epsilon: -1.0"), "policy.yaml:16:"),
        (POLICY.replace("epsilon: 0.1", 'epsilon: "0.1"'), "policy.yaml:16:"),
        (POLICY.replace("atLeast: 0.60", "atLeast: 1.5"), "policy.yaml:16:"),
        (POLICY.replace("atLeast: 0.60", "atLeast: .nan"), "policy.yaml:16:"),
        (POLICY.replace("confidence: 0.95", "confidence: 1.0"), "policy.yaml:16:"),
        (POLICY.replace("confidence: 0.95", "confidence: 0.05"), "policy.yaml:16:"),
        (POLICY.replace("atMost: 0.05, confidence: 0.95", "atMost: 0.05, confidence: 0.05"), "policy.yaml:20:"),
        (POLICY.replace("signers: [scanner]", 'signers: ["scanner\\n"]'), "policy.yaml:7:"),
        (POLICY.replace("kind: ModelPolicy", "kind: ModelTrust"), "policy.yaml:2:"),
        (POLICY.replace("v1alpha1", "v9"), "policy.yaml:1:"),
        (POLICY.replace("check: model-scan", "check: leakage\n      limits: {}"), "policy.yaml:7"),
        (
            POLICY.replace("separation: [[scanner, tester, auditor], [verifier]]", "separation: [[scanner]]"),
            "separates nothing",
        ),
        (POLICY.replace("[verifier]]", "[scanner]]"), "two groups"),
        (POLICY.replace("[verifier]]", "[]]"), "policy.yaml:21"),
        (
            POLICY + "  waivers: [{check: dependency-audit, id: x, reason: r, owner: o, expires: never}]\n",
            "policy.yaml:22:",
        ),
        (POLICY + "  waivers: [{check: dependency-audit, id: x, owner: o, expires: 2026-12-31}]\n", "`reason`"),
        (
            POLICY + '  waivers: [{check: dependency-audit, id: x, reason: "", owner: o, expires: 2026-12-31}]\n',
            "policy.yaml:22:",
        ),
        (
            POLICY + "  waivers: [{check: model-scan, id: x, reason: r, owner: o, expires: 2026-12-31}]\n",
            "policy.yaml:22:",
        ),
        (POLICY.replace("spec:", "spec:\n  confinement: none"), "policy.yaml:5:"),
        (POLICY + "  surprise: true\n", "unknown field `surprise`"),
    ],
)
def test_refuses_with_file_and_line(text: str, words: str) -> None:
    with pytest.raises(WeighbridgeError) as caught:
        parse(text)
    assert words in str(caught.value)


def test_refuses_the_same_check_twice() -> None:
    second = "    - check: model-scan\n      signers: [tester]\n"
    with pytest.raises(WeighbridgeError, match=r"policy\.yaml:9: model-scan is required twice"):
        parse(POLICY.replace("    - check: dependency-audit", second + "    - check: dependency-audit"))


def test_refuses_what_is_no_policy_at_all() -> None:
    for text in ("", "[]", "text", "a: 1", "null"):
        with pytest.raises(ParseError):
            parse(text)


@pytest.mark.parametrize("read", [Policy.read, Trust.read])
def test_refuses_a_file_that_cannot_be_read(tmp_path: Path, read: Callable[[Path], object]) -> None:
    for path in (tmp_path / "nothing.yaml", tmp_path):
        with pytest.raises(ParseError, match="cannot be read"):
            read(path)


def test_roles_may_sign_every_check_and_verdicts_and_nothing_else() -> None:
    assert set(get_args(Signable)) == {*(check.value for check in CheckName), VERDICT}
