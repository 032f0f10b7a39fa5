"""What speaks against a model is not outlived: not by keys, signatures, advisories, seeds or roles."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.builders import (
    MODEL_DIGEST,
    NOW,
    POLICY,
    Scene,
    make_record,
    measurements_of,
    seed_of,
    trust_bytes,
)
from tests.gate.test_inputs import text_with
from tests.gate.test_statistics import ENOUGH, decide, of_other_model, outcome_of, robustness
from weighbridge.clock import format_instant
from weighbridge.errors import VerificationError
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import DependencyAuditMeasurements, RobustnessMeasurements, inputs_of
from weighbridge.evidence.record import CheckName, Finding, Severity
from weighbridge.evidence.seeds import amounts_of, seed_from_digests
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.decision import Decision, VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.gate.verdict import verify_verdict, write_verdict
from weighbridge.policy import Policy
from weighbridge.trust import PolicyReference, Trust
from weighbridge.trust.edit import add_key, dump, parse_document, retire_key, revoke

AUDIT, SCAN, ROBUSTNESS, LEAKAGE = (
    CheckName.DEPENDENCY_AUDIT,
    CheckName.MODEL_SCAN,
    CheckName.ROBUSTNESS,
    CheckName.LEAKAGE,
)


def judged(scene: Scene, text: str) -> Decision:
    policy = Policy.parse(text.encode(), name="policy.yaml")
    return judge(scene.digest, policy=policy, trust=scene.trust, files=scene.files(), now=NOW)


def with_amounts(survived: int, **amounts: float) -> Any:
    """A record whose seed follows from these amounts, as `weighbridge robustness --samples N` makes it."""
    made = robustness(survived)
    measured = made.measurements
    assert isinstance(measured, RobustnessMeasurements)
    data = msgspec.structs.replace(measured.data, rows=200)  # no more rows than the policy attacks
    parameters = {"epsilon": 0.1, "queries": 1000, "samples": 200, "confidence": 0.95, **amounts}
    measured = msgspec.structs.replace(measured, data=data)
    seed = seed_from_digests(ROBUSTNESS, model=MODEL_DIGEST, inputs=inputs_of(measured), amounts=amounts_of(parameters))
    epsilon = float(parameters["epsilon"])
    measured = msgspec.structs.replace(measured, seed=seed.value, epsilon=epsilon)
    return msgspec.structs.replace(made, measurements=measured, seed=seed, parameters=parameters)


def test_the_usual_amounts_count(scene: Scene) -> None:
    assert outcome_of(decide(scene, with_amounts(160)))[0] is VerdictResult.PASSED


@pytest.mark.parametrize("samples", [201, 777, 99_999])
def test_more_samples_than_there_are_rows_are_no_further_seeds(scene: Scene, samples: int) -> None:
    result, words = outcome_of(decide(scene, with_amounts(160, samples=samples)))
    assert result is not VerdictResult.PASSED, words


@pytest.mark.parametrize("step", [1, 7, 5_000])
def test_the_next_floats_above_epsilon_are_no_further_seeds(scene: Scene, step: int) -> None:
    import math

    epsilon = 0.1
    for _ in range(step):
        epsilon = math.nextafter(epsilon, 1.0)
    result, words = outcome_of(decide(scene, with_amounts(160, epsilon=epsilon)))
    assert result is not VerdictResult.PASSED, words


def rotated(scene: Scene, role: str, *, minutes: int = 30) -> tuple[Trust, PrivateKey]:
    """End the key of a role some minutes ago, as a rotation does, and give it a new one."""
    new = PrivateKey.generate(KeyAlgorithm.ED25519)
    document = parse_document(trust_bytes(scene.keys), name="t")
    document = add_key(document, role=role, signs=(), key=new.public, not_after=None)
    document = retire_key(document, key_id=scene.keys[role].public.id, at=NOW - timedelta(minutes=minutes))
    return Trust.parse(dump(document), name="t"), new


def sign_with(scene: Scene, key: PrivateKey, made: Any, name: str) -> StoredFile:
    old = scene.keys
    scene.keys = {**old, "tester": key, "scanner": key}
    data = scene.sign(made)
    scene.keys = old
    return StoredFile(name, data)


def test_a_failing_result_stands_though_its_key_was_rotated(scene: Scene) -> None:
    trust, new = rotated(scene, "tester")
    files = [sign_with(scene, scene.keys["tester"], robustness(20, minutes=120), "failed.sigstore.json")]
    for check in CheckName:
        made = scene.records[check] if check is not ROBUSTNESS else robustness(160, minutes=10)
        key = new if check in (ROBUSTNESS, LEAKAGE) else None
        files.append(
            sign_with(scene, new, made, f"{check}.sigstore.json")
            if key
            else StoredFile(f"{check}.sigstore.json", scene.sign(made))
        )
    decision = judge(scene.digest, policy=scene.policy, trust=trust, files=files, now=NOW)
    assert decision.result is not VerdictResult.PASSED, decision.outcomes


def test_tries_are_not_forgotten_when_their_key_is_rotated(scene: Scene) -> None:
    trust, new = rotated(scene, "tester")
    text = POLICY.replace("    - check: robustness\n", "    - check: robustness\n      maxTries: 3\n")
    files = [StoredFile(f"{check}.sigstore.json", scene.sign(scene.records[check])) for check in (AUDIT, SCAN)]
    files.append(sign_with(scene, new, scene.records[LEAKAGE], "l.sigstore.json"))
    files.append(sign_with(scene, new, robustness(ENOUGH, minutes=10), "r.sigstore.json"))
    for number in range(5):
        old, digest = of_other_model(number, 20, minutes=100 + number)
        files.append(StoredFile(f"t{number}.sigstore.json", scene.sign(old, digest=digest)))
    policy = Policy.parse(text.encode(), name="p")
    assert judge(scene.digest, policy=policy, trust=trust, files=files, now=NOW).result is not VerdictResult.PASSED


def test_a_newer_failing_fact_counts_against_the_model_though_its_key_ended(scene: Scene) -> None:
    """During a rotation both keys sign; when the old one ends, its newer failure must not give way to an older pass."""
    trust, new = rotated(scene, "scanner")
    finding = Finding(
        rule="pickle-import", severity=Severity.CRITICAL, message="runs os.system", location="a.bin", remedy="no"
    )
    failed = make_record(SCAN, findings=(finding,), finished=NOW - timedelta(minutes=60))
    passed = make_record(SCAN, finished=NOW - timedelta(minutes=90))
    files = [file for file in scene.files() if not file.name.startswith("model-scan")]
    files += [StoredFile("f.sigstore.json", scene.sign(failed)), sign_with(scene, new, passed, "p.sigstore.json")]
    before = Trust.parse(
        dump(
            add_key(
                parse_document(trust_bytes(scene.keys), name="t"),
                role="scanner",
                signs=(),
                key=new.public,
                not_after=None,
            )
        ),
        name="t",
    )
    assert judge(scene.digest, policy=scene.policy, trust=before, files=files, now=NOW).result is VerdictResult.FAILED
    decision = judge(scene.digest, policy=scene.policy, trust=trust, files=files, now=NOW)
    assert decision.result is not VerdictResult.PASSED, decision.outcomes


def test_a_verdict_ends_when_its_key_left_the_role_that_the_policy_names(scene: Scene) -> None:
    decision = judged(scene, POLICY)
    assert decision.result is VerdictResult.PASSED
    data = write_verdict(decision, name="m", version="0", signer=scene.keys["verifier"])
    document = parse_document(trust_bytes(scene.keys), name="t")
    roles = []
    for role in document.spec.roles:
        if role.name == "tester":  # the key is moved to a role of the same kind that this policy does not name
            fresh = msgspec.structs.replace(
                role.keys[0], public_key=PrivateKey.generate(KeyAlgorithm.ED25519).public.pem
            )
            roles += [msgspec.structs.replace(role, keys=(fresh,)), msgspec.structs.replace(role, name="intern")]
        else:
            roles.append(role)
    spec = msgspec.structs.replace(document.spec, roles=tuple(roles), version=2)
    moved = Trust.parse(dump(msgspec.structs.replace(document, spec=spec)), name="t")
    again = judge(scene.digest, policy=decision.policy, trust=moved, files=scene.files(), now=NOW)
    assert again.result is VerdictResult.UNDECIDED
    with pytest.raises(VerificationError):
        verify_verdict(data, model=scene.digest, trust=moved, now=NOW, what="v", policy=decision.policy)


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_of_two_verdicts_of_one_second_the_failed_one_counts(names: tuple[str, str]) -> None:
    from tests.admission.builders import good_cluster, pod
    from weighbridge.admission.decision import Outcome

    cluster = good_cluster()
    at = NOW - timedelta(hours=1)
    cluster.bundles = {
        names[0]: cluster.signed.sign(result=VerdictResult.FAILED, time=at),
        names[1]: cluster.signed.sign(time=at),
    }
    assert cluster.decide(pod()).outcome is not Outcome.ADMIT


def test_honest_a_key_of_two_roles_counts_in_the_one_that_the_policy_names(scene: Scene) -> None:
    document = parse_document(trust_bytes(scene.keys), name="t")
    roles = []
    for role in document.spec.roles:
        if role.name == "tester":
            roles.append(msgspec.structs.replace(role, name="lab"))
        roles.append(role)
    trust = Trust.parse(
        dump(msgspec.structs.replace(document, spec=msgspec.structs.replace(document.spec, roles=tuple(roles)))),
        name="t",
    )
    assert judge(scene.digest, policy=scene.policy, trust=trust, files=scene.files(), now=NOW).result is (
        VerdictResult.PASSED
    )


@pytest.mark.parametrize("days", [6, 1], ids=["older", "another of the same date"])
def test_what_advisories_said_does_not_end_with_an_audit_against(scene: Scene, days: int) -> None:
    """The curator signs a bundle a day, each within maxAge, and whoever calls the audit picks the one that passes."""

    def audit(bundle: int, days: int, minutes: int, findings: tuple[Finding, ...]) -> Any:
        measured = measurements_of(AUDIT)
        assert isinstance(measured, DependencyAuditMeasurements)
        built = format_instant(NOW - timedelta(days=days))
        used = msgspec.structs.replace(measured.database, built=built, sha256=f"{bundle:064x}")
        made = make_record(AUDIT, findings=findings, finished=NOW - timedelta(minutes=minutes))
        return msgspec.structs.replace(made, measurements=msgspec.structs.replace(measured, database=used))

    finding = Finding(
        rule="malware",
        severity=Severity.CRITICAL,
        message="malware",
        location="uv.lock:1",
        remedy="r",
        advisory="MAL-1",
    )
    text = text_with("advisories", f'{{sha256: ["{1:064x}", "{6:064x}"]}}')
    scene.records[AUDIT] = audit(6, days, 10, ())
    failed = StoredFile("failed.sigstore.json", scene.sign(audit(1, 1, 60, (finding,))))
    decision = judge(
        scene.digest,
        policy=Policy.parse(text.encode(), name="p"),
        trust=scene.trust,
        files=[*scene.files(), failed],
        now=NOW,
    )
    assert decision.result is not VerdictResult.PASSED


def test_a_failure_does_not_vanish_with_the_signature_of_its_data(scene: Scene) -> None:
    """The curator signs ten test sets; the asker leaves beside his data only the signature of the one that passed."""
    from weighbridge.evidence.inputs import sign_input
    from weighbridge.evidence.measurements import InputRole

    curator = PrivateKey.generate(KeyAlgorithm.ED25519)
    document = add_key(
        parse_document(trust_bytes(scene.keys), name="t"),
        role="curator",
        signs=("input:test",),
        key=curator.public,
        not_after=None,
    )
    trust = Trust.parse(dump(document), name="t")
    text = text_with("test", "{signers: [curator]}")
    signatures: list[StoredFile] = []
    made = []
    for number, survived in ((1, 20), (2, 30), (3, ENOUGH)):
        content = f"test set {number}".encode()
        old = robustness(survived, minutes=200 - number)
        measured = old.measurements
        assert isinstance(measured, RobustnessMeasurements)
        data = msgspec.structs.replace(measured.data, sha256=hashlib.sha256(content).hexdigest())
        seed = seed_of(ROBUSTNESS, data)
        measured = msgspec.structs.replace(measured, data=data, seed=seed.value)
        made.append(msgspec.structs.replace(old, measurements=measured, seed=seed))
        signature = sign_input(content, name="t", role=InputRole.TEST, signer=curator, now=NOW)
        signatures.append(StoredFile(f"i{number}.sigstore.json", signature))
    all_of_them = decide(scene, made[2], *made[:2], text=text, trust=trust, more=tuple(signatures))
    assert all_of_them.result is VerdictResult.FAILED
    decision = decide(scene, made[2], *made[:2], text=text, trust=trust, more=(signatures[2],))
    assert decision.result is not VerdictResult.PASSED


def test_a_waiver_of_a_vulnerability_waives_no_malware(scene: Scene) -> None:
    from weighbridge.evidence.record import Component

    text = POLICY + (
        "  waivers:\n    - {check: dependency-audit, id: CVE-2026-1, component: demo, reason: not reachable, owner: o, "
        "expires: 2026-12-31}\n"
    )
    malware = Finding(
        rule="malware",
        severity=Severity.CRITICAL,
        message="demo 1.0 is malware",
        location="uv.lock:1",
        remedy="remove",
        advisory="MAL-2026-7",
        aliases=("CVE-2026-1",),
        component=Component(name="demo", version="1.0"),
    )
    scene.records[AUDIT] = make_record(AUDIT, findings=(malware,))
    assert judged(scene, text).result is not VerdictResult.PASSED


@pytest.mark.parametrize("where", ["accepted", "waiver"])
def test_nobody_answers_for_ever(scene: Scene, where: str) -> None:
    if where == "accepted":
        text = POLICY.replace(
            "atLeast: 0.60, confidence: 0.95}}",
            "atLeast: 0.0, confidence: 0.5}}\n      accepted: {reason: r, owner: o, expires: 9998-12-31}",
        )
    else:
        text = POLICY + (
            "  waivers:\n    - {check: dependency-audit, id: PYSEC-1, component: demo, reason: r, owner: o, "
            "expires: 9998-12-31}\n"
        )
    assert text != POLICY
    decision = judged(scene, text)
    assert decision.result is VerdictResult.UNDECIDED
    assert "more than 731 days from now" in decision.problems[0].reason


def with_listed(scene: Scene, digest: str, *, revoked: str = "") -> Trust:
    document = parse_document(trust_bytes(scene.keys), name="t")
    listed = (PolicyReference(name="production", id=f"sha256:{digest}"),)
    document = msgspec.structs.replace(document, spec=msgspec.structs.replace(document.spec, policies=listed))
    if revoked:
        document = revoke(document, item=f"sha256:{revoked}", reason="too weak")
    return Trust.parse(dump(document), name="t")


def test_honest_a_trust_document_of_the_first_release_lists_the_file(scene: Scene) -> None:
    trust = with_listed(scene, scene.policy.file_digest)
    decision = judge(scene.digest, policy=scene.policy, trust=trust, files=scene.files(), now=NOW)
    assert decision.result is VerdictResult.PASSED
    data = write_verdict(decision, name="m", version="0", signer=scene.keys["verifier"])
    verify_verdict(data, model=scene.digest, trust=trust, now=NOW, what="v", policy=scene.policy)


def test_a_policy_that_was_revoked_by_its_file_is_revoked_for_whoever_names_none(scene: Scene) -> None:
    decision = judged(scene, POLICY)
    data = write_verdict(decision, name="m", version="0", signer=scene.keys["verifier"])
    trust = with_listed(scene, decision.policy.digest, revoked=decision.policy.file_digest)
    with pytest.raises(VerificationError):
        verify_verdict(data, model=scene.digest, trust=trust, now=NOW, what="v", policy=decision.policy)
    with pytest.raises(VerificationError):
        verify_verdict(data, model=scene.digest, trust=trust, now=NOW, what="v", policy=None)


@pytest.mark.parametrize("result", [VerdictResult.FAILED, VerdictResult.UNDECIDED])
def test_a_newer_verdict_that_did_not_pass_counts_though_its_verifier_ended(result: VerdictResult) -> None:
    from tests.admission.builders import good_cluster, pod
    from weighbridge.admission.decision import Outcome

    cluster = good_cluster()
    keys = cluster.signed.keys
    new = PrivateKey.generate(KeyAlgorithm.ED25519)
    document = parse_document(trust_bytes(keys), name="t")
    document = add_key(document, role="verifier", signs=(), key=new.public, not_after=None)
    document = retire_key(document, key_id=keys["verifier"].public.id, at=NOW - timedelta(minutes=10))
    trust = Trust.parse(dump(document), name="t")
    at = NOW - timedelta(hours=1)
    failed = cluster.signed.sign(result=result, time=at)
    passed_by_the_ended = cluster.signed.sign(time=at)
    keys["verifier"] = new
    passed = cluster.signed.sign(time=at - timedelta(hours=1))

    def decided(**bundles: bytes) -> Outcome:
        return dataclasses.replace(cluster, bundles=bundles, trust=trust).decide(pod()).outcome

    assert decided(passed=passed) is Outcome.ADMIT
    assert decided(passed=passed, failed=failed) is Outcome.HOLD
    # One that passed ends with its key, and holds up none by a key that is valid.
    assert decided(passed=passed, ended=passed_by_the_ended) is Outcome.ADMIT
    assert decided(ended=passed_by_the_ended) is Outcome.HOLD


def test_a_failed_verdict_by_a_key_that_is_valid_now_counts_whatever_time_it_states() -> None:
    from tests.admission.builders import good_cluster, pod
    from weighbridge.admission.decision import Outcome

    cluster = good_cluster()
    document = parse_document(trust_bytes(cluster.signed.keys), name="t")
    old, at = PrivateKey.generate(KeyAlgorithm.ED25519), NOW - timedelta(hours=1)
    document = add_key(document, role="verifier", signs=(), key=old.public, not_after=None)
    begins = format_instant(NOW - timedelta(minutes=30))
    roles = tuple(
        msgspec.structs.replace(role, keys=(msgspec.structs.replace(role.keys[0], not_before=begins), *role.keys[1:]))
        if role.name == "verifier"
        else role
        for role in document.spec.roles
    )
    spec = msgspec.structs.replace(document.spec, roles=roles)
    trust = Trust.parse(dump(msgspec.structs.replace(document, spec=spec)), name="t")
    failed = cluster.signed.sign(result=VerdictResult.FAILED, time=at)
    cluster.signed.keys["verifier"] = old
    bundles = {"passed": cluster.signed.sign(time=at - timedelta(hours=1)), "failed": failed}
    assert dataclasses.replace(cluster, bundles=bundles, trust=trust).decide(pod()).outcome is Outcome.HOLD
