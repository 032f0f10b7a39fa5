"""Ways to a verdict that the evidence does not carry: each test is one attacker's, and fails without its defence."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import timedelta

import msgspec
import pytest

from tests.admission.builders import good_cluster, pod, policy
from tests.builders import NOW, POLICY, Scene, make_record, measurements_of, trust_bytes
from tests.gate.test_statistics import ENOUGH, decide, of_other_model, outcome_of, robustness, statements_of
from weighbridge.admission.decision import Outcome
from weighbridge.errors import PolicyError, VerificationError
from weighbridge.evidence.inputs import sign_input
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import InputRole, LeakageMeasurements, RobustnessMeasurements
from weighbridge.evidence.record import CheckName, Undecided, View, ViewKind
from weighbridge.evidence.store import StoredFile
from weighbridge.evidence.tries import sign_reset
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.gate.verdict import verify_verdict, write_verdict
from weighbridge.policy import Policy
from weighbridge.trust import PolicyReference, Trust
from weighbridge.trust.edit import add_key, dump, parse_document, revoke

ROBUSTNESS, LEAKAGE = CheckName.ROBUSTNESS, CheckName.LEAKAGE


# Evidence that is "uncounted" for a reason that its asker made is no try, so with a platform's seed, which is the
# same for any amount, view and confinement, he looks first and pays nothing.
@pytest.mark.parametrize("reason", ["queries", "view", "confinement"])
def test_a_look_that_would_not_count_is_a_try_too(scene: Scene, reason: str) -> None:
    looks = []
    for number in range(5):
        record, digest = of_other_model(number, 20, minutes=100 + number)
        if reason == "queries":
            assert isinstance(record.measurements, RobustnessMeasurements)
            measured = msgspec.structs.replace(record.measurements, queries_per_example=999)
            record = msgspec.structs.replace(record, measurements=measured)
        elif reason == "view":
            record = msgspec.structs.replace(record, view=View(kind=ViewKind.WATCHED, summary="in place"))
        else:
            record = msgspec.structs.replace(
                record, confinement=msgspec.structs.replace(record.confinement, network=False)
            )
        looks.append((record, digest))
    result, words = outcome_of(decide(scene, robustness(ENOUGH), *looks))
    assert result is VerdictResult.FAILED, words
    assert "5 earlier tries" in words


# Evidence that measured nothing is a try, so junk models without any key make honest ones fail.
def test_a_check_that_measured_nothing_is_no_try(scene: Scene) -> None:
    junk = []
    for number in range(5):
        record, digest = of_other_model(number, 20, minutes=100 + number)
        nothing = Undecided(location="m", reason="the model has no file that can be run")
        junk.append((msgspec.structs.replace(record, measurements=None, undecided=(nothing,)), digest))
    result, words = outcome_of(decide(scene, robustness(ENOUGH), *junk))
    assert result is VerdictResult.PASSED, words


# A larger epsilon is another draw with the same seed; "no more and no less" leaves it out.
def test_epsilon_is_not_the_askers_to_choose_either(scene: Scene) -> None:
    result, words = outcome_of(decide(scene, robustness(160, epsilon=0.1000001)))
    assert result is VerdictResult.UNDECIDED, words


# Who forgave the tries is not in the verdict.
def test_a_verdict_ends_with_the_key_that_forgave_its_tries(scene: Scene) -> None:
    text = POLICY.replace("    - check: robustness\n", "    - check: robustness\n      maxTries: 1\n")
    approver = PrivateKey.generate(KeyAlgorithm.ED25519)
    document = add_key(
        parse_document(trust_bytes(scene.keys), name="t"),
        role="approver",
        signs=("tries-reset",),
        key=approver.public,
        not_after=None,
    )
    trust = Trust.parse(dump(document), name="t")
    old = of_other_model(1, 20, minutes=100)
    forgiven = statements_of(scene, [old])
    at = NOW - timedelta(minutes=90)
    reset = StoredFile(
        "r.sigstore.json", sign_reset(ROBUSTNESS, evidence=forgiven, reason="r", signer=approver, now=at)
    )
    assert decide(scene, robustness(160), old, text=text, trust=trust).result is VerdictResult.UNDECIDED
    decision = decide(scene, robustness(160), old, text=text, trust=trust, more=(reset,))
    assert decision.result is VerdictResult.PASSED
    data = write_verdict(decision, name="m", version="0", signer=scene.keys["verifier"])
    later = Trust.parse(dump(revoke(document, item=approver.public.id, reason="stolen")), name="t")
    with pytest.raises(VerificationError, match="stolen"):
        verify_verdict(data, model=scene.digest, trust=later, now=NOW, what="v", policy=decision.policy)


# A policy has two names, and revoking one leaves verdicts by the other.
@pytest.mark.parametrize(("named", "revoked"), [("file_digest", "digest"), ("digest", "file_digest")])
def test_a_revoked_policy_is_revoked_by_either_of_its_digests(scene: Scene, named: str, revoked: str) -> None:
    decision = decide(scene, robustness(160))
    policy = decision.policy
    by = dataclasses.replace(policy, digest=getattr(policy, named))
    data = write_verdict(dataclasses.replace(decision, policy=by), name="m", version="0", signer=scene.keys["verifier"])
    document = revoke(
        parse_document(trust_bytes(scene.keys), name="t"), item=f"sha256:{getattr(policy, revoked)}", reason="too weak"
    )
    with pytest.raises(VerificationError, match="too weak"):
        verify_verdict(
            data, model=scene.digest, trust=Trust.parse(dump(document), name="t"), now=NOW, what="v", policy=policy
        )


# A signature over members holds for every model, also one that never saw them.
def test_a_policy_that_takes_signed_members_must_say_of_which_model() -> None:
    text = POLICY.replace('members: {sha256: ["' + "0" * 64 + '"]}', "members: {signers: [curator]}", 1)
    assert text != POLICY
    with pytest.raises(PolicyError, match="for which line of models"):
        Policy.parse(text.encode(), name="p")


@pytest.mark.parametrize(
    ("about", "result"),
    [("digits", VerdictResult.PASSED), ("quite-another", VerdictResult.UNDECIDED)],
)
def test_members_that_were_signed_for_one_model_say_nothing_of_another(
    scene: Scene, about: str, result: VerdictResult
) -> None:
    content, curator = b"members of quite another model", PrivateKey.generate(KeyAlgorithm.ED25519)
    measured = measurements_of(LEAKAGE)
    assert isinstance(measured, LeakageMeasurements)
    members = msgspec.structs.replace(measured.members, sha256=hashlib.sha256(content).hexdigest())
    measured = msgspec.structs.replace(measured, members=members)
    scene.records[LEAKAGE] = make_record(LEAKAGE, measurements=measured)
    text = POLICY.replace('members: {sha256: ["' + "0" * 64 + '"]}', "members: {signers: [curator], about: digits}", 1)
    document = add_key(
        parse_document(trust_bytes(scene.keys), name="t"),
        role="curator",
        signs=("input:members",),
        key=curator.public,
        not_after=None,
    )
    signature = sign_input(content, name="m.npz", role=InputRole.MEMBERS, signer=curator, now=NOW, about=about)
    decision = judge(
        scene.digest,
        policy=Policy.parse(text.encode(), name="p"),
        trust=Trust.parse(dump(document), name="t"),
        files=[*scene.files(), StoredFile("i.sigstore.json", signature)],
        now=NOW,
    )
    assert decision.result is result, decision


# Tightening rounds to certainty, and the gate ends in a ValueError instead of a verdict.
def test_confidence_never_becomes_one(scene: Scene) -> None:
    text = POLICY.replace("atLeast: 0.60, confidence: 0.95", "atLeast: 0.10, confidence: 0.999999999999999")
    tries = [of_other_model(number, 2, minutes=100 + number) for number in range(12)]
    assert decide(scene, robustness(190), *tries, text=text).result is not None


# The newest verdict must not count over all listed policies of a name.
def test_a_pass_by_an_older_listed_policy_does_not_end_a_failure_by_the_namespaces_own() -> None:
    cluster = good_cluster()
    old = "1" * 64
    document = parse_document(trust_bytes(cluster.signed.keys), name="t")
    # `trust policy` keeps one of a name; a document written by hand may list two while one is rolled out.
    listed = tuple(PolicyReference(name="production", id=f"sha256:{digest}") for digest in (old, policy().digest))
    document = msgspec.structs.replace(document, spec=msgspec.structs.replace(document.spec, policies=listed))
    cluster.trust = Trust.parse(dump(document), name="t")
    cluster.bundles = {
        "strict": cluster.signed.sign(result=VerdictResult.FAILED, time=NOW - timedelta(hours=2)),
        "lax": cluster.signed.sign(policy_digest=old, time=NOW - timedelta(hours=1)),
    }
    assert cluster.decide(pod()).outcome is not Outcome.ADMIT
