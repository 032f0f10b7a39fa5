"""Inputs that whoever is judged chose himself: each way passes a gate that does not ask what binds them."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.builders import NOW, POLICY, SUM, Scene, make_keys, make_record, measurements_of, seed_of, trust_bytes
from weighbridge.evidence.inputs import OF_ONE_MODEL, sign_input
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import (
    DependencyAuditMeasurements,
    Input,
    InputRole,
    LeakageMeasurements,
    RobustnessMeasurements,
)
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.decision import Bond, Decision, VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.gate.verdict import verify_verdict, write_verdict
from weighbridge.policy import Policy
from weighbridge.trust import Signable, Trust
from weighbridge.trust.edit import add_key, dump, parse_document, retire_key, revoke

AUDIT, ROBUSTNESS, LEAKAGE = CheckName.DEPENDENCY_AUDIT, CheckName.ROBUSTNESS, CheckName.LEAKAGE
OTHER = "f" * 64
SIGNS: tuple[Signable, ...] = ("input:test", "input:lock", "input:advisories")
CONTENT = b"the test data that the curator answers for"


def text_with(role: str, binding: str) -> str:
    """Return the policy with another binding of one role; an empty one leaves the role out."""
    old = f'{role}: {{sha256: ["{SUM}"]}}'
    assert old in POLICY
    if binding:
        return POLICY.replace(old, f"{role}: {binding}")
    return POLICY.replace(f"{old}, ", "").replace(f", {old}", "")


def trust_of(scene: Scene, **more: PrivateKey) -> Trust:
    """Return the scene's trust with further keys for signed inputs."""
    document = parse_document(trust_bytes(scene.keys), name="trust.yaml")
    for role, key in more.items():
        document = add_key(document, role=role, signs=SIGNS, key=key.public, not_after=None)
    return Trust.parse(dump(document), name="trust.yaml")


def decide(
    scene: Scene, *, text: str = POLICY, trust: Trust | None = None, more: tuple[StoredFile, ...] = ()
) -> Decision:
    policy = Policy.parse(text.encode(), name="policy.yaml")
    return judge(scene.digest, policy=policy, trust=trust or scene.trust, files=[*scene.files(), *more], now=NOW)


def outcome_of(decision: Decision, check: CheckName) -> tuple[VerdictResult, str]:
    (found,) = [item for item in decision.outcomes if item.check is check]
    return found.result, found.reason


def other_input(scene: Scene, check: CheckName, **changes: Any) -> None:
    """Let a check have been done on another input than the policy names, with figures as good as ever."""
    measured = measurements_of(check)
    match measured:
        case RobustnessMeasurements(data=data):
            changed = msgspec.structs.replace(data, sha256=OTHER, **changes)
            measured = msgspec.structs.replace(measured, data=changed, seed=seed_of(ROBUSTNESS, changed).value)
        case LeakageMeasurements(members=members):
            changed = msgspec.structs.replace(members, sha256=OTHER, **changes)
            measured = msgspec.structs.replace(measured, members=changed)
        case DependencyAuditMeasurements(sources=(source,)):
            measured = msgspec.structs.replace(
                measured, sources=(msgspec.structs.replace(source, sha256=OTHER, **changes),)
            )
        case _:
            raise AssertionError(check)
    scene.records[check] = make_record(check, measurements=measured)


@pytest.mark.parametrize("check", [AUDIT, ROBUSTNESS, LEAKAGE])
def test_another_input_than_the_one_that_the_policy_names_does_not_count(scene: Scene, check: CheckName) -> None:
    assert decide(scene).result is VerdictResult.PASSED
    other_input(scene, check)
    result, reason = outcome_of(decide(scene), check)
    assert result is VerdictResult.UNDECIDED
    assert OTHER in reason
    assert "not one of the 1 that the policy names" in reason


@pytest.mark.parametrize(
    ("role", "check"),
    [("test", ROBUSTNESS), ("members", LEAKAGE), ("nonMembers", LEAKAGE), ("lock", AUDIT), ("advisories", AUDIT)],
)
def test_an_input_that_nothing_binds_does_not_count_unless_the_policy_says_so_in_words(
    scene: Scene, role: str, check: CheckName
) -> None:
    decision = decide(scene, text=text_with(role, ""))
    result, reason = outcome_of(decision, check)
    assert result is VerdictResult.UNDECIDED
    assert "nothing binds" in reason
    assert "weighbridge policy bind" in next(item.remedy for item in decision.outcomes if item.check is check)
    decision = decide(scene, text=text_with(role, "unbound"))
    assert decision.result is VerdictResult.PASSED
    (sentence,) = decision.weaknesses
    assert "unbound" in sentence
    verdict = signed(scene, decision)
    assert verdict.weaknesses == decision.weaknesses
    assert [item.role.value for item in verdict.unbound] == [role]


def signed(scene: Scene, decision: Decision) -> Any:
    data = write_verdict(decision, name="model", version="0", signer=scene.keys["verifier"])
    return verify_verdict(
        data, model=scene.digest, trust=decision.trust, now=NOW, what="verdict", policy=decision.policy
    )


def test_one_harmless_line_does_not_stand_for_the_lock_that_the_policy_names(scene: Scene) -> None:
    line = Input(name="requirements.txt", sha256=OTHER, rows=1, size=12, role=InputRole.REQUIREMENTS)
    measured = msgspec.structs.replace(measurements_of(AUDIT), sources=(line,))
    scene.records[AUDIT] = make_record(AUDIT, measurements=measured)
    text = POLICY.replace("inputs: {", "inputs: {requirements: unbound, ")
    result, reason = outcome_of(decide(scene, text=text), AUDIT)
    assert result is VerdictResult.UNDECIDED
    assert "the policy names the lock, and the audit was given none" in reason


@pytest.mark.parametrize(
    ("limits", "changes", "words"),
    [
        ("bounds: [0, 0.5]", {}, "values lie in [0.0, 1.0]; the policy says [0.0, 0.5]"),
        ("minExamples: 501", {}, "has 500 examples; the policy asks for 501"),
        ("distinct: 501", {}, "has 500 examples that differ from each other"),
        ("distinct: 1", {"distinct": None}, "does not say how many of its examples differ"),
        ("bounds: [0, 1]", {"bounds": None}, "values lie in []"),
    ],
)
def test_data_must_hold_what_the_policy_asks_for(
    scene: Scene, limits: str, changes: dict[str, Any], words: str
) -> None:
    other_input(scene, ROBUSTNESS, **changes)
    good = text_with("test", f'{{sha256: ["{OTHER}"]}}')
    assert decide(scene, text=good).result is VerdictResult.PASSED
    result, reason = outcome_of(decide(scene, text=good.replace(f'"{OTHER}"]', f'"{OTHER}"], {limits}')), ROBUSTNESS)
    assert result is VerdictResult.UNDECIDED
    assert words in reason


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ("sources: [PYSEC, GHSA]", "no record in force from GHSA"),
        ("atLeast: 6812", "have 6811 records in force; the policy asks for 6812"),
        ("maxAge: 1h", "older than the policy's 1h"),
    ],
)
def test_advisories_must_hold_what_the_policy_asks_for(scene: Scene, limits: str, words: str) -> None:
    measured = measurements_of(AUDIT)
    assert isinstance(measured, DependencyAuditMeasurements)
    database = msgspec.structs.replace(measured.database, counts={"PYSEC": 6811})
    measured = msgspec.structs.replace(measured, database=database)
    scene.records[AUDIT] = make_record(AUDIT, measurements=measured)
    good = text_with("advisories", f'{{sha256: ["{SUM}"], sources: [PYSEC], atLeast: 6811, maxAge: 7d}}')
    assert decide(scene, text=good).result is VerdictResult.PASSED
    result, reason = outcome_of(decide(scene, text=text_with("advisories", f'{{sha256: ["{SUM}"], {limits}}}')), AUDIT)
    assert result is VerdictResult.UNDECIDED
    assert words in reason


def test_what_somebody_accepts_of_advisories_ends(scene: Scene) -> None:
    accepted = "accepted: {reason: try, owner: me, expires: %s}"
    text = text_with("advisories", f'{{sha256: ["{SUM}"], maxAge: 520w, {accepted}}}').replace(
        ", databaseMaxAge: 7d", ""
    )
    decision = decide(scene, text=text % "2026-11-25")
    assert decision.result is VerdictResult.PASSED
    assert decision.valid_until <= NOW + timedelta(days=2)
    result, reason = outcome_of(decide(scene, text=text % "2026-11-23"), AUDIT)
    assert result is VerdictResult.UNDECIDED
    assert "what the policy accepts of its advisories ended" in reason


# --- signed inputs --------------------------------------------------------------------------------------------------

CURATOR = PrivateKey.generate(KeyAlgorithm.ED25519)
SIGNED = text_with("test", "{signers: [curator]}")


def on_signed_data(scene: Scene) -> str:
    """Let robustness have been measured on the curator's data, and return their sha256."""
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    measured = measurements_of(ROBUSTNESS)
    assert isinstance(measured, RobustnessMeasurements)
    data = msgspec.structs.replace(measured.data, sha256=sha256)
    measured = msgspec.structs.replace(measured, data=data, seed=seed_of(ROBUSTNESS, data).value)
    scene.records[ROBUSTNESS] = make_record(ROBUSTNESS, measurements=measured)
    return sha256


def signature(
    key: PrivateKey = CURATOR, *, role: InputRole = InputRole.TEST, content: bytes = CONTENT, ahead: int = 0
) -> StoredFile:
    at = NOW + timedelta(minutes=ahead)
    about = "digits" if role in OF_ONE_MODEL else None
    data = sign_input(content, name="test.npz", role=role, signer=key, now=at, about=about)
    return StoredFile("input.sigstore.json", data)


def test_an_input_that_a_named_role_signed_counts_and_the_verdict_says_by_whom(scene: Scene) -> None:
    on_signed_data(scene)
    decision = decide(scene, text=SIGNED, trust=trust_of(scene, curator=CURATOR), more=(signature(),))
    assert decision.result is VerdictResult.PASSED
    assert decision.weaknesses == ()
    (found,) = [item for outcome in decision.outcomes for item in outcome.inputs if item.role is InputRole.TEST]
    assert (found.bond, found.by) == (Bond.SIGNED, "curator")
    assert signed(scene, decision).unbound == ()


@pytest.mark.parametrize(
    "case", ["no signature", "other data", "other role of input", "another key", "a check's key", "from the future"]
)
def test_an_input_without_the_right_signature_does_not_count(scene: Scene, case: str) -> None:
    on_signed_data(scene)
    files = {
        "no signature": (),
        "other data": (signature(content=b"other data"),),
        "other role of input": (signature(role=InputRole.LOCK),),
        "another key": (signature(PrivateKey.generate(KeyAlgorithm.ED25519)),),
        "a check's key": (signature(scene.keys["tester"]),),
        "from the future": (signature(ahead=60),),
    }[case]
    decision = decide(scene, text=SIGNED, trust=trust_of(scene, curator=CURATOR), more=files)
    result, reason = outcome_of(decision, ROBUSTNESS)
    assert result is VerdictResult.UNDECIDED
    assert "the policy wants it from curator" in reason


def test_a_signer_that_the_policy_does_not_name_does_not_count(scene: Scene) -> None:
    on_signed_data(scene)
    trust = trust_of(scene, stranger=CURATOR, curator=PrivateKey.generate(KeyAlgorithm.ED25519))
    result, reason = outcome_of(decide(scene, text=SIGNED, trust=trust, more=(signature(),)), ROBUSTNESS)
    assert result is VerdictResult.UNDECIDED
    assert "is signed by stranger" in reason


@pytest.mark.parametrize("ended", ["revoked", "retired"])
def test_a_verdict_ends_with_the_key_that_signed_its_input(scene: Scene, ended: str) -> None:
    on_signed_data(scene)
    trust = trust_of(scene, curator=CURATOR)
    decision = decide(scene, text=SIGNED, trust=trust, more=(signature(),))
    data = write_verdict(decision, name="model", version="0", signer=scene.keys["verifier"])
    document = add_key(
        parse_document(trust_bytes(scene.keys), name="t"),
        role="curator",
        signs=SIGNS,
        key=CURATOR.public,
        not_after=None,
    )
    if ended == "revoked":
        document = revoke(document, item=CURATOR.public.id, reason="leaked")
    else:
        document = retire_key(document, key_id=CURATOR.public.id, at=NOW + timedelta(hours=1))
    later = Trust.parse(dump(document), name="trust.yaml")

    def verify(hours: int) -> None:
        verify_verdict(
            data,
            model=scene.digest,
            trust=later,
            now=NOW + timedelta(hours=hours),
            what="verdict",
            policy=decision.policy,
        )

    if ended == "retired":
        verify(0)  # until its date it counts, so that a rotation holds nothing
    with pytest.raises(Exception, match="leaked" if ended == "revoked" else "outside its validity"):
        verify(2)


def test_whoever_examines_must_not_answer_for_inputs_as_well(scene: Scene) -> None:
    on_signed_data(scene)
    trust = trust_of(scene, curator=scene.keys["tester"])
    decision = decide(scene, text=SIGNED, trust=trust, more=(signature(scene.keys["tester"]),))
    assert decision.result is VerdictResult.UNDECIDED
    assert any("must not answer for inputs" in problem.reason for problem in decision.problems)


def test_a_policy_that_names_a_signer_that_trust_does_not_have_is_undecided(scene: Scene) -> None:
    decision = decide(scene, text=SIGNED)
    assert any("inputs.test names the role curator" in problem.reason for problem in decision.problems)


# --- requesters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requester", "held_by", "result"),
    [
        (None, "platform", VerdictResult.UNDECIDED),
        ("alice", "namespace", VerdictResult.UNDECIDED),
        ("alice", "platform", VerdictResult.PASSED),
    ],
)
def test_only_the_platform_says_that_a_requester_supplied_an_input(
    scene: Scene, requester: str | None, held_by: str, result: VerdictResult
) -> None:
    scene.records[ROBUSTNESS] = msgspec.structs.replace(scene.records[ROBUSTNESS], requester=requester)
    document = parse_document(trust_bytes(scene.keys), name="trust.yaml")
    roles = tuple(
        msgspec.structs.replace(role, held_by=held_by if role.name == "tester" else "namespace")
        for role in document.spec.roles
    )
    document = msgspec.structs.replace(document, spec=msgspec.structs.replace(document.spec, roles=roles))
    trust = Trust.parse(dump(document), name="trust.yaml")
    decision = decide(scene, text=text_with("test", "{suppliedBy: requester}"), trust=trust)
    assert decision.result is result
    if result is VerdictResult.PASSED:
        (sentence,) = decision.weaknesses
        assert "came from alice, who asked for the review" in sentence
    else:
        assert "this evidence is of no review" in outcome_of(decision, ROBUSTNESS)[1]


def test_evidence_of_the_first_release_says_nothing_of_its_inputs(scene: Scene) -> None:
    measured = measurements_of(AUDIT)
    assert isinstance(measured, DependencyAuditMeasurements)
    sources = tuple(msgspec.structs.replace(source, role=None) for source in measured.sources)
    scene.records[AUDIT] = make_record(AUDIT, measurements=msgspec.structs.replace(measured, sources=sources))
    result, reason = outcome_of(decide(scene), AUDIT)
    assert result is VerdictResult.UNDECIDED
    assert "first release" in reason


def test_keys_of_tests_are_apart() -> None:
    assert CURATOR.public not in [key.public for key in make_keys().values()]
