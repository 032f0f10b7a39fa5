"""Each arrangement by which a failure was outlived though nothing spoke for the model."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests.builders import MODEL_DIGEST, NOW, POLICY, Scene, make_record, measurements_of, trust_bytes
from tests.gate.test_against_the_model import sign_with
from tests.gate.test_for_and_against import on_data
from tests.gate.test_inputs import text_with
from tests.gate.test_statistics import ENOUGH, decide, held_by_platform, of_other_model, outcome_of, robustness
from weighbridge.clock import format_instant
from weighbridge.errors import VerificationError
from weighbridge.evidence.inputs import sign_input
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import (
    DependencyAuditMeasurements,
    InputRole,
    LeakageMeasurements,
    inputs_of,
)
from weighbridge.evidence.record import CheckName, CheckRecord, Confinement, Finding, Severity, Tool
from weighbridge.evidence.seeds import seed_from_digests
from weighbridge.evidence.store import StoredFile
from weighbridge.evidence.tries import sign_reset, tries_in
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.gate.statistics import tightened
from weighbridge.gate.verdict import verify_verdict, write_verdict
from weighbridge.policy import Policy
from weighbridge.trust import Trust
from weighbridge.trust.document import TrustDocument
from weighbridge.trust.edit import add_key, dump, parse_document, revoke

AUDIT, SCAN, ROBUSTNESS, LEAKAGE = (
    CheckName.DEPENDENCY_AUDIT,
    CheckName.MODEL_SCAN,
    CheckName.ROBUSTNESS,
    CheckName.LEAKAGE,
)
CRITICAL = Finding(
    rule="malware", severity=Severity.CRITICAL, message="bad", location="uv.lock:1", remedy="r", advisory="MAL-1"
)


def document_of(scene: Scene) -> TrustDocument:
    return parse_document(trust_bytes(scene.keys), name="t")


def moved(scene: Scene, role: str, *, to: str, at: datetime) -> tuple[TrustDocument, PrivateKey]:
    """End a role's key in that role alone, let it go on in a role that the policy does not name, and renew the role."""
    document, new = document_of(scene), PrivateKey.generate(KeyAlgorithm.ED25519)
    roles = []
    for each in document.spec.roles:
        if each.name == role:
            roles.append(msgspec.structs.replace(each, name=to))
            ended = msgspec.structs.replace(each.keys[0], not_after=format_instant(at))
            each = msgspec.structs.replace(each, keys=(ended,))  # noqa: PLW2901
        roles.append(each)
    document = msgspec.structs.replace(document, spec=msgspec.structs.replace(document.spec, roles=tuple(roles)))
    return add_key(document, role=role, signs=(), key=new.public, not_after=None), new


def with_curator(scene: Scene, *signs: Any, role: str = "curator") -> tuple[TrustDocument, PrivateKey]:
    key = PrivateKey.generate(KeyAlgorithm.ED25519)
    return add_key(document_of(scene), role=role, signs=signs, key=key.public, not_after=None), key


def trust_of(document: TrustDocument) -> Trust:
    return Trust.parse(dump(document), name="t")


# --- a key that goes on in another role -----------------------------------------------------------------------------


def test_a_failing_statistic_stands_though_its_key_goes_on_in_another_role(scene: Scene) -> None:
    document, new = moved(scene, "tester", to="lab", at=NOW - timedelta(minutes=30))
    files = [StoredFile(f"{check}.json", scene.sign(scene.records[check])) for check in (AUDIT, SCAN)]
    files += [
        sign_with(scene, new, scene.records[LEAKAGE], "l.json"),
        sign_with(scene, new, robustness(160, minutes=10), "r.json"),
        StoredFile("failed.json", scene.sign(robustness(20, minutes=120))),
    ]
    trust = trust_of(document)
    assert judge(scene.digest, policy=scene.policy, trust=trust, files=files[:-1], now=NOW).result is (
        VerdictResult.PASSED
    )
    assert judge(scene.digest, policy=scene.policy, trust=trust, files=files, now=NOW).result is VerdictResult.FAILED


def test_a_failing_fact_stands_though_its_key_goes_on_in_another_role(scene: Scene) -> None:
    document, new = moved(scene, "scanner", to="lab", at=NOW - timedelta(minutes=30))
    failed = make_record(SCAN, findings=(CRITICAL,), finished=NOW - timedelta(minutes=60))
    passed = make_record(SCAN, finished=NOW - timedelta(minutes=90))
    files = [file for file in scene.files() if not file.name.startswith("model-scan")]
    files += [StoredFile("f.json", scene.sign(failed)), sign_with(scene, new, passed, "p.json")]
    decision = judge(scene.digest, policy=scene.policy, trust=trust_of(document), files=files, now=NOW)
    assert decision.result is VerdictResult.FAILED


def test_failing_data_stay_signed_though_their_key_goes_on_in_another_role(scene: Scene) -> None:
    document, old = with_curator(scene, "input:test")
    roles = []
    for each in document.spec.roles:
        if each.name == "curator":
            roles.append(msgspec.structs.replace(each, name="archive"))
            ended = msgspec.structs.replace(each.keys[0], not_after=format_instant(NOW - timedelta(minutes=30)))
            each = msgspec.structs.replace(each, keys=(ended,))  # noqa: PLW2901
        roles.append(each)
    document = msgspec.structs.replace(document, spec=msgspec.structs.replace(document.spec, roles=tuple(roles)))
    new = PrivateKey.generate(KeyAlgorithm.ED25519)
    document = add_key(document, role="curator", signs=(), key=new.public, not_after=None)
    signed = tuple(
        StoredFile(
            f"{name}.json",
            sign_input(name.encode(), name="t", role=InputRole.TEST, signer=key, now=NOW - timedelta(minutes=200)),
        )
        for name, key in (("one", old), ("two", new))
    )
    text = text_with("test", "{signers: [curator]}")
    failed, passed = on_data(b"one", 20, 150), on_data(b"two", 180, 10)
    found = decide(scene, passed, failed, text=text, trust=trust_of(document), more=signed)
    assert outcome_of(found)[0] is VerdictResult.FAILED


# --- a key that has ended speaks never for a model ------------------------------------------------------------------


def test_a_key_that_has_ended_says_of_no_measurement_that_it_was_there_before_the_tries(scene: Scene) -> None:
    document, old = document_of(scene), PrivateKey.generate(KeyAlgorithm.ED25519)
    document = add_key(document, role="tester", signs=(), key=old.public, not_after=NOW - timedelta(days=30))
    tries = [of_other_model(number, 20, minutes=100 + number) for number in range(3)]
    backdated = sign_with(scene, old, robustness(ENOUGH, minutes=60 * 24 * 40), "b.json")
    trust = trust_of(document)
    assert outcome_of(decide(scene, robustness(ENOUGH), *tries, trust=trust))[0] is VerdictResult.FAILED
    found = decide(scene, robustness(ENOUGH), *tries, trust=trust, more=(backdated,))
    assert outcome_of(found)[0] is VerdictResult.FAILED, outcome_of(found)


def test_a_verdict_ends_with_the_key_that_said_that_a_measurement_was_there_before_the_tries(scene: Scene) -> None:
    document, other = document_of(scene), PrivateKey.generate(KeyAlgorithm.ED25519)
    document = add_key(document, role="tester", signs=(), key=other.public, not_after=None)
    trust = trust_of(document)
    tries = [of_other_model(number, 20, minutes=100 + number) for number in range(3)]
    first = sign_with(scene, other, robustness(ENOUGH, minutes=300), "first.json")
    found = decide(scene, robustness(ENOUGH), *tries, trust=trust, more=(first,))
    assert found.result is VerdictResult.PASSED
    data = write_verdict(found, name="m", version="0", signer=scene.keys["verifier"])
    verify_verdict(data, model=scene.digest, trust=trust, now=NOW, what="v", policy=found.policy)
    later = trust_of(revoke(document, item=other.public.id, reason="stolen"))
    assert decide(scene, robustness(ENOUGH), *tries, trust=later, more=(first,)).result is VerdictResult.FAILED
    with pytest.raises(VerificationError, match="revoked"):
        verify_verdict(data, model=scene.digest, trust=later, now=NOW, what="v", policy=found.policy)


# --- a signature that hides ------------------------------------------------------------------------------------------


def leak(members: bytes, upper: float, *, minutes: int) -> Any:
    measured = measurements_of(LEAKAGE)
    assert isinstance(measured, LeakageMeasurements)
    data = msgspec.structs.replace(measured.members, sha256=hashlib.sha256(members).hexdigest())
    (entry,) = measured.entries
    (rate,) = entry.rates
    rates = tuple(msgspec.structs.replace(rate, upper=upper, confidence=confidence) for confidence in (0.95, 0.975))
    measured = msgspec.structs.replace(measured, members=data, entries=(msgspec.structs.replace(entry, rates=rates),))
    made = make_record(LEAKAGE, measurements=measured, finished=NOW - timedelta(minutes=minutes))
    return msgspec.structs.replace(
        made, seed=seed_from_digests(LEAKAGE, model=MODEL_DIGEST, inputs=inputs_of(measured))
    )


def test_a_signature_for_another_line_hides_no_failure_of_this_model(scene: Scene) -> None:
    """Two lines share members; the asker keeps back the signature for the line that is judged."""
    document, curator = with_curator(scene, "input:members")

    def signature(members: bytes, about: str) -> StoredFile:
        data = sign_input(members, name="m", role=InputRole.MEMBERS, signer=curator, now=NOW, about=about)
        return StoredFile(f"{about}-{members.decode()}.json", data)

    text = text_with("members", "{signers: [curator], about: digits}")
    failed, passed = leak(b"one", 0.9, minutes=150), leak(b"two", 0.04, minutes=10)
    trust, two = trust_of(document), signature(b"two", "digits")
    for more in ((signature(b"one", "digits"),), (), (signature(b"one", "faces"),)):
        found = decide(scene, passed, failed, text=text, trust=trust, more=(two, *more))
        assert outcome_of(found, LEAKAGE)[0] is not VerdictResult.PASSED, [file.name for file in more]


# --- advisories ------------------------------------------------------------------------------------------------------


def audit(bundle: bytes, *, days: int, minutes: int, findings: tuple[Finding, ...] = (), **changes: Any) -> Any:
    measured = measurements_of(AUDIT)
    assert isinstance(measured, DependencyAuditMeasurements)
    used = msgspec.structs.replace(
        measured.database,
        built=format_instant(NOW - timedelta(days=days)),
        sha256=hashlib.sha256(bundle).hexdigest(),
    )
    made = make_record(AUDIT, findings=findings, finished=NOW - timedelta(minutes=minutes))
    return msgspec.structs.replace(made, measurements=msgspec.structs.replace(measured, database=used), **changes)


UNCONFINED = Confinement(
    landlock_abi=0, filesystem=False, network=False, seccomp=False, limits={}, summary="not confined"
)


@pytest.mark.parametrize("arranged", ["nothing", "signature kept back", "not confined", "requirements left out"])
def test_what_newer_advisories_said_is_not_arranged_away(scene: Scene, arranged: str) -> None:
    document, curator = with_curator(scene, "input:advisories")
    text = text_with("advisories", "{signers: [curator]}")
    changes: dict[str, Any] = {"confinement": UNCONFINED} if arranged == "not confined" else {}
    passed = audit(b"old", days=5, minutes=10)
    failed = audit(b"new", days=1, minutes=60, findings=(CRITICAL,), **changes)
    if arranged == "requirements left out":
        text = text.replace("lock:", f'requirements: {{sha256: ["{"0" * 64}"]}}, lock:')
        lock, *_ = passed.measurements.sources
        requirements = msgspec.structs.replace(lock, role=InputRole.REQUIREMENTS, name="requirements.txt")
        measured = msgspec.structs.replace(passed.measurements, sources=(lock, requirements))
        passed = msgspec.structs.replace(passed, measurements=measured)
    more = tuple(
        StoredFile(
            f"{name}.json", sign_input(name.encode(), name="a", role=InputRole.ADVISORIES, signer=curator, now=NOW)
        )
        for name in ("old", "new")
        if not (name == "new" and arranged == "signature kept back")
    )
    trust = trust_of(document)
    assert outcome_of(decide(scene, passed, text=text, trust=trust, more=more), AUDIT)[0] is VerdictResult.PASSED
    found = decide(scene, passed, failed, text=text, trust=trust, more=more)
    expected = VerdictResult.FAILED if arranged == "nothing" else VerdictResult.UNDECIDED
    assert outcome_of(found, AUDIT)[0] is expected, outcome_of(found, AUDIT)
    # An audit against the same advisories puts an end to it.
    again = audit(b"new", days=1, minutes=5)
    again = msgspec.structs.replace(
        again, measurements=msgspec.structs.replace(again.measurements, sources=passed.measurements.sources)
    )
    everything = [
        *more,
        StoredFile("n.json", sign_input(b"new", name="a", role=InputRole.ADVISORIES, signer=curator, now=NOW)),
    ]
    found = decide(scene, again, failed, text=text, trust=trust, more=tuple(everything))
    assert outcome_of(found, AUDIT)[0] is VerdictResult.PASSED, outcome_of(found, AUDIT)


def test_of_equally_new_facts_every_one_must_hold_though_the_key_of_one_has_ended(scene: Scene) -> None:
    document, old = document_of(scene), PrivateKey.generate(KeyAlgorithm.ED25519)
    document = add_key(document, role="scanner", signs=(), key=old.public, not_after=NOW - timedelta(minutes=30))
    at = NOW - timedelta(minutes=60)
    scene.records[SCAN] = make_record(SCAN, finished=at)
    failed = sign_with(scene, old, make_record(SCAN, findings=(CRITICAL,), finished=at, nonce="f" * 32), "f.json")
    decision = judge(
        scene.digest, policy=scene.policy, trust=trust_of(document), files=[*scene.files(), failed], now=NOW
    )
    assert decision.result is VerdictResult.FAILED


@pytest.mark.parametrize(
    ("failed_by", "passed_by", "expected"),
    [
        ("0.2.0", "0.1.0", VerdictResult.FAILED),
        ("0.10.0", "0.9.0", VerdictResult.FAILED),
        ("0.1.0", "0.2.0", VerdictResult.PASSED),
        ("0.2.0", "0.2.0", VerdictResult.PASSED),
        ("of my own", "0.2.0", VerdictResult.PASSED),
    ],
)
def test_what_a_newer_tool_found_does_not_end_with_an_older_one(
    scene: Scene, failed_by: str, passed_by: str, expected: VerdictResult
) -> None:
    def scan(version: str, *findings: Finding, minutes: int) -> CheckRecord:
        made = make_record(SCAN, findings=findings, finished=NOW - timedelta(minutes=minutes))
        return msgspec.structs.replace(made, tool=Tool(name="weighbridge", version=version))

    found = decide(scene, scan(passed_by, minutes=10), scan(failed_by, CRITICAL, minutes=60))
    assert outcome_of(found, SCAN)[0] is expected


# --- resets ----------------------------------------------------------------------------------------------------------


def test_a_verdict_ends_with_the_key_that_forgave_a_failure_whose_signature_is_not_at_hand(scene: Scene) -> None:
    document, curator = with_curator(scene, "input:test")
    approver = PrivateKey.generate(KeyAlgorithm.ED25519)
    ends = NOW + timedelta(hours=3)
    document = add_key(document, role="approver", signs=("tries-reset",), key=approver.public, not_after=ends)
    text = text_with("test", "{signers: [curator]}")
    # It passed, failed on other data, and was repeated for its age: the failure came after the first time.
    first, failed, again = on_data(b"two", 180, 150), on_data(b"one", 20, 100), on_data(b"two", 180, 10)
    two = StoredFile("two.json", sign_input(b"two", name="t", role=InputRole.TEST, signer=curator, now=NOW))
    trust = trust_of(document)
    found = decide(scene, again, first, failed, text=text, trust=trust, more=(two,))
    assert outcome_of(found)[0] is VerdictResult.UNDECIDED
    forgiven = tries_in([StoredFile("f", scene.sign(failed))], check=ROBUSTNESS)
    reset = sign_reset(ROBUSTNESS, evidence=forgiven, reason="r", signer=approver, now=NOW)
    found = decide(scene, again, first, failed, text=text, trust=trust, more=(two, StoredFile("r.json", reset)))
    assert found.result is VerdictResult.PASSED
    assert found.valid_until <= ends
    data = write_verdict(found, name="m", version="0", signer=scene.keys["verifier"])
    later = trust_of(revoke(document, item=approver.public.id, reason="stolen"))
    with pytest.raises(VerificationError, match="revoked"):
        verify_verdict(data, model=scene.digest, trust=later, now=NOW, what="v", policy=found.policy)


def test_honest_a_verdict_does_not_rest_on_resets_that_forgave_nothing_of_it(scene: Scene) -> None:
    document = document_of(scene)
    approvers = [PrivateKey.generate(KeyAlgorithm.ED25519) for _ in range(2)]
    for key in approvers:
        document = add_key(
            document,
            role="approver",
            signs=() if key is approvers[1] else ("tries-reset",),
            key=key.public,
            not_after=None,
        )
    tries = [of_other_model(number, 20, minutes=100 + number) for number in range(3)]
    forgiven = tries_in([StoredFile("t", scene.sign(old, digest=digest)) for old, digest in tries], check=ROBUSTNESS)
    resets = tuple(
        StoredFile(f"r{number}.json", sign_reset(ROBUSTNESS, evidence=names, reason="r", signer=key, now=NOW))
        for number, (key, names) in enumerate(zip(approvers, (forgiven, {"f" * 64}), strict=True))
    )
    found = decide(scene, robustness(ENOUGH), *tries, trust=trust_of(document), more=resets)
    assert found.result is VerdictResult.PASSED
    data = write_verdict(found, name="m", version="0", signer=scene.keys["verifier"])
    for key, counts in zip(approvers, (False, True), strict=True):
        later = trust_of(revoke(document, item=key.public.id, reason="stolen"))
        if counts:
            verify_verdict(data, model=scene.digest, trust=later, now=NOW, what="v", policy=found.policy)
        else:
            with pytest.raises(VerificationError, match="revoked"):
                verify_verdict(data, model=scene.digest, trust=later, now=NOW, what="v", policy=found.policy)


# --- tries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
def test_of_equally_new_statistics_each_costs_its_own_tries_in_whatever_order(scene: Scene, order: int) -> None:
    trust = held_by_platform(scene)
    made = [msgspec.structs.replace(robustness(ENOUGH), tries=tries, nonce=f"{tries:032x}") for tries in (0, 4)]
    files = [file for file in scene.files() if file.name != "robustness.sigstore.json"]
    files += [StoredFile(f"{n}.json", scene.sign(each)) for n, each in enumerate(made[::order])]
    decision = judge(scene.digest, policy=scene.policy, trust=trust, files=files, now=NOW)
    assert outcome_of(decision)[0] is VerdictResult.FAILED, outcome_of(decision)


@pytest.mark.parametrize("measured_for", [30, 39])
def test_a_strict_confidence_is_not_rounded_down_to_the_one_of_fewer_tries(scene: Scene, measured_for: int) -> None:
    text = POLICY.replace("atMost: 0.05, confidence: 0.95", "atMost: 0.05, confidence: 0.999999")
    measured = measurements_of(LEAKAGE)
    assert isinstance(measured, LeakageMeasurements)
    (entry,) = measured.entries
    rate = msgspec.structs.replace(entry.rates[0], confidence=tightened(0.999999, tries=measured_for))
    entry = msgspec.structs.replace(entry, rates=(rate,))
    made = make_record(LEAKAGE, measurements=msgspec.structs.replace(measured, entries=(entry,)))
    for tries, expected in ((measured_for, VerdictResult.PASSED), (40, VerdictResult.UNDECIDED)):
        tried = msgspec.structs.replace(made, tries=tries)
        found = decide(scene, tried, text=text, trust=held_by_platform(scene))
        assert outcome_of(found, LEAKAGE)[0] is expected, outcome_of(found, LEAKAGE)


def test_honest_a_verdict_does_not_end_with_a_role_that_its_key_lost_before(scene: Scene) -> None:
    document, _ = moved(scene, "tester", to="lab", at=NOW - timedelta(days=3))
    text = POLICY.replace("signers: [tester]", "signers: [lab]")
    policy = Policy.parse(text.replace("[scanner, tester, auditor]", "[scanner, lab, auditor]").encode(), name="p")
    trust = trust_of(document)
    found = judge(scene.digest, policy=policy, trust=trust, files=scene.files(), now=NOW)
    assert found.result is VerdictResult.PASSED, [(each.check, each.reason) for each in found.outcomes]
    data = write_verdict(found, name="m", version="0", signer=scene.keys["verifier"])
    verify_verdict(data, model=scene.digest, trust=trust, now=NOW, what="v", policy=policy)
