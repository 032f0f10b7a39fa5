"""The attack table: each row gets past a gate without its defence, and does not get past ours."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.builders import NOW, POLICY, Scene, make_record, replace_measurement, trust_bytes
from weighbridge._json import dumps
from weighbridge.clock import format_instant
from weighbridge.errors import VerificationError, WeighbridgeError
from weighbridge.evidence.bundle import write_bundle
from weighbridge.evidence.keys import PrivateKey
from weighbridge.evidence.measurements import (
    DependencyAuditMeasurements,
    LeakageEntry,
    LeakageMeasurements,
    ModelScanMeasurements,
    RobustnessEntry,
    RobustnessMeasurements,
)
from weighbridge.evidence.predicates import TEST_RESULT, TestResult, statement_of
from weighbridge.evidence.record import CheckName, Component, Finding, Severity, Undecided
from weighbridge.evidence.statement import Statement, Subject
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.decision import Decision, VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.gate.verdict import verify_verdict, write_verdict
from weighbridge.model.digest import hash_model
from weighbridge.policy import Policy
from weighbridge.trust import Trust
from weighbridge.trust.edit import add_key, dump, extend, list_policy, parse_document, retire_key, revoke

SCAN = CheckName.MODEL_SCAN
AUDIT = CheckName.DEPENDENCY_AUDIT


def decide(
    scene: Scene, *, files: list[StoredFile] | None = None, trust: Trust | None = None, **changes: Any
) -> Decision:
    return judge(
        scene.digest,
        policy=changes.get("policy", scene.policy),
        trust=trust or scene.trust,
        files=scene.files() if files is None else files,
        now=changes.get("now", NOW),
    )


def reason_of(decision: Decision, check: CheckName = SCAN) -> str:
    (outcome,) = [outcome for outcome in decision.outcomes if outcome.check is check]
    return outcome.reason


def with_file(scene: Scene, data: bytes, check: CheckName = SCAN) -> list[StoredFile]:
    """The scene's files, with the evidence of one check replaced."""
    return [f if not f.name.startswith(check.value) else StoredFile(f.name, data) for f in scene.files()]


def edit_trust(scene: Scene, change: Callable[..., Any], **arguments: Any) -> Trust:
    document = parse_document(trust_bytes(scene.keys), name="trust.yaml")
    return Trust.parse(dump(change(document, **arguments)), name="trust.yaml")


def finding(rule: str = "forbidden-global", severity: Severity = Severity.CRITICAL, **more: Any) -> Finding:
    return Finding(rule=rule, severity=severity, message="os.system", location="a.bin:12", remedy="remove it", **more)


def verdict_of(scene: Scene, **changes: Any) -> bytes:
    return write_verdict(decide(scene, **changes), name="model", version="0.1.0", signer=scene.keys["verifier"])


def check_verdict(scene: Scene, data: bytes, **changes: Any) -> VerdictResult:
    return verify_verdict(
        data,
        model=changes.get("model", scene.digest),
        trust=changes.get("trust", scene.trust),
        now=changes.get("now", NOW + timedelta(hours=1)),
        what="verdict.sigstore.json",
        policy=changes.get("policy", scene.policy),
    ).result


def test_good_model_passes_and_its_verdict_verifies(scene: Scene) -> None:
    decision = decide(scene)
    assert decision.result is VerdictResult.PASSED
    assert not decision.rejected
    assert check_verdict(scene, verdict_of(scene)) is VerdictResult.PASSED


# --- signatures -----------------------------------------------------------------------------------------------------


def edit_bundle(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    bundle = json.loads(data)
    change(bundle)
    return json.dumps(bundle).encode()


def strip_signature(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["signatures"] = []


def empty_signature(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = ""


def second_signature(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["signatures"] *= 2


def change_payload_type(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["payloadType"] = "text/plain"


def change_payload(bundle: dict[str, Any]) -> None:
    payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
    changed = payload.replace(b'"result":"FAILED"', b'"result":"PASSED"').replace(b"clean", b"Clean")
    assert changed != payload
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(changed).decode()


def loose_base64(bundle: dict[str, Any]) -> None:
    bundle["dsseEnvelope"]["payload"] = bundle["dsseEnvelope"]["payload"] + "\n"


def unknown_field(bundle: dict[str, Any]) -> None:
    bundle["note"] = "trust me"


def another_version(bundle: dict[str, Any]) -> None:
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"


def certificate(bundle: dict[str, Any]) -> None:
    bundle["verificationMaterial"] = {"certificate": {"rawBytes": "AA=="}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (strip_signature, "0 signatures"),
        (empty_signature, "does not match"),
        (second_signature, "2 signatures"),
        (change_payload_type, "payload type"),
        (change_payload, "does not match"),
        (loose_base64, "base64"),
        (unknown_field, "unknown field"),
        (another_version, "media type"),
        (certificate, "certificate"),
    ],
)
def test_refuses_an_edited_bundle(scene: Scene, change: Callable[[dict[str, Any]], None], words: str) -> None:
    data = edit_bundle(scene.sign(scene.records[SCAN]), change)
    decision = decide(scene, files=with_file(scene, data))
    assert decision.result is VerdictResult.UNDECIDED
    assert words in reason_of(decision)


def test_refuses_a_signature_swapped_in_from_other_evidence(scene: Scene) -> None:
    other = json.loads(scene.sign(scene.records[AUDIT], role="scanner"))["dsseEnvelope"]["signatures"]

    def swap(bundle: dict[str, Any]) -> None:
        bundle["dsseEnvelope"]["signatures"] = other

    decision = decide(scene, files=with_file(scene, edit_bundle(scene.sign(scene.records[SCAN]), swap)))
    assert decision.result is VerdictResult.UNDECIDED
    assert "does not match" in reason_of(decision)


def test_refuses_a_key_that_nobody_trusts_though_it_claims_a_trusted_id(scene: Scene) -> None:
    statement = statement_of(scene.records[SCAN], model=scene.digest, name="model")
    data = write_bundle(statement.encode(), signer=PrivateKey.generate(scene.keys["scanner"].public.algorithm))

    def claim(bundle: dict[str, Any]) -> None:
        bundle["dsseEnvelope"]["signatures"][0]["keyid"] = scene.keys["scanner"].public.id

    decision = decide(scene, files=with_file(scene, edit_bundle(data, claim)))
    assert decision.result is VerdictResult.UNDECIDED
    assert "does not match" in reason_of(decision)
    assert "no trusted key" in reason_of(decide(scene, files=with_file(scene, data)))


@pytest.mark.parametrize("role", ["tester", "auditor", "verifier"])
def test_refuses_a_key_of_the_wrong_role(scene: Scene, role: str) -> None:
    data = scene.sign(scene.records[SCAN], role=role)
    decision = decide(scene, files=with_file(scene, data))
    assert decision.result is VerdictResult.UNDECIDED
    assert f"role {role}) may not sign model-scan" in reason_of(decision)


def test_refuses_a_role_that_the_requirement_does_not_name(scene: Scene) -> None:
    scene.keys["other"] = PrivateKey.generate(scene.keys["scanner"].public.algorithm)
    keys = {role: key for role, key in scene.keys.items() if role != "other"}
    document = parse_document(trust_bytes(keys), name="trust.yaml")
    changed = add_key(document, role="other", signs=("model-scan",), key=scene.keys["other"].public, not_after=None)
    trust = Trust.parse(dump(changed), name="trust.yaml")
    files = with_file(scene_without(scene, "other"), scene.sign(scene.records[SCAN], role="other"))
    decision = decide(scene, files=files, trust=trust)
    assert decision.result is VerdictResult.UNDECIDED
    assert "signed by other; the policy wants it from scanner" in reason_of(decision)


def scene_without(scene: Scene, role: str) -> Scene:
    return Scene(scene.model, keys={name: key for name, key in scene.keys.items() if name != role})


def test_refuses_a_retired_key(scene: Scene) -> None:
    trust = edit_trust(scene, retire_key, key_id=scene.keys["scanner"].public.id, at=NOW - timedelta(seconds=1))
    decision = decide(scene, trust=trust)
    assert decision.result is VerdictResult.UNDECIDED
    assert "outside its validity" in reason_of(decision)


def test_refuses_a_revoked_key(scene: Scene) -> None:
    trust = edit_trust(scene, revoke, item=scene.keys["scanner"].public.id, reason="leaked")
    decision = decide(scene, trust=trust)
    assert decision.result is VerdictResult.UNDECIDED
    assert "is revoked: leaked" in reason_of(decision)


# --- subjects ---------------------------------------------------------------------------------------------------------


def test_refuses_a_statement_about_another_digest(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.bin").write_bytes(b"other weights")
    data = scene.sign(scene.records[SCAN], digest=hash_model(tmp_path / "other"))
    decision = decide(scene, files=with_file(scene, data))
    assert decision.result is VerdictResult.UNDECIDED
    assert "not about" in reason_of(decision)


def test_refuses_right_and_wrong_subject_together(scene: Scene) -> None:
    statement = statement_of(scene.records[SCAN], model=scene.digest, name="model")
    other = Subject(name="other", digest={"dirHash": "f" * 64})
    both = msgspec.structs.replace(statement, subject=(*statement.subject, other))
    decision = decide(scene, files=with_file(scene, write_bundle(both.encode(), signer=scene.keys["scanner"])))
    assert decision.result is VerdictResult.UNDECIDED
    assert "other subjects beside it" in reason_of(decision)


def test_refuses_a_subject_by_another_digest_only(scene: Scene) -> None:
    statement = statement_of(scene.records[SCAN], model=scene.digest, name="model")
    renamed = msgspec.structs.replace(statement, subject=(Subject(name="model", digest={"sha256": scene.digest.hex}),))
    decision = decide(scene, files=with_file(scene, write_bundle(renamed.encode(), signer=scene.keys["scanner"])))
    assert decision.result is VerdictResult.UNDECIDED
    assert "no model digest" in reason_of(decision)


def test_refuses_evidence_moved_to_a_tree_with_two_names_exchanged(scene: Scene) -> None:
    files = scene.files()
    verdict = verdict_of(scene)
    (scene.model / "a.bin").rename(scene.model / "x")
    (scene.model / "config.json").rename(scene.model / "a.bin")
    (scene.model / "x").rename(scene.model / "config.json")
    assert decide(scene, files=files).result is VerdictResult.UNDECIDED
    with pytest.raises(VerificationError, match="not about"):
        check_verdict(scene, verdict)


def test_refuses_a_model_changed_after_its_checks(scene: Scene) -> None:
    files = scene.files()
    (scene.model / "a.bin").write_bytes(b"weightz")
    assert decide(scene, files=files).result is VerdictResult.UNDECIDED


def test_refuses_a_predicate_of_another_type(scene: Scene) -> None:
    statement = statement_of(scene.records[SCAN], model=scene.digest, name="model")
    relabelled = Statement.about(
        scene.digest,
        name="model",
        predicate_type=statement.predicate_type,
        predicate=statement_of(scene.records[AUDIT], model=scene.digest, name="model").predicate,
    )
    decision = decide(scene, files=with_file(scene, write_bundle(relabelled.encode(), signer=scene.keys["scanner"])))
    assert decision.result is VerdictResult.UNDECIDED


def test_refuses_an_unknown_field_in_the_statement(scene: Scene) -> None:
    statement = json.loads(statement_of(scene.records[SCAN], model=scene.digest, name="model").encode())
    statement["note"] = "x"
    decision = decide(scene, files=with_file(scene, write_bundle(dumps(statement), signer=scene.keys["scanner"])))
    assert "unknown field" in reason_of(decision)


def test_refuses_duplicate_keys_in_the_statement(scene: Scene) -> None:
    payload = statement_of(scene.records[SCAN], model=scene.digest, name="model").encode()
    doubled = payload.replace(b'"_type"', b'"_type":"x","_type"', 1)
    decision = decide(scene, files=with_file(scene, write_bundle(doubled, signer=scene.keys["scanner"])))
    assert "appears twice" in reason_of(decision)


LONG = "x" * 100_000


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b["dsseEnvelope"]["signatures"][0].update(keyid=LONG),
        lambda b: b["dsseEnvelope"].update(payloadType=LONG),
        lambda b: b.update(mediaType=LONG),
        lambda b: b.update({LONG: 1}),
        lambda b: b.pop("mediaType"),
    ],
)
def test_what_a_stranger_wrote_is_hardly_quoted_in_what_we_sign(scene: Scene, change: Any) -> None:
    files = with_file(scene, edit_bundle(scene.sign(scene.records[SCAN]), change))
    decision = decide(scene, files=files)
    assert decision.result is VerdictResult.UNDECIDED
    assert "model-scan.sigstore.json" in reason_of(decision)
    assert len(verdict_of(scene, files=files)) < 20_000


def test_an_unreadable_file_is_named_with_its_reason(scene: Scene) -> None:
    files = [file for file in scene.files() if not file.name.startswith("model-scan")]
    decision = decide(scene, files=[*files, StoredFile("a.sigstore.json", b"", problem="it is a link")])
    assert decision.result is VerdictResult.UNDECIDED
    assert "it is a link" in reason_of(decision)


def test_refuses_a_record_in_the_predicate_of_another_check(scene: Scene) -> None:
    predicate = TestResult(result="PASSED", configuration=(), record=scene.records[AUDIT])
    odd = Statement.about(scene.digest, name="m", predicate_type=TEST_RESULT, predicate=predicate)
    decision = decide(scene, files=with_file(scene, write_bundle(odd.encode(), signer=scene.keys["auditor"]), AUDIT))
    assert decision.result is VerdictResult.UNDECIDED
    assert "stands in a predicate of type" in decision.rejected[0].reason


def test_statements_that_are_no_evidence_are_passed_over(scene: Scene) -> None:
    bom = Statement.about(scene.digest, name="m", predicate_type="https://cyclonedx.org/bom", predicate={})
    signed = StoredFile("bom.sigstore.json", write_bundle(bom.encode(), signer=scene.keys["auditor"]))
    decision = decide(scene, files=[*scene.files(), signed])
    assert decision.result is VerdictResult.PASSED
    assert not decision.rejected


# --- time -------------------------------------------------------------------------------------------------------------


def test_refuses_old_evidence(scene: Scene) -> None:
    scene.records[SCAN] = make_record(SCAN, finished=NOW - timedelta(days=30, seconds=1))
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "older than maxAge 30d" in reason_of(decision)


def test_refuses_evidence_from_the_future(scene: Scene) -> None:
    scene.records[SCAN] = make_record(SCAN, finished=NOW + timedelta(minutes=6))
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "in the future" in reason_of(decision)


def test_old_passing_evidence_does_not_hide_newer_failing(scene: Scene) -> None:
    bad = make_record(SCAN, finished=NOW - timedelta(minutes=5), findings=(finding(),))
    decision = decide(scene, files=[*scene.files(), StoredFile("new.sigstore.json", scene.sign(bad))])
    assert decision.result is VerdictResult.FAILED


def test_newer_passing_evidence_replaces_older_failing(scene: Scene) -> None:
    bad = make_record(SCAN, finished=NOW - timedelta(hours=2), findings=(finding(),))
    decision = decide(scene, files=[*scene.files(), StoredFile("old.sigstore.json", scene.sign(bad))])
    assert decision.result is VerdictResult.PASSED
    assert [item.file for outcome in decision.outcomes for item in outcome.evidence if outcome.check is SCAN] == [
        "model-scan.sigstore.json"
    ]


def test_of_equally_new_evidence_every_one_must_hold(scene: Scene) -> None:
    bad = make_record(SCAN, findings=(finding(),))
    for name in ("a.sigstore.json", "z.sigstore.json"):
        decision = decide(scene, files=[*scene.files(), StoredFile(name, scene.sign(bad))])
        assert decision.result is VerdictResult.FAILED


def test_refuses_expired_trust(scene: Scene) -> None:
    trust = edit_trust(scene, extend, expires=NOW - timedelta(seconds=1))
    decision = decide(scene, trust=trust)
    assert decision.result is VerdictResult.UNDECIDED
    assert "expired" in decision.problems[0].reason


def test_refuses_when_the_clock_was_set_back(scene: Scene) -> None:
    assert decide(scene, now=NOW - timedelta(days=2)).result is VerdictResult.UNDECIDED
    with pytest.raises(VerificationError, match="in the future"):
        check_verdict(scene, verdict_of(scene), now=NOW - timedelta(days=2))


def test_refuses_old_advisories(scene: Scene) -> None:
    measured = scene.records[AUDIT].measurements
    assert isinstance(measured, DependencyAuditMeasurements)
    database = msgspec.structs.replace(measured.database, built=format_instant(NOW - timedelta(days=8)))
    scene.records[AUDIT] = replace_measurement(scene.records[AUDIT], database=database)
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "older than the policy's 7d" in reason_of(decision, AUDIT)


@pytest.mark.parametrize("built", ["2026-11-27", "2099-01-01", "9999-12-30", "soon", "9999-12-31"])
def test_refuses_advisories_from_the_future_or_without_a_date(scene: Scene, built: str) -> None:
    # They would stay fresh for ever.
    measured = scene.records[AUDIT].measurements
    assert isinstance(measured, DependencyAuditMeasurements)
    database = msgspec.structs.replace(measured.database, built=built)
    scene.records[AUDIT] = replace_measurement(scene.records[AUDIT], database=database)
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "advisories" in reason_of(decision, AUDIT)


def test_advisories_of_today_are_not_from_the_future(scene: Scene) -> None:
    measured = scene.records[AUDIT].measurements
    assert isinstance(measured, DependencyAuditMeasurements)
    database = msgspec.structs.replace(measured.database, built=NOW.date().isoformat())
    scene.records[AUDIT] = replace_measurement(scene.records[AUDIT], database=database)
    assert decide(scene).result is VerdictResult.PASSED


# --- policy -----------------------------------------------------------------------------------------------------------


def test_refuses_a_revoked_policy(scene: Scene) -> None:
    verdict = verdict_of(scene)
    trust = edit_trust(scene, revoke, item=f"sha256:{scene.policy.digest}", reason="too weak")
    decision = decide(scene, trust=trust)
    assert decision.result is VerdictResult.UNDECIDED
    assert "too weak" in decision.problems[0].reason
    with pytest.raises(VerificationError, match=r"policy .* is revoked"):
        check_verdict(scene, verdict, trust=trust)


def test_refuses_a_verdict_by_an_older_policy(scene: Scene) -> None:
    verdict = verdict_of(scene)
    newer = Policy.parse(POLICY.replace("0.60", "0.70").encode(), name="policy.yaml")
    with pytest.raises(VerificationError, match="was judged by the policy"):
        check_verdict(scene, verdict, policy=newer)


def test_refuses_a_verdict_under_newer_trust_than_the_reader_has(scene: Scene) -> None:
    newer = edit_trust(scene, extend, expires=NOW + timedelta(days=100))
    verdict = verdict_of(scene, trust=newer)
    assert check_verdict(scene, verdict, trust=newer) is VerdictResult.PASSED
    with pytest.raises(VerificationError, match="outdated"):
        check_verdict(scene, verdict)


def test_refuses_missing_evidence(scene: Scene) -> None:
    for check in CheckName:
        files = [file for file in scene.files() if not file.name.startswith(check.value)]
        decision = decide(scene, files=files)
        assert decision.result is VerdictResult.UNDECIDED
        assert "there is no evidence" in reason_of(decision, check)
    assert decide(scene, files=[]).result is VerdictResult.UNDECIDED


def test_refuses_one_key_in_two_separated_roles(scene: Scene) -> None:
    scene.keys["verifier"] = scene.keys["tester"]
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "separation" in decision.problems[0].reason


def test_refuses_one_key_for_evidence_and_verdicts_without_any_separation(scene: Scene) -> None:
    scene.keys["verifier"] = scene.keys["tester"]
    scene.policy_text = "\n".join(line for line in POLICY.splitlines() if "separation" not in line)
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "both evidence and verdicts" in decision.problems[0].reason


def test_refuses_a_role_that_trust_does_not_have(scene: Scene) -> None:
    scene.policy_text = POLICY.replace("signers: [scanner]", "signers: [scanner, ghost]")
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "ghost" in decision.problems[0].reason


def test_refuses_a_separation_of_roles_that_trust_does_not_have(scene: Scene) -> None:
    scene.policy_text = POLICY.replace("[verifier]]", "[verifyer]]")
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "separation names the role verifyer" in decision.problems[0].reason


# --- findings, limits and waivers -------------------------------------------------------------------------------------


def test_a_finding_fails_and_an_undecided_place_refuses(scene: Scene) -> None:
    scene.records[SCAN] = make_record(SCAN, findings=(finding(),))
    assert decide(scene).result is VerdictResult.FAILED
    scene.records[SCAN] = make_record(SCAN, undecided=(Undecided(location="b", reason="unknown format"),))
    assert decide(scene).result is VerdictResult.UNDECIDED


ACCEPTED = "accepted: {reason: we try it out, owner: ml, expires: 2026-12-31}"
ITEM = "check: dependency-audit, id: %s, component: Jinja_2, reason: not reachable, owner: ml, expires: %s"
WAIVER = f"  waivers:\n    - {{{ITEM}}}\n"
JINJA = Component(name="jinja-2", version="3.1.2")


@pytest.mark.parametrize(
    ("identifier", "expires", "result"),
    [
        ("PYSEC-1", "2026-12-31", VerdictResult.PASSED),
        ("CVE-1", "2026-12-31", VerdictResult.PASSED),
        ("PYSEC-1", "2026-11-23", VerdictResult.FAILED),
        ("PYSEC-2", "2026-12-31", VerdictResult.FAILED),
        ("known-vulnerability", "2026-12-31", VerdictResult.FAILED),
    ],
)
def test_waiver_counts_for_its_advisory_until_it_expires(
    scene: Scene, identifier: str, expires: str, result: VerdictResult
) -> None:
    vulnerable = finding("known-vulnerability", Severity.HIGH, advisory="PYSEC-1", aliases=("CVE-1",), component=JINJA)
    scene.records[AUDIT] = make_record(AUDIT, findings=(vulnerable,))
    scene.policy_text = POLICY + WAIVER % (identifier, expires)
    decision = decide(scene)
    assert decision.result is result
    if expires == "2026-11-23":
        assert "its waiver in line" in reason_of(decision, AUDIT)
    if result is VerdictResult.PASSED:
        (outcome,) = [item for item in decision.outcomes if item.check is AUDIT]
        assert outcome.waived == (f"{identifier} in jinja-2",)
        assert decision.valid_until <= decision.policy.waivers[0].expires


def test_verdict_ends_with_the_waiver_that_lasts_longest_for_a_finding(scene: Scene) -> None:
    vulnerable = finding("known-vulnerability", Severity.HIGH, advisory="PYSEC-1", component=JINJA)
    scene.records[AUDIT] = make_record(AUDIT, findings=(vulnerable,))
    scene.policy_text = POLICY + WAIVER % ("PYSEC-1", "2026-11-23")
    line = scene.policy_text.splitlines()[-1]
    scene.policy_text += line.replace("2026-11-23", "2026-11-25") + "\n"
    decision = decide(scene)
    assert decision.result is VerdictResult.PASSED
    assert decision.valid_until == decision.policy.waivers[1].expires


@pytest.mark.parametrize(
    ("severity", "rule", "result"),
    [
        (Severity.MEDIUM, "known-vulnerability", VerdictResult.PASSED),
        (Severity.HIGH, "known-vulnerability", VerdictResult.FAILED),
        (Severity.UNKNOWN, "known-vulnerability", VerdictResult.FAILED),
        (Severity.LOW, "malware", VerdictResult.FAILED),
    ],
)
def test_audit_limits(scene: Scene, severity: Severity, rule: str, result: VerdictResult) -> None:
    scene.records[AUDIT] = make_record(AUDIT, findings=(finding(rule, severity, advisory="PYSEC-1"),))
    assert decide(scene).result is result


def test_audit_warns_where_the_policy_says_so(scene: Scene) -> None:
    malware = finding("malware", Severity.CRITICAL, advisory="MAL-1")
    unknown = finding("known-vulnerability", Severity.UNKNOWN, advisory="PYSEC-1")
    for said, found, other in (("malware", malware, unknown), ("unknownSeverity", unknown, malware)):
        scene.policy_text = POLICY.replace(f"{said}: fail", f"{said}: warn")
        if said == "malware":
            scene.policy_text = scene.policy_text.replace("signers: [auditor]", f"signers: [auditor]\n      {ACCEPTED}")
        scene.records[AUDIT] = make_record(AUDIT, findings=(found,))
        assert decide(scene).result is VerdictResult.PASSED
        scene.records[AUDIT] = make_record(AUDIT, findings=(found, other))
        assert decide(scene).result is VerdictResult.FAILED


@pytest.mark.parametrize(
    ("limit", "severity", "result"),
    [
        ("low", Severity.LOW, VerdictResult.FAILED),
        ("critical", Severity.HIGH, VerdictResult.PASSED),
        ("critical", Severity.CRITICAL, VerdictResult.FAILED),
        ("critical", Severity.UNKNOWN, VerdictResult.FAILED),
    ],
)
def test_scan_limits(scene: Scene, limit: str, severity: Severity, result: VerdictResult) -> None:
    scene.records[SCAN] = make_record(SCAN, findings=(finding(severity=severity),))
    more = f"\n      limits: {{severity: {limit}}}"
    if limit == "critical":
        more += f"\n      {ACCEPTED}"
    scene.policy_text = POLICY.replace("signers: [scanner]", "signers: [scanner]" + more)
    assert decide(scene).result is result


def test_an_audit_against_nothing_is_undecided(scene: Scene) -> None:
    measured = scene.records[AUDIT].measurements
    assert isinstance(measured, DependencyAuditMeasurements)
    database = msgspec.structs.replace(measured.database, records=0)
    scene.records[AUDIT] = replace_measurement(scene.records[AUDIT], database=database)
    assert decide(scene).result is VerdictResult.UNDECIDED


def test_nothing_at_all_is_undecided() -> None:
    assert VerdictResult.worst([]) is VerdictResult.UNDECIDED


ROBUSTNESS = CheckName.ROBUSTNESS
LEAKAGE = CheckName.LEAKAGE


def robustness_entry(scene: Scene) -> RobustnessEntry:
    measured = scene.records[ROBUSTNESS].measurements
    assert isinstance(measured, RobustnessMeasurements)
    return measured.entries[0]


def leakage_entry(scene: Scene) -> LeakageEntry:
    measured = scene.records[LEAKAGE].measurements
    assert isinstance(measured, LeakageMeasurements)
    return measured.entries[0]


def entry_changed(scene: Scene, check: CheckName, **changes: Any) -> None:
    entry = robustness_entry(scene) if check is ROBUSTNESS else leakage_entry(scene)
    changed = msgspec.structs.replace(entry, **changes)
    scene.records[check] = replace_measurement(scene.records[check], entries=(changed,))


def test_robustness_is_judged_by_the_lower_bound_and_not_by_the_share(scene: Scene) -> None:
    entry_changed(scene, ROBUSTNESS, survived=122)
    decision = decide(scene)
    assert decision.result is VerdictResult.FAILED
    assert "lower bound" in reason_of(decision, ROBUSTNESS)
    entry_changed(scene, ROBUSTNESS, survived=135)
    assert decide(scene).result is VerdictResult.PASSED


@pytest.mark.parametrize(
    "changes",
    [
        {"controls": ()},
        {"survived": 201},
        {"examples": 2**41, "correct": 2**41, "survived": 2**40},
        {"correct": 150},
        {"correct": 201},
        {"examples": 0, "survived": 0},
        {"examples": 0, "survived": 0, "correct": 0},
    ],
)
def test_robustness_without_a_sound_attack_is_undecided(scene: Scene, changes: dict[str, Any]) -> None:
    entry_changed(scene, ROBUSTNESS, **changes)
    assert decide(scene).result is VerdictResult.UNDECIDED


def test_robustness_control_that_did_not_hold_is_undecided(scene: Scene) -> None:
    entry = robustness_entry(scene)
    control = msgspec.structs.replace(entry.controls[0], held=False)
    entry_changed(scene, ROBUSTNESS, controls=(control,))
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "converged" in reason_of(decision, ROBUSTNESS)


def test_a_weaker_attack_than_the_policy_asks_for_is_undecided(scene: Scene) -> None:
    scene.records[ROBUSTNESS] = replace_measurement(scene.records[ROBUSTNESS], epsilon=0.05)
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "weaker" in reason_of(decision, ROBUSTNESS)


@pytest.mark.parametrize("check", [ROBUSTNESS, LEAKAGE])
def test_no_examined_file_is_undecided(scene: Scene, check: CheckName) -> None:
    scene.records[check] = replace_measurement(scene.records[check], entries=())
    assert decide(scene).result is VerdictResult.UNDECIDED


def test_leakage_is_judged_by_the_upper_bound(scene: Scene) -> None:
    entry = leakage_entry(scene)
    entry_changed(scene, LEAKAGE, rates=(msgspec.structs.replace(entry.rates[0], upper=0.051),))
    assert decide(scene).result is VerdictResult.FAILED


@pytest.mark.parametrize("changes", [{"fpr": 0.02}, {"confidence": 0.9}])
def test_leakage_not_measured_as_the_policy_asks_is_undecided(scene: Scene, changes: dict[str, Any]) -> None:
    entry = leakage_entry(scene)
    entry_changed(scene, LEAKAGE, rates=(msgspec.structs.replace(entry.rates[0], **changes),))
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "was not measured" in reason_of(decision, LEAKAGE)


def test_leakage_whose_bound_lies_below_what_was_measured_is_undecided(scene: Scene) -> None:
    entry = leakage_entry(scene)
    entry_changed(scene, LEAKAGE, rates=(msgspec.structs.replace(entry.rates[0], tpr=0.9),))
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "contradict" in reason_of(decision, LEAKAGE)


def test_leakage_is_judged_at_the_lowest_confidence_that_satisfies(scene: Scene) -> None:
    (rate,) = leakage_entry(scene).rates
    surer = msgspec.structs.replace(rate, confidence=0.99, upper=0.9)
    weaker = msgspec.structs.replace(rate, confidence=0.5, upper=0.9)
    entry_changed(scene, LEAKAGE, rates=(surer, weaker, rate))
    assert decide(scene).result is VerdictResult.PASSED
    entry_changed(scene, LEAKAGE, rates=(surer,))
    assert decide(scene).result is VerdictResult.FAILED


def test_training_rows_in_the_artifact_fail(scene: Scene) -> None:
    entry_changed(scene, LEAKAGE, verbatim_training_rows=1)
    assert decide(scene).result is VerdictResult.FAILED


def test_record_without_measurements_is_undecided(scene: Scene) -> None:
    for check in CheckName:
        bare = msgspec.structs.replace(make_record(check), measurements=None)
        decision = decide(scene, files=with_file(scene, scene.sign(bare), check))
        assert decision.result is VerdictResult.UNDECIDED, check


def test_record_with_measurements_of_another_check_is_undecided(scene: Scene) -> None:
    odd = msgspec.structs.replace(make_record(SCAN), measurements=make_record(LEAKAGE).measurements)
    assert decide(scene, files=with_file(scene, scene.sign(odd))).result is VerdictResult.UNDECIDED


@pytest.mark.parametrize(
    "changes",
    [
        {"files": ()},
        {"state": "undecided"},
        {"state": "refused"},
        {"sha256": "0" * 64},
        {"sha256": None},
        {"path": "b.bin"},
        {"path": "a.bin\n"},
    ],
)
def test_scan_coverage_must_be_whole(scene: Scene, changes: dict[str, Any]) -> None:
    measured = scene.records[SCAN].measurements
    assert isinstance(measured, ModelScanMeasurements)
    first, *rest = measured.files
    files = () if "files" in changes else (msgspec.structs.replace(first, **changes), *rest)
    scene.records[SCAN] = replace_measurement(scene.records[SCAN], files=files)
    assert decide(scene).result is VerdictResult.UNDECIDED


def test_a_scan_of_other_files_than_the_model_has_does_not_count(scene: Scene) -> None:
    """A model that is swapped for its scan and swapped back has the right digest before and after."""
    measured = scene.records[SCAN].measurements
    assert isinstance(measured, ModelScanMeasurements)
    harmless = msgspec.structs.replace(measured.files[0], sha256=hashlib.sha256(b"harmless").hexdigest())
    for files in ((harmless, measured.files[1]), measured.files[1:], (*measured.files, harmless)):
        scene.records[SCAN] = replace_measurement(scene.records[SCAN], files=files)
        decision = decide(scene)
        assert decision.result is VerdictResult.UNDECIDED
        assert "are not the files of the model" in reason_of(decision)


@pytest.mark.parametrize("check", list(CheckName))
@pytest.mark.parametrize("missing", ["filesystem", "network"])
def test_evidence_of_an_unconfined_worker_counts_only_where_the_policy_says_so(
    scene: Scene, check: CheckName, missing: str
) -> None:
    record = make_record(check)
    loose = msgspec.structs.replace(record.confinement, **{missing: False})
    scene.records[check] = msgspec.structs.replace(record, confinement=loose)
    decision = decide(scene)
    assert decision.result is VerdictResult.UNDECIDED
    assert "was not kept from files and network" in reason_of(decision, check)
    scene.policy_text = POLICY.replace("spec:", "spec:\n  confinement: recorded")
    assert decide(scene).result is VerdictResult.PASSED


def test_where_trust_lists_policies_no_other_counts(scene: Scene) -> None:
    verdict = verdict_of(scene)
    listed = edit_trust(scene, list_policy, name="production", digest=scene.policy.digest)
    assert decide(scene, trust=listed).result is VerdictResult.PASSED
    assert check_verdict(scene, verdict, trust=listed) is VerdictResult.PASSED
    other = edit_trust(scene, list_policy, name="production", digest="0" * 64)
    decision = decide(scene, trust=other)
    assert decision.result is VerdictResult.UNDECIDED
    assert "is not one that the trust document" in decision.problems[0].reason
    with pytest.raises(VerificationError, match="is not one that the trust document"):
        check_verdict(scene, verdict, trust=other)


def test_an_audit_of_nothing_is_undecided(scene: Scene) -> None:
    scene.records[AUDIT] = replace_measurement(scene.records[AUDIT], components=())
    assert decide(scene).result is VerdictResult.UNDECIDED


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_refuses_a_verdict_that_did_not_pass(scene: Scene) -> None:
    scene.records[SCAN] = make_record(SCAN, findings=(finding(),))
    with pytest.raises(VerificationError, match="the verdict is failed"):
        check_verdict(scene, verdict_of(scene))


def test_refuses_a_verdict_signed_by_a_check_key(scene: Scene) -> None:
    data = write_verdict(decide(scene), name="model", version="0", signer=scene.keys["scanner"])
    with pytest.raises(VerificationError, match="may not sign verdict"):
        check_verdict(scene, data)


def test_refuses_evidence_in_place_of_a_verdict(scene: Scene) -> None:
    data = scene.sign(scene.records[SCAN], role="verifier")
    with pytest.raises(VerificationError, match="is no verdict"):
        check_verdict(scene, data)


def test_refuses_an_expired_verdict_and_a_revoked_model(scene: Scene) -> None:
    data = verdict_of(scene)
    with pytest.raises(VerificationError, match="valid until"):
        check_verdict(scene, data, now=NOW + timedelta(days=7))
    trust = edit_trust(scene, revoke, item=str(scene.digest), reason="backdoor")
    with pytest.raises(VerificationError, match="backdoor"):
        check_verdict(scene, data, trust=trust)
    assert decide(scene, trust=trust).result is VerdictResult.FAILED


@pytest.mark.parametrize("role", ["auditor", "scanner", "tester", "verifier"])
def test_refuses_a_verdict_whose_key_or_evidence_key_was_revoked_since(scene: Scene, role: str) -> None:
    data = verdict_of(scene)
    trust = edit_trust(scene, revoke, item=scene.keys[role].public.id, reason="leaked")
    with pytest.raises(VerificationError, match="revoked: leaked"):
        check_verdict(scene, data, trust=trust)


def forged_verdict(scene: Scene, change: Callable[[dict[str, Any]], None]) -> bytes:
    """A verdict that the verifier's own key signed over changed content."""
    statement = json.loads(base64.b64decode(json.loads(verdict_of(scene))["dsseEnvelope"]["payload"]))
    change(statement)
    return write_bundle(json.dumps(statement).encode(), signer=scene.keys["verifier"])


def detail_of(statement: dict[str, Any]) -> dict[str, Any]:
    detail = statement["predicate"]["weighbridge.dev/verdict/v1"]
    assert isinstance(detail, dict)
    return detail


VERDICT_CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "passed in one field": (lambda s: s["predicate"].update(verificationResult="FAILED"), "contradicts itself"),
    "failed in the detail": (lambda s: detail_of(s).update(result="failed"), "contradicts itself"),
    "another resource": (lambda s: s["predicate"].update(resourceUri="dirHash:" + "0" * 64), "the verdict is for"),
    "no level": (lambda s: s["predicate"].update(verifiedLevels=[]), "contradicts itself"),
    "policy in capitals": (
        lambda s: s["predicate"]["policy"].update(digest={"sha256": "A" * 64}),
        "does not name its policy",
    ),
    "no key behind a requirement": (lambda s: detail_of(s)["requirements"][0].pop("keys"), "rests on no key"),
    "no policy": (lambda s: s["predicate"]["policy"].update(digest={"md5": "0"}), "does not name its policy"),
    "no requirement": (lambda s: detail_of(s).update(requirements=[]), "no reason given"),
    "a problem": (lambda s: detail_of(s).update(problems=["separation"]), "separation"),
    "a failed requirement": (
        lambda s: detail_of(s)["requirements"][0].update(result="undecided", reason="missing"),
        "missing",
    ),
    "from the future": (lambda s: s["predicate"].update(timeVerified="2026-11-25T00:00:00Z"), "in the future"),
    "second subject": (
        lambda s: s["subject"].append({"name": "b", "digest": {"dirHash": "0" * 64}}),
        "other subjects",
    ),
    "subject by another digest only": (
        lambda s: s["subject"].append({"name": "b", "digest": {"sha512": "0" * 128}}),
        "other subjects",
    ),
    "two images": (
        lambda s: s["subject"].extend({"name": "b", "digest": {"sha256": digit * 64}} for digit in "01"),
        "other subjects",
    ),
    "an image that is no digest": (
        lambda s: s["subject"].append({"name": "b", "digest": {"sha256": "A" * 64}}),
        "not a sha256",
    ),
    "unknown field": (lambda s: detail_of(s).update(note="trust me"), "unknown field"),
    "another statement": (lambda s: s.update(_type="https://in-toto.io/Statement/v2"), "has the type"),
}


@pytest.mark.parametrize("case", sorted(VERDICT_CHANGES))
def test_refuses_a_verdict_that_contradicts_itself(scene: Scene, case: str) -> None:
    change, words = VERDICT_CHANGES[case]
    assert check_verdict(scene, forged_verdict(scene, lambda statement: None)) is VerdictResult.PASSED
    with pytest.raises(WeighbridgeError, match=words):
        check_verdict(scene, forged_verdict(scene, change))


def test_refuses_a_verdict_under_expired_trust(scene: Scene) -> None:
    data = verdict_of(scene)
    trust = edit_trust(scene, extend, expires=NOW)
    with pytest.raises(WeighbridgeError, match="expired"):
        check_verdict(scene, data, trust=trust)


def test_verdict_ends_when_the_first_thing_it_rests_on_ends(scene: Scene) -> None:
    assert decide(scene).valid_until == NOW - timedelta(days=1) + timedelta(days=7)
    scene.records[SCAN] = make_record(SCAN, finished=NOW - timedelta(days=29))
    assert decide(scene).valid_until == NOW + timedelta(days=1)


def test_verdict_ends_with_its_policy_its_trust_and_the_keys_of_its_evidence(scene: Scene) -> None:
    soon = NOW + timedelta(hours=5)
    assert decide(scene, trust=edit_trust(scene, extend, expires=soon)).valid_until == soon
    trust = edit_trust(scene, retire_key, key_id=scene.keys["tester"].public.id, at=soon)
    assert decide(scene, trust=trust).valid_until == soon
    trust = edit_trust(scene, retire_key, key_id=scene.keys["verifier"].public.id, at=soon)
    assert decide(scene, trust=trust).valid_until > soon
    scene.policy_text = POLICY.replace("spec:\n", "spec:\n  validFor: 5h\n")
    assert decide(scene).valid_until == soon


def test_verdict_names_policy_trust_and_all_evidence(scene: Scene) -> None:
    payload = base64.b64decode(json.loads(verdict_of(scene))["dsseEnvelope"]["payload"])
    predicate = json.loads(payload)["predicate"]
    assert predicate["policy"]["digest"]["sha256"] == scene.policy.digest
    assert len(predicate["inputAttestations"]) == len(CheckName)
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["weighbridge.dev/verdict/v1"]["trust"]["sha256"] == scene.trust.digest
