"""What the API server itself refuses, to a cluster-admin too, while no controller runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.admission_cluster.office import APP, Controller, gates, pod, until
from tests.cluster.cluster import Cluster
from tests.cluster.install import GATE

pytestmark = pytest.mark.cluster
LABEL = "weighbridge.dev/accelerator"
IMAGE = "a" * 64


def refused(cluster: Cluster, *arguments: str, stdin: str | None = None) -> str:
    done = cluster.kubectl(*arguments, stdin=stdin, check=False)
    assert done.returncode, f"kubectl {' '.join(arguments)} was not refused: {done.stdout}"
    return done.stderr


def patch(path: str, value: object, op: str = "add") -> list[str]:
    return ["--type=json", "-p", json.dumps([{"op": op, "path": path, "value": value}])]


@pytest.fixture(scope="module")
def held(enforced: Cluster) -> str:
    enforced.apply(pod("held", IMAGE))
    return "held"


def test_server_finds_no_fault_in_the_expressions(enforced: Cluster) -> None:
    def checked() -> list[Any]:
        items: Any = enforced.get("validatingadmissionpolicies")["items"]
        ours = [item for item in items if item["metadata"]["name"].startswith("weighbridge-")]
        done = all(
            item.get("status", {}).get("observedGeneration") == item["metadata"]["generation"]
            and "typeChecking" in item["status"]
            for item in ours
        )
        return ours if len(ours) == 2 and done else []

    for policy in until("the type check", checked):
        assert policy["status"]["typeChecking"] == {}, policy["metadata"]["name"]


def test_pod_with_an_accelerator_gets_gate_and_label(enforced: Cluster, held: str) -> None:
    assert gates(enforced, held) == [GATE]
    metadata: Any = enforced.get("pod", held)["metadata"]
    assert metadata["labels"] == {LABEL: "true"}


def test_pod_without_an_accelerator_is_left_alone(enforced: Cluster) -> None:
    enforced.apply(pod("plain", containers=[{"name": "c", "image": APP}], volumes=[], nodeSelector={}))
    assert gates(enforced, "plain") == []
    found: Any = enforced.get("pod", "plain")
    assert "labels" not in found["metadata"]
    until("the scheduler", lambda: enforced.get("pod", "plain")["spec"].get("nodeName"))  # type: ignore[attr-defined]
    refusal = refused(enforced, "annotate", "pod", "plain", "cdi.k8s.io/gpu=nvidia.com/gpu=0")
    assert "decided only when a pod is created" in refusal
    enforced.kubectl("set", "image", "pod/plain", f"c={APP[:-1]}1")


def test_gate_that_a_person_wrote_is_the_same_gate(enforced: Cluster) -> None:
    written = pod("written", IMAGE, schedulingGates=[{"name": GATE}, {"name": "example.com/other"}])
    enforced.apply(written)
    assert sorted(gates(enforced, "written")) == ["example.com/other", GATE]
    assert "removed by the controller alone" in refused(
        enforced, "patch", "pod", "written", *patch("/spec/schedulingGates", [{"name": "example.com/other"}], "replace")
    )


def test_refuses_a_node_name(enforced: Cluster) -> None:
    stdin = json.dumps(pod("placed", IMAGE, nodeName="gpu-1"))
    assert "nodeSelector or affinity" in refused(enforced, "create", "-f", "-", stdin=stdin)


def test_refuses_to_bind_a_held_pod(enforced: Cluster, held: str) -> None:
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": held},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "gpu-1"},
    }
    path = f"/api/v1/namespaces/default/pods/{held}/binding"
    assert "schedulingGates" in refused(enforced, "create", "--raw", path, "-f", "-", stdin=json.dumps(binding))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(
            ["--type=json", "-p", '[{"op":"remove","path":"/spec/schedulingGates"}]'], "controller alone", id="gate"
        ),
        pytest.param(patch("/spec/containers/0/image", APP[:-1] + "1", "replace"), "images", id="image"),
        pytest.param(patch("/spec/tolerations/-", {"operator": "Exists"}), "while it is held", id="toleration"),
        pytest.param(patch("/spec/nodeSelector/more", "x"), "while it is held", id="node-selector"),
        pytest.param(patch("/metadata/labels", {}, "replace"), "keep its label", id="label"),
    ],
)
def test_refuses_a_change_of_a_held_pod(enforced: Cluster, held: str, change: list[str], words: str) -> None:
    assert words in refused(enforced, "patch", "pod", held, *change)


def test_refuses_a_container_that_is_added_to_debug(enforced: Cluster, held: str) -> None:
    assert "nobody verified" in refused(enforced, "debug", held, f"--image={APP}", "--target=server")


def test_lets_other_changes_be_made(enforced: Cluster, held: str) -> None:
    enforced.kubectl("annotate", "pod", held, "example.com/note=kept")


def test_only_the_controller_removes_the_gate_and_it_changes_no_image(enforced: Cluster, tmp_path: Any) -> None:
    enforced.apply(pod("released", IMAGE))
    user = Controller(enforced, tmp_path / "log").kubeconfig
    enforced.kubectl(
        "patch",
        "pod",
        "released",
        "--type=json",
        "-p",
        '[{"op":"remove","path":"/spec/schedulingGates/0"}]',
        kubeconfig=user,
    )
    assert gates(enforced, "released") == []
    for who in (user, enforced.admin):
        change = patch("/spec/containers/0/image", APP[:-1] + "1", "replace")
        done = enforced.kubectl("patch", "pod", "released", *change, kubeconfig=who, check=False)
        assert "images" in done.stderr


def test_pods_of_a_deployment_are_held(enforced: Cluster) -> None:
    template = {
        "metadata": {"labels": {"app": "made"}},
        "spec": {**pod("x", IMAGE)["spec"], "terminationGracePeriodSeconds": 0},
    }
    spec = {"selector": {"matchLabels": {"app": "made"}}, "template": template}
    enforced.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "made", "namespace": "default"},
            "spec": spec,
        }
    )
    found = until("the pod", lambda: enforced.get("pods", "-l", "app=made")["items"])
    assert found[0]["spec"]["schedulingGates"] == [{"name": GATE}]
    enforced.kubectl("delete", "deployment", "made")


@pytest.mark.parametrize(
    ("namespace", "resources", "held"),
    [("kube-system", {}, False), ("kube-system", {"limits": {"nvidia.com/gpu": "1"}}, True), ("default", {}, True)],
    ids=["daemon-of-the-cluster", "daemon-of-the-cluster-with-gpu", "daemon-elsewhere"],
)
def test_daemons_of_kube_system_start_while_they_ask_for_no_device(
    enforced: Cluster, namespace: str, resources: dict[str, Any], held: bool
) -> None:
    container = {"name": "proxy", "image": APP, "securityContext": {"privileged": True}, "resources": resources}
    template = {
        "metadata": {"labels": {"app": "daemon"}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
    }
    daemon = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "daemon", "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": "daemon"}}, "template": template},
    }
    enforced.apply(daemon)
    found = until("the daemon", lambda: enforced.get("pods", "-n", namespace, "-l", "app=daemon")["items"])
    enforced.kubectl("delete", "daemonset", "daemon", "-n", namespace)
    assert [("schedulingGates" in each["spec"]) for each in found] == [held] * len(found)


def test_person_in_kube_system_is_held_like_anybody(enforced: Cluster) -> None:
    enforced.apply(pod("hidden", IMAGE, namespace="kube-system"))
    assert gates(enforced, "hidden", namespace="kube-system") == [GATE]
    enforced.kubectl("delete", "pod", "hidden", "-n", "kube-system")


def test_version_of_trust_never_falls_and_a_verdict_never_changes(enforced: Cluster) -> None:
    role = {"name": "verifier", "signs": ["verdict"], "keys": []}
    trust = {
        "apiVersion": "weighbridge.dev/v1alpha1",
        "kind": "ModelTrust",
        "metadata": {"name": "other"},
        "spec": {"version": 2, "expires": "2030-01-01", "roles": [role]},
    }
    verdict = {**trust, "kind": "ModelVerdict", "spec": {"bundle": "{}"}}
    enforced.apply(trust, verdict)
    trust["spec"] = {"version": 1, "expires": "2030-01-01", "roles": [role]}
    verdict["spec"] = {"bundle": "{} "}
    lower = refused(enforced, "apply", "-f", "-", stdin=json.dumps(trust))
    changed = refused(enforced, "apply", "-f", "-", stdin=json.dumps(verdict))
    enforced.kubectl("delete", "modeltrust/other", "modelverdict/other")
    assert "never falls" in lower
    assert "does not change" in changed


def test_refuses_a_requirement_without_the_limits_that_have_no_default(enforced: Cluster) -> None:
    policy = {
        "apiVersion": "weighbridge.dev/v1alpha1",
        "kind": "ModelPolicy",
        "metadata": {"name": "loose"},
        "spec": {"requirements": [{"check": "robustness", "signers": ["tester"], "limits": {"norm": "linf"}}]},
    }
    assert "limits.epsilon" in refused(enforced, "apply", "-f", "-", stdin=json.dumps(policy))
