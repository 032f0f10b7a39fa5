"""The controller on a real cluster: what it releases, what it holds, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.admission_cluster.office import (
    APP,
    Controller,
    Object,
    Office,
    condition,
    events,
    gates,
    pod,
    reference,
    until,
)
from tests.cluster.cluster import Cluster
from tests.cluster.install import GATE
from weighbridge.clock import system_clock
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey

pytestmark = pytest.mark.cluster
GOOD = "1" * 64


def held_with(cluster: Cluster, name: str, reason: str) -> Object:
    """Wait for an Event with this reason about a pod that is held."""
    event = until(reason, lambda: [each for each in events(cluster, name) if each["reason"] == reason])[0]
    until("the condition", lambda: condition(cluster, name).get("status") == "False")
    assert gates(cluster, name) == [GATE]
    return dict(event)


def test_releases_a_verified_pod_and_says_by_which_verdict(office: Office, controller: Controller) -> None:
    office.publish(GOOD)
    office.cluster.apply(pod("good", GOOD))
    until("the release", lambda: not gates(office.cluster, "good"))
    until("the condition", lambda: condition(office.cluster, "good").get("status") == "True")
    (event,) = until("the event", lambda: events(office.cluster, "good"))
    assert (event["reason"], event["type"]) == ("Verified", "Normal")
    assert "has the verdict sha256-" in event["note"]
    assert "by verifier" in event["note"]


def test_releases_a_pod_as_soon_as_its_verdict_comes(office: Office, controller: Controller) -> None:
    image = "2" * 64
    office.cluster.apply(pod("early", image))
    event = held_with(office.cluster, "early", "NoVerdict")
    assert "Next step: have the model judged" in event["note"]
    office.publish(image)
    until("the release", lambda: not gates(office.cluster, "early"))


def other_signer(office: Office, image: str) -> Object:
    return office.verdict(image, key=PrivateKey.generate(KeyAlgorithm.ED25519))


def wrong_role(office: Office, image: str) -> Object:
    return office.verdict(image, key=office.scene.keys["scanner"])


def expired(office: Office, image: str) -> Object:
    return office.verdict(image, now=system_clock() - timedelta(days=8))


def forged(office: Office, image: str) -> Object:
    verdict = office.verdict("f" * 64)
    verdict["spec"]["bundle"] = verdict["spec"]["bundle"].replace("MEUC", "AAAA")
    return verdict


@pytest.mark.parametrize(
    ("make", "image", "reason"),
    [
        (other_signer, "3" * 64, "SignerNotTrusted"),
        (wrong_role, "4" * 64, "SignerNotTrusted"),
        (expired, "5" * 64, "VerdictExpired"),
        (forged, "6" * 64, "NoVerdict"),
    ],
    ids=["other-signer", "wrong-role", "expired", "moved"],
)
def test_holds_a_pod_whose_verdict_does_not_count(
    office: Office, controller: Controller, make: Callable[[Office, str], Object], image: str, reason: str
) -> None:
    office.cluster.apply(make(office, image))
    office.cluster.apply(pod(f"bad-{image[:4]}", image))
    held_with(office.cluster, f"bad-{image[:4]}", reason)


def test_holds_a_pod_that_names_its_model_by_tag(office: Office, controller: Controller) -> None:
    office.cluster.apply(pod("tagged", reference(GOOD).partition("@")[0] + ":latest"))
    assert "NAME@sha256:DIGEST" in held_with(office.cluster, "tagged", "ModelNotPinned")["note"]


def test_holds_a_pod_with_one_unverified_model_beside_a_verified_one(office: Office, controller: Controller) -> None:
    office.publish(GOOD)
    office.cluster.apply(pod("mixed", GOOD, "7" * 64))
    held_with(office.cluster, "mixed", "NoVerdict")


def test_is_never_shown_a_pod_without_accelerator(office: Office, controller: Controller) -> None:
    seen = controller.metric("weighbridge_pods_seen_total")
    office.cluster.apply(pod("blind", containers=[{"name": "c", "image": APP}], volumes=[]))
    office.cluster.apply(pod("sighted", "8" * 64))
    until("the decision", lambda: events(office.cluster, "sighted"))
    assert controller.metric("weighbridge_pods_seen_total") == seen + 1


def test_revocation_holds_new_pods_and_reports_running_ones(office: Office, controller: Controller) -> None:
    office.publish(GOOD)
    office.cluster.apply(pod("running", GOOD))
    until("the release", lambda: condition(office.cluster, "running").get("status") == "True")
    before = controller.metric("weighbridge_pods_revoked_total")
    office.revoke_model()
    try:
        until("the report", lambda: condition(office.cluster, "running").get("reason") == "Revoked", seconds=5)
        assert controller.metric("weighbridge_pods_revoked_total") > before
        assert controller.metric("weighbridge_pods_unverified") >= 1
        office.cluster.apply(pod("late", GOOD))
        assert "found to be stolen" in held_with(office.cluster, "late", "Revoked")["note"]
    finally:
        office.restore()
    until("the release", lambda: not gates(office.cluster, "late"))
    until("the report", lambda: condition(office.cluster, "running").get("status") == "True")


def test_second_trust_document_holds_everything(office: Office, controller: Controller) -> None:
    office.publish(GOOD)
    second = office.trust()
    second["metadata"] = {"name": "second"}
    office.cluster.apply(second)
    try:
        office.cluster.apply(pod("doubtful", GOOD))
        assert "exactly one ModelTrust" in held_with(office.cluster, "doubtful", "NoTrust")["note"]
    finally:
        office.cluster.kubectl("delete", "modeltrust", "second")
    until("the release", lambda: not gates(office.cluster, "doubtful"))


def test_says_of_each_document_whether_it_counts(office: Office, controller: Controller) -> None:
    office.publish(GOOD)
    broken = {
        "apiVersion": "weighbridge.dev/v1alpha1",
        "kind": "ModelPolicy",
        "metadata": {"name": "broken"},
        "spec": {"namespaces": ["elsewhere"], "requirements": [{"check": "model-scan", "signers": ["s"], "limit": {}}]},
    }
    office.cluster.apply(broken, office.verdict("9" * 64, now=system_clock() - timedelta(days=8)))
    try:
        standing = until("the status", lambda: accepted(office.cluster, "modelpolicy", "broken"))
        assert (standing["status"], standing["reason"]) == ("False", "Unreadable")
        assert "limit" in standing["message"]
        assert accepted(office.cluster, "modelpolicy", "production")["status"] == "True"
        assert accepted(office.cluster, "modeltrust", "production")["status"] == "True"
    finally:
        office.cluster.kubectl("delete", "modelpolicy", "broken")

    def columns() -> list[str]:
        return office.cluster.kubectl("get", "modelverdicts", "--no-headers").stdout.splitlines()

    until("the statuses", lambda: any(" False " in line and "dirHash:" in line for line in columns()))
    assert any(" True " in line and " verifier " in line for line in columns())


def accepted(cluster: Cluster, kind: str, name: str) -> Object:
    found: Any = cluster.get(kind, name).get("status", {})
    return next((c for c in found.get("conditions", []) if c["type"] == "Accepted"), {})


def test_policy_that_only_audits_releases_and_reports(office: Office, controller: Controller) -> None:
    policy = {
        "apiVersion": "weighbridge.dev/v1alpha1",
        "kind": "ModelPolicy",
        "metadata": {"name": "lenient"},
        "spec": {
            "namespaces": ["default"],
            "mode": "audit",
            "requirements": [{"check": "model-scan", "signers": ["scanner"]}],
        },
    }
    office.cluster.apply(policy)
    try:
        office.cluster.apply(pod("audited", "b" * 64))
        until("the release", lambda: not gates(office.cluster, "audited"))
        (event,) = until("the report", lambda: events(office.cluster, "audited"))
        assert event["note"].startswith("not held, since the policy's mode is audit")
        assert condition(office.cluster, "audited")["status"] == "False"
    finally:
        office.cluster.kubectl("delete", "modelpolicy", "lenient")
