from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.admission.builders import (
    APP,
    GPU,
    MANIFEST,
    MODEL,
    OTHER,
    TOOL,
    Cluster,
    Verdicts,
    codes,
    container,
    good_cluster,
    pod,
    policy,
    volume,
    workload,
)
from tests.builders import NOW, make_record, trust_bytes
from weighbridge.admission.decision import Outcome, decide
from weighbridge.admission.pods import Pod
from weighbridge.admission.policies import PolicySet
from weighbridge.admission.verdicts import VerdictIndex
from weighbridge.evidence.bundle import write_bundle
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import InputRole
from weighbridge.evidence.predicates import statement_of
from weighbridge.evidence.record import CheckName
from weighbridge.gate.decision import Bond, VerdictResult
from weighbridge.gate.summary import InputSummary
from weighbridge.model.digest import Digest, ManifestDigest
from weighbridge.trust import Trust
from weighbridge.trust.edit import dump, list_policy, parse_document, retire_key, revoke

ANOTHER = Digest("9" * 64)


def with_trust(cluster: Cluster, change: Any, **arguments: Any) -> None:
    document = parse_document(trust_bytes(cluster.signed.keys), name="trust.yaml")
    cluster.trust = Trust.parse(dump(change(document, **arguments)), name="trust.yaml")


def only_reason(cluster: Cluster, manifest: dict[str, Any] | None = None) -> tuple[str, str]:
    decision = cluster.decide(manifest or pod())
    assert decision.outcome is Outcome.HOLD
    (reason,) = decision.reasons
    assert reason.remedy
    return reason.code.value, reason.message


def test_admits_a_pod_whose_model_has_a_verdict_that_holds(cluster: Cluster) -> None:
    decision = cluster.decide(pod())
    assert decision.outcome is Outcome.ADMIT
    assert decision.reasons == ()
    assert (decision.policy, decision.mode) == ("production", "enforce")
    (model,) = decision.models
    assert model.reason is None
    assert model.stored == "good"
    assert model.verdict is not None
    assert model.verdict.signer == "verifier"


def test_admits_where_the_accelerator_is_in_an_init_container_only(cluster: Cluster) -> None:
    manifest = pod(containers=[container()], initContainers=[container(**GPU)])
    assert cluster.decide(manifest).outcome is Outcome.ADMIT
    cluster.bundles.clear()
    assert only_reason(cluster, manifest)[0] == "no-verdict"


# What a verdict must be.


def test_holds_without_any_verdict(cluster: Cluster) -> None:
    cluster.bundles.clear()
    code, message = only_reason(cluster)
    assert code == "no-verdict"
    assert MANIFEST in message


def test_holds_when_the_verdict_is_of_another_image(cluster: Cluster) -> None:
    assert only_reason(cluster, pod(volumes=[volume(OTHER)]))[0] == "no-verdict"


def test_holds_when_the_verdict_was_stripped_of_the_image(cluster: Cluster) -> None:
    cluster.bundles = {"bare": cluster.signed.sign(manifests=())}
    assert only_reason(cluster)[0] == "no-verdict"


def test_holds_when_the_verdict_names_several_images(cluster: Cluster) -> None:
    cluster.bundles = {"two": cluster.signed.sign(manifests=(MANIFEST, OTHER))}
    code, message = only_reason(cluster)
    assert code == "no-verdict"
    assert "and 1 cannot be read" in message


@pytest.mark.parametrize("role", ["scanner", "tester", "auditor"])
def test_holds_when_a_key_of_another_role_signed(cluster: Cluster, role: str) -> None:
    cluster.bundles = {"forged": cluster.signed.sign(role=role)}
    code, message = only_reason(cluster)
    assert code == "signer-not-trusted"
    assert f"role {role}" in message


def test_holds_when_a_key_that_nobody_knows_signed(cluster: Cluster) -> None:
    keys = {**cluster.signed.keys, "verifier": PrivateKey.generate(KeyAlgorithm.ED25519)}
    cluster.bundles = {"forged": Verdicts(keys=keys).sign()}
    assert only_reason(cluster)[0] == "signer-not-trusted"


def test_holds_when_a_byte_of_the_verdict_was_changed(cluster: Cluster) -> None:
    failed = cluster.signed.sign(result=VerdictResult.FAILED)
    passed = cluster.signed.sign()
    signature = failed.partition(b'"sig":"')[2].partition(b'"')[0]
    own = passed.partition(b'"sig":"')[2].partition(b'"')[0]
    cluster.bundles = {"mixed": passed.replace(own, signature)}
    assert only_reason(cluster)[0] == "signer-not-trusted"


def test_a_forged_verdict_hides_no_good_one(cluster: Cluster) -> None:
    cluster.bundles["forged"] = cluster.signed.sign(role="scanner", time=NOW, result=VerdictResult.FAILED)
    assert cluster.decide(pod()).outcome is Outcome.ADMIT


@pytest.mark.parametrize("name", ["a", "z"])
def test_the_newest_verdict_counts(cluster: Cluster, name: str) -> None:
    cluster.bundles[name] = cluster.signed.sign(result=VerdictResult.FAILED, time=NOW - timedelta(minutes=1))
    code, message = only_reason(cluster)
    assert code == "verdict-failed"
    assert "the scan found a thing" in message
    cluster.bundles["newer"] = cluster.signed.sign(time=NOW)
    assert cluster.decide(pod()).outcome is Outcome.ADMIT


@pytest.mark.parametrize("result", [VerdictResult.FAILED, VerdictResult.UNDECIDED])
def test_holds_when_the_model_did_not_pass(cluster: Cluster, result: VerdictResult) -> None:
    cluster.bundles = {"bad": cluster.signed.sign(result=result)}
    assert only_reason(cluster)[0] == "verdict-failed"


def test_holds_when_the_verdict_has_expired(cluster: Cluster) -> None:
    cluster.now = NOW + timedelta(days=8)
    code, message = only_reason(cluster)
    assert code == "verdict-expired"
    assert "2026-12-01" in message


def test_holds_when_the_verdict_comes_from_the_future(cluster: Cluster) -> None:
    cluster.now = NOW - timedelta(days=1)
    assert only_reason(cluster)[0] == "verdict-expired"


def test_holds_when_the_trust_document_has_expired(cluster: Cluster) -> None:
    cluster.trust = Trust.parse(trust_bytes(cluster.signed.keys, expires=NOW), name="trust.yaml")
    assert cluster.decide(pod()).outcome is Outcome.ADMIT
    cluster.now = NOW + timedelta(seconds=1)
    assert only_reason(cluster)[0] == "trust-expired"


def test_holds_when_the_trust_document_is_older_than_the_verdict(cluster: Cluster) -> None:
    cluster.bundles = {"newer": cluster.signed.sign(trust_version=2)}
    assert only_reason(cluster)[0] == "trust-outdated"


def test_holds_when_the_model_is_revoked(cluster: Cluster) -> None:
    with_trust(cluster, revoke, item=str(MODEL), reason="it talks")
    code, message = only_reason(cluster)
    assert code == "revoked"
    assert "it talks" in message


def test_holds_when_the_policy_is_revoked(cluster: Cluster) -> None:
    with_trust(cluster, revoke, item=f"sha256:{policy().digest}", reason="too weak")
    assert only_reason(cluster)[0] == "revoked"


def test_holds_when_the_key_behind_the_evidence_is_revoked(cluster: Cluster) -> None:
    with_trust(cluster, revoke, item=cluster.signed.keys["scanner"].public.id, reason="leaked")
    assert only_reason(cluster)[0] == "revoked"


def test_holds_when_the_key_of_the_verifier_is_revoked(cluster: Cluster) -> None:
    with_trust(cluster, revoke, item=cluster.signed.keys["verifier"].public.id, reason="leaked")
    code, message = only_reason(cluster)
    assert code == "signer-not-trusted"
    assert "leaked" in message


def test_holds_when_the_key_of_the_verifier_is_retired(cluster: Cluster) -> None:
    with_trust(cluster, retire_key, key_id=cluster.signed.keys["verifier"].public.id, at=NOW - timedelta(hours=2))
    assert only_reason(cluster)[0] == "signer-not-trusted"


def test_holds_when_trust_lists_policies_and_not_this_one(cluster: Cluster) -> None:
    with_trust(cluster, list_policy, name="production", digest="1" * 64)
    assert only_reason(cluster)[0] == "policy-not-listed"
    with_trust(cluster, list_policy, name="production", digest=policy().digest)
    assert cluster.decide(pod()).outcome is Outcome.ADMIT


def test_holds_when_the_verdict_is_by_the_policy_of_another_namespace(cluster: Cluster) -> None:
    cluster.bundles = {"lax": cluster.signed.sign(policy_name="lax")}
    code, message = only_reason(cluster)
    assert code == "other-policy"
    assert "lax" in message
    assert "production" in message


def test_holds_when_the_verdict_is_by_another_policy_of_the_same_name(cluster: Cluster) -> None:
    # Whoever can have models judged writes a policy of that name which asks for next to nothing.
    cluster.bundles = {"lax": cluster.signed.sign(policy_digest="f" * 64)}
    code, message = only_reason(cluster)
    assert code == "other-policy"
    assert "f" * 64 in message
    with_trust(cluster, list_policy, name="production", digest="f" * 64)
    assert cluster.decide(pod()).outcome is Outcome.ADMIT


def test_holds_when_the_verdict_was_made_under_another_trust_document(cluster: Cluster) -> None:
    cluster.bundles = {"foreign": cluster.signed.sign(trust_name="somebody-elses")}
    assert only_reason(cluster)[0] == "other-trust"


def test_holds_when_the_key_behind_the_evidence_is_retired_or_gone(cluster: Cluster) -> None:
    scanner = cluster.signed.keys["scanner"].public.id
    with_trust(cluster, retire_key, key_id=scanner, at=NOW + timedelta(days=1))
    assert cluster.decide(pod()).outcome is Outcome.ADMIT
    cluster.now = NOW + timedelta(days=2)
    assert only_reason(cluster)[0] == "revoked"


@pytest.mark.parametrize("mode", ["enforce", "warn", "audit"])
def test_a_verdict_on_inputs_that_nothing_binds_releases_no_pod_where_a_policy_enforces(
    cluster: Cluster, mode: str
) -> None:
    lock = InputSummary(role=InputRole.LOCK, name="uv.lock", sha256="0" * 64, bond=Bond.UNBOUND)
    cluster.bundles = {"weak": cluster.signed.sign(inputs=(lock,))}
    cluster.policies = (policy(more=f"  default: true\n  mode: {mode}\n"),)
    if mode == "enforce":
        code, message = only_reason(cluster)
        assert code == "inputs-unbound"
        assert "lock unbound" in message
    else:
        assert cluster.decide(pod()).outcome is Outcome.ADMIT


def test_holds_when_the_key_behind_an_input_is_not_trusted_for_it(cluster: Cluster) -> None:
    key = cluster.signed.keys["tester"].public.id
    data = InputSummary(role=InputRole.TEST, name="t", sha256="0" * 64, bond=Bond.SIGNED, by="curator", key=key)
    cluster.bundles = {"good": cluster.signed.sign(inputs=(data,))}
    code, message = only_reason(cluster)
    assert code == "revoked"
    assert "may not sign input:test" in message


def test_every_model_is_judged(cluster: Cluster) -> None:
    manifest = pod(volumes=[volume(), volume(OTHER, name="adapter")])
    code, message = only_reason(cluster, manifest)
    assert code == "no-verdict"
    assert "'adapter'" in message
    cluster.bundles["adapter"] = cluster.signed.sign(manifests=(OTHER,), model=ANOTHER)
    assert cluster.decide(manifest).outcome is Outcome.ADMIT


def test_a_volume_that_no_container_mounts_is_judged_too(cluster: Cluster) -> None:
    # An ephemeral container can mount it later.
    assert only_reason(cluster, pod(volumes=[volume(), volume(OTHER, name="spare")]))[0] == "no-verdict"


# What a pod must be.


@pytest.mark.parametrize(
    "reference",
    [
        "registry.example/model:v1",
        "registry.example/model",
        "",
        f"registry.example/model@sha256:{'B' * 64}",
        f"registry.example/model@sha256:{'b' * 63}",
        f"registry.example/model@sha512:{'b' * 128}",
        f"@sha256:{MANIFEST}",
        f"a@sha256:{OTHER}@sha256:{MANIFEST}",
        f"registry.example/model@sha256:{MANIFEST}\n",
    ],
)
def test_holds_a_model_that_is_not_named_by_digest(cluster: Cluster, reference: str) -> None:
    manifest = pod(volumes=[{"name": "model", "image": {"reference": reference}}])
    code, message = only_reason(cluster, manifest)
    assert code == "model-not-pinned"
    assert "'model'" in message


@pytest.mark.parametrize("source", [{}, None, "text", {"pullPolicy": "Always"}, {"reference": 7}])
def test_holds_an_image_volume_without_a_reference(cluster: Cluster, source: object) -> None:
    decision = cluster.decide(pod(volumes=[{"name": "model", "image": source}]))
    assert decision.outcome is Outcome.HOLD


@pytest.mark.parametrize("where", ["containers", "initContainers"])
@pytest.mark.parametrize("image", ["app:v1", "app", "", "app@sha256:short"])
def test_holds_a_container_whose_image_is_not_named_by_digest(cluster: Cluster, where: str, image: str) -> None:
    manifest = pod(containers=[container(**GPU)])
    manifest["spec"].setdefault(where, []).append(container(name="other", image=image))
    code, message = only_reason(cluster, manifest)
    assert code == "image-not-pinned"
    assert "'other'" in message


def test_a_tag_beside_the_digest_is_no_harm(cluster: Cluster) -> None:
    image = APP.replace("@", ":v1@")
    assert cluster.decide(pod(containers=[container(image=image, **GPU)])).outcome is Outcome.ADMIT


def test_holds_a_container_that_was_added_later(cluster: Cluster) -> None:
    assert only_reason(cluster, pod(ephemeralContainers=[container(name="debug")]))[0] == "ephemeral-container"


@pytest.mark.parametrize(
    "source",
    [
        {"persistentVolumeClaim": {"claimName": "c"}},
        {"nfs": {"server": "s", "path": "/"}},
        {"csi": {"driver": "d"}},
        {"ephemeral": {"volumeClaimTemplate": {}}},
        {"hostPath": {"path": "/data"}},
        {"gitRepo": {"repository": "r"}},
        {"tomorrow": {}},
        {"emptyDir": {}, "tomorrow": {}},
    ],
)
def test_holds_a_volume_that_nothing_binds(cluster: Cluster, source: dict[str, Any]) -> None:
    code, message = only_reason(cluster, pod(volumes=[volume(), {"name": "data", **source}]))
    assert code == "unbound-volume"
    assert "'data'" in message


@pytest.mark.parametrize("source", ["emptyDir", "configMap", "secret", "downwardAPI", "projected"])
def test_admits_volumes_of_the_cluster_itself(cluster: Cluster, source: str) -> None:
    assert cluster.decide(pod(volumes=[volume(), {"name": "v", source: {}}])).outcome is Outcome.ADMIT


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"hostPID": True}, ["host-access"]),
        ({"containers": [container(securityContext={"privileged": True}, **GPU)]}, ["host-access"]),
        ({"containers": [container(securityContext={"capabilities": {"add": ["SYS_ADMIN"]}})]}, ["host-access"]),
        ({"volumes": [volume(), {"name": "d", "hostPath": {"path": "/dev"}}]}, ["host-access", "unbound-volume"]),
        ({"nodeName": "gpu-1"}, ["node-name"]),
        ({"initContainers": [container()] * 65}, ["too-many-containers"]),
    ],
)
def test_a_verified_model_excuses_no_way_past_it(cluster: Cluster, spec: dict[str, Any], expected: list[str]) -> None:
    decision = cluster.decide(pod(**spec))
    assert decision.outcome is Outcome.HOLD
    assert codes(decision) == expected


def test_a_pod_that_the_scheduler_placed_is_not_held_for_its_node(cluster: Cluster) -> None:
    status = {"conditions": [{"type": "PodScheduled", "status": "True"}]}
    assert cluster.decide({**pod(nodeName="gpu-1"), "status": status}).outcome is Outcome.ADMIT


@pytest.mark.parametrize(
    "metadata",
    [
        {"annotations": {"weighbridge.dev/verified": "true", "weighbridge.dev/model": "sha256:" + MANIFEST}},
        {"labels": {"weighbridge.dev/verified": "true"}},
        {"namespace": "elsewhere"},
    ],
)
def test_believes_nothing_that_a_pod_says_about_itself(metadata: dict[str, Any]) -> None:
    cluster = good_cluster(bundles={})
    cluster.policies = (policy(), policy(name="lax", more="  mode: audit\n  namespaces: [elsewhere]\n"))
    manifest = {**pod(), "metadata": {"name": "p", **metadata}}
    decision = cluster.decide(manifest)
    assert codes(decision) == ["no-verdict"]
    assert decision.policy == "production"


def test_the_reasons_are_all_there_at_once(cluster: Cluster) -> None:
    manifest = pod(containers=[container(image="app", **GPU)], volumes=[volume(OTHER), {"name": "p", "nfs": {}}])
    assert codes(cluster.decide(manifest)) == ["image-not-pinned", "unbound-volume", "no-verdict"]


# Pods without a model.

TRAINING = pod(volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}])


def test_holds_a_pod_without_a_model(cluster: Cluster) -> None:
    code, message = only_reason(cluster, pod(volumes=[]))
    assert code == "no-model"
    assert "spec.containers[0].resources.limits['nvidia.com/gpu']" in message


def test_admits_a_workload_that_the_policy_lists(cluster: Cluster) -> None:
    cluster.policies = (policy(more=workload()),)
    decision = cluster.decide(TRAINING)
    assert decision.outcome is Outcome.ADMIT
    assert decision.workload is not None
    assert (decision.workload.purpose, decision.workload.owner) == ("training", "us")


def test_a_workload_is_bound_to_its_namespace(cluster: Cluster) -> None:
    cluster.policies = (policy(more=workload(namespace="elsewhere")),)
    assert codes(cluster.decide(TRAINING)) == ["unbound-volume", "no-model"]


def test_a_workload_is_bound_to_its_images(cluster: Cluster) -> None:
    cluster.policies = (policy(more=workload(image=TOOL)),)
    assert codes(cluster.decide(TRAINING)) == ["unbound-volume", "no-model"]


@pytest.mark.parametrize("where", ["initContainers", "ephemeralContainers", "containers"])
@pytest.mark.parametrize("image", [TOOL, "app:v1"])
def test_a_workload_covers_a_pod_only_with_all_its_containers(cluster: Cluster, where: str, image: str) -> None:
    cluster.policies = (policy(more=workload()),)
    manifest = pod(volumes=[])
    manifest["spec"].setdefault(where, []).append(container(image=image))
    assert "no-model" in codes(cluster.decide(manifest))


def test_a_workload_ends_with_its_date(cluster: Cluster) -> None:
    cluster.policies = (policy(more=workload(expires="2026-11-23")),)
    code, message = only_reason(cluster, pod(volumes=[]))
    assert code == "workload-expired"
    assert "2026-11-23T23:59:59Z" in message


def test_a_workload_does_not_excuse_a_model_without_a_verdict(cluster: Cluster) -> None:
    cluster.policies = (policy(more=workload()),)
    assert only_reason(cluster, pod(volumes=[volume(OTHER)]))[0] == "no-verdict"


@pytest.mark.parametrize(("purpose", "expected"), [("training", ["host-access"]), ("system", [])])
def test_only_a_part_of_the_system_may_reach_the_node(cluster: Cluster, purpose: str, expected: list[str]) -> None:
    cluster.policies = (policy(more=workload(purpose=purpose)),)
    manifest = pod(containers=[container(securityContext={"privileged": True})], volumes=[])
    assert codes(cluster.decide(manifest)) == expected


def test_not_even_a_part_of_the_system_may_choose_its_node(cluster: Cluster) -> None:
    cluster.policies = (policy(more=workload(purpose="system")),)
    assert codes(cluster.decide(pod(volumes=[], nodeName="gpu-1"))) == ["node-name"]


# Which policy holds.


def test_the_policy_that_names_the_namespace_comes_before_the_default(cluster: Cluster) -> None:
    cluster.policies = (policy(), policy(name="lax", more="  mode: warn\n  namespaces: [team]\n"))
    decision = cluster.decide(pod())
    assert (decision.policy, decision.mode) == ("lax", "warn")
    assert codes(decision) == ["other-policy"]
    assert cluster.decide(pod(), namespace="other").policy == "production"


def test_a_mode_does_not_change_the_outcome(cluster: Cluster) -> None:
    cluster.policies = (policy(more="  default: true\n  mode: audit\n"),)
    decision = cluster.decide(pod(volumes=[]))
    assert (decision.outcome, decision.mode) == (Outcome.HOLD, "audit")


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ((), "no policy names the namespace team"),
        ((policy(more=""),), "none is the default"),
        ((policy(), policy(name="b")), "policies b and production both are the default"),
        (
            tuple(policy(name=name, more="  namespaces: [team]\n") for name in ("a", "b")),
            "policies a and b both name the namespace team",
        ),
        (
            (*(policy(name=name, more="  namespaces: [team]\n") for name in ("a", "b", "c")), policy()),
            "policies a and b and c all name the namespace team",
        ),
    ],
)
def test_holds_where_it_is_not_clear_which_policy_holds(
    cluster: Cluster, policies: tuple[Any, ...], expected: str
) -> None:
    cluster.policies = policies
    code, message = only_reason(cluster)
    assert code == "no-policy"
    assert expected in message
    assert cluster.decide(pod()).mode == "enforce"


def test_without_a_policy_a_pod_without_accelerator_is_still_none_of_our_business(cluster: Cluster) -> None:
    cluster.policies = ()
    assert cluster.decide(pod(containers=[container()])).outcome is Outcome.NOT_HELD


def test_an_unreadable_policy_may_be_the_one_that_is_meant(cluster: Cluster) -> None:
    named = policy(name="named", more="  namespaces: [named]\n")
    policies = PolicySet.of([policy(), named], unreadable=["broken"])

    def codes_in(namespace: str) -> list[str]:
        return codes(
            decide(
                Pod.parse(pod()),
                namespace=namespace,
                policies=policies,
                trust=cluster.signed.trust,
                verdicts=VerdictIndex.of([("v", cluster.signed.sign(policy_name="named"))]),
                now=NOW,
            )
        )

    assert codes_in("team") == ["no-policy"]
    assert codes_in("named") == []


def test_evidence_of_a_check_is_no_verdict(cluster: Cluster) -> None:
    # It names the image too, and a role of the trust document signed it.
    keys = cluster.signed.keys
    record = make_record(CheckName.MODEL_SCAN)
    statement = statement_of(record, model=MODEL, name="model", manifest=ManifestDigest(MANIFEST))
    for role in ("scanner", "verifier"):
        cluster.bundles = {"evidence": write_bundle(statement.encode(), signer=keys[role])}
        assert only_reason(cluster)[0] == "signer-not-trusted"


@pytest.mark.parametrize("count", [1, 3])
def test_the_order_of_verdicts_does_not_matter(cluster: Cluster, count: int) -> None:
    for number in range(count):
        result = VerdictResult.FAILED if number == 1 else VerdictResult.PASSED
        cluster.bundles[f"v{number}"] = cluster.signed.sign(result=result)
    forwards = cluster.decide(pod())
    cluster.bundles = dict(reversed(cluster.bundles.items()))
    assert cluster.decide(pod()) == forwards
