from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from tests.builders import NOW, POLICY
from weighbridge.errors import ParseError, PolicyError, WeighbridgeError
from weighbridge.evidence.inputs import SIGNABLE
from weighbridge.evidence.record import CheckName
from weighbridge.policy import DependencyAuditRequirement, Policy
from weighbridge.policy.answers import answered_for_ever
from weighbridge.trust import INPUT, TRIES_RESET, VERDICT, Signable, Trust


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


@pytest.mark.parametrize(
    "same",
    [
        POLICY + "\n",
        POLICY.replace("\n", "\r\n"),
        "# who wrote this, and when\n" + POLICY,
        POLICY.replace("signers: [scanner]", 'signers: ["scanner"]  # one'),
        POLICY.replace("atLeast: 0.60", "atLeast: 0.6"),
        POLICY.replace("  separation", "  mode: enforce\n  confinement: required\n  separation"),
        POLICY.replace("      maxAge: 30d\n    - check: dep", "    - check: dep"),
        POLICY.replace("  separation", "  mode: audit\n  namespaces: [team]\n  separation"),
    ],
)
def test_line_ends_comments_and_spelled_out_defaults_make_no_other_policy(same: str) -> None:
    assert same != POLICY
    assert parse(same).digest == parse(POLICY).digest
    assert parse(same).file_digest != parse(POLICY).file_digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: production", "name: other"),
        ("atLeast: 0.60", "atLeast: 0.61"),
        ("maxAge: 7d", "maxAge: 8d"),
        ("signers: [scanner]", "signers: [scanner, tester]"),
        ('test: {sha256: ["' + "0" * 64 + '"]}', "test: unbound"),
        ("  separation", "  confinement: recorded\n  separation"),
        ("  separation", "  view: recorded\n  separation"),
        ("  separation", "  validFor: 1d\n  separation"),
    ],
)
def test_everything_that_is_asked_of_a_model_makes_another_policy(old: str, new: str) -> None:
    assert old in POLICY
    assert parse(POLICY.replace(old, new)).digest != parse(POLICY).digest


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("atLeast: 0.60", "atLeast: 0", "atLeast 0 is below"),
        ("atLeast: 0.60", "atLeast: 0.01", "atLeast 0.01 is below"),
        ("epsilon: 0.1", "epsilon: 0.000000001", "epsilon 1e-09 is below"),
        ("maxAge: 7d", "maxAge: 99999w", "maxAge 99999w is longer than a year"),
        ("databaseMaxAge: 7d", "databaseMaxAge: 520w", "databaseMaxAge 520w is longer than a year"),
        ("malware: fail", "malware: warn", "malware only warns"),
        (
            "severity: high, unknownSeverity: fail",
            "severity: critical, unknownSeverity: warn",
            "nothing below critical",
        ),
        ("atMost: 0.05", "atMost: 1", "atMost 1 is above"),
        ("tprAtFpr: 0.01", "tprAtFpr: 0.999", "tprAtFpr 0.999 is above"),
        ("verbatimTrainingRows: 0", "verbatimTrainingRows: 99999", "verbatimTrainingRows 99999 is above"),
        ("confidence: 0.95}}", "confidence: 0.95}, examples: 1}", "1 examples are fewer"),
        ("confidence: 0.95}}", "confidence: 0.95}, queries: 10}", "10 queries an example are fewer"),
        ("maxAge: 30d", "limits: {severity: critical}", "severity critical lets pass"),
    ],
)
def test_a_limit_that_nothing_can_fail_needs_somebody_who_answers_for_it(old: str, new: str, words: str) -> None:
    assert old in POLICY
    weak = POLICY.replace(old, new, 1)
    with pytest.raises(PolicyError, match=re.escape(words)):
        parse(weak)
    line = next(number for number, text in enumerate(weak.splitlines()) if text not in POLICY.splitlines())
    lines = weak.splitlines(keepends=True)
    start = max(number for number in range(line + 1) if lines[number].startswith("    - check"))
    lines.insert(start + 1, "      accepted: {reason: we try it out, owner: me, expires: 2026-12-31}\n")
    (requirement,) = [item for item in parse("".join(lines)).requirements if item.accepted_until is not None]
    assert requirement.accepted_until == datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_nobody_can_answer_beforehand_for_a_limit_that_is_not_weak() -> None:
    covered = "signers: [scanner]\n      accepted: {reason: later, owner: me, expires: 2026-12-31}"
    with pytest.raises(PolicyError, match="need nobody to answer"):
        parse(POLICY.replace("signers: [scanner]", covered))


def test_verdicts_end() -> None:
    with pytest.raises(PolicyError, match="validFor 99999w"):
        parse(POLICY + "  validFor: 99999w\n")


@pytest.mark.parametrize(
    ("binding", "words"),
    [
        ("{}", "bound in 0 ways"),
        ("{minExamples: 5}", "bound in 0 ways"),
        ("{signers: [curator], sha256: [SUM]}", "bound in 2 ways"),
        ("{suppliedBy: requester, signers: [curator]}", "bound in 2 ways"),
        ("{signers: [curator], bounds: [1, 0]}", "the lower comes first"),
        ("{sha256: [SUM], minExamples: 0}", "policy.yaml:22"),
        ("{sha256: [abc]}", "policy.yaml:22"),
        ("bound", "policy.yaml:22"),
        ("{suppliedBy: somebody}", "policy.yaml:22"),
        ("{sha256: [SUM], atLeast: 5}", "policy.yaml:22"),
    ],
)
def test_refuses_a_binding_that_binds_nothing_or_twice(binding: str, words: str) -> None:
    old = 'test: {sha256: ["' + "0" * 64 + '"]}'
    text = binding.replace("SUM", '"' + "0" * 64 + '"')
    with pytest.raises(WeighbridgeError, match=words):
        parse(POLICY.replace(old, f"test: {text}"))


def test_refuses_a_signature_of_what_nobody_can_sign() -> None:
    text = POLICY.replace("inputs: {", "inputs: {environment: {signers: [curator]}, ")
    with pytest.raises(PolicyError, match="the role environment is to be signed") as caught:
        parse(text)
    assert "weighbridge policy bind policy.yaml --environment PATH" in caught.value.remedy
    parse(text.replace("signers: [curator]", "suppliedBy: requester"))


def test_advisories_without_age_need_somebody_who_answers_for_it() -> None:
    old = 'advisories: {sha256: ["' + "0" * 64 + '"]}'
    ageless = POLICY.replace(old, old.replace("]}", "], maxAge: 520w}")).replace(", databaseMaxAge: 7d", "")
    with pytest.raises(PolicyError, match="maxAge 520w is longer than a year"):
        parse(ageless)
    accepted = ageless.replace("520w}", "520w, accepted: {reason: try, owner: me, expires: 2026-12-31}}")
    assert parse(accepted).advisories_accepted_until is not None


@pytest.mark.parametrize(
    ("limits", "inputs", "expected"), [("", "", "7d"), ("", ", maxAge: 3d", "3d"), ("2d", ", maxAge: 3d", "2d")]
)
def test_of_two_ages_of_advisories_the_shorter_holds(limits: str, inputs: str, expected: str) -> None:
    old = 'advisories: {sha256: ["' + "0" * 64 + '"]}'
    text = POLICY.replace(old, old.replace("]}", f"]{inputs}}}"))
    text = text.replace(", databaseMaxAge: 7d", f", databaseMaxAge: {limits}" if limits else "")
    spec = parse(text).requirements[1].spec
    assert isinstance(spec, DependencyAuditRequirement)
    assert spec.limits.database_max_age == expected


WAIVER = "  waivers: [{check: dependency-audit, id: x, component: c, reason: r, owner: o, expires: 2026-12-31}]\n"
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
        (POLICY + WAIVER.replace("2026-12-31", "never"), "policy.yaml:23:"),
        (POLICY + WAIVER.replace(" reason: r,", ""), "`reason`"),
        (POLICY + WAIVER.replace(" component: c,", ""), "`component`"),
        (POLICY + WAIVER.replace("reason: r", 'reason: ""'), "policy.yaml:23:"),
        (POLICY + WAIVER.replace("dependency-audit", "model-scan"), "policy.yaml:23:"),
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
    inputs = {f"{INPUT}{role}" for role in SIGNABLE}
    assert set(get_args(Signable)) == {*(check.value for check in CheckName), VERDICT, TRIES_RESET, *inputs}


def test_somebody_answers_for_two_years_and_not_for_a_day_more() -> None:
    def said(days: int) -> list[str]:
        until = f"{NOW + timedelta(days=days):%Y-%m-%d}"
        waiver = f"{{check: dependency-audit, id: X-1, component: demo, reason: r, owner: o, expires: {until}}}"
        policy = Policy.parse(f"{POLICY}  waivers:\n    - {waiver}\n".encode(), name="p")
        return list(answered_for_ever(policy, now=NOW))

    assert said(731) == []
    (sentence,) = said(732)
    assert "more than 731 days from now" in sentence
