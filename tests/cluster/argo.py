"""The real Argo controller on a cluster: its resource definitions, its executor image and the rights of its pods."""

from __future__ import annotations

from pathlib import Path

from tools import go_tools

from tests.cluster import images
from tests.cluster.cluster import Cluster

NAMESPACE = "argo"
EXECUTOR = "localhost/argoexec:1"
STEP_ACCOUNT = "workflow"

WORKFLOW_SECONDS = 180
"""Longest wait for a workflow of a few steps."""


def install(cluster: Cluster) -> None:
    """Create Argo's definitions and start its controller; workflows may run in the namespace ``argo``."""
    source = go_tools.module_directory("argo") / "manifests" / "base" / "crds" / "minimal"
    # Some definitions are too large for the annotation that `apply` keeps.
    cluster.kubectl("create", "-f", *_joined(sorted(source.glob("argoproj.io_*.yaml"))))
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "workflow-controller-configmap", "namespace": NAMESPACE},
        },
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": STEP_ACCOUNT, "namespace": NAMESPACE},
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": STEP_ACCOUNT, "namespace": NAMESPACE},
            "rules": [
                {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": STEP_ACCOUNT, "namespace": NAMESPACE},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": STEP_ACCOUNT},
            "subjects": [{"kind": "ServiceAccount", "name": STEP_ACCOUNT, "namespace": NAMESPACE}],
        },
    )
    programs = go_tools.build("argo")
    executor = images.image(
        {"bin/argoexec": (programs / "argoexec").read_bytes()}, name=EXECUTOR, entrypoint=["/bin/argoexec"]
    )
    archive = cluster.home / "argoexec.tar"
    archive.write_bytes(executor.archive())
    cluster.import_image(archive)
    archive.unlink()
    cluster.launch(
        "workflow-controller",
        [
            str(programs / "workflow-controller"),
            *("--kubeconfig", str(cluster.admin), "--namespace", NAMESPACE),
            *("--executor-image", EXECUTOR, "--executor-image-pull-policy", "Never", "--loglevel", "warn"),
        ],
        LEADER_ELECTION_DISABLE="true",
        # Otherwise each step waits ten seconds for its turn.
        DEFAULT_REQUEUE_TIME="100ms",
    )


def finished(cluster: Cluster, name: str) -> dict[str, object]:
    """Wait until a workflow has ended and return its status."""
    phase: list[str] = []

    def ended() -> bool:
        done = cluster.kubectl("get", "workflow", name, "-n", NAMESPACE, "-o", "jsonpath={.status.phase}", check=False)
        phase[:] = [done.stdout]
        return done.stdout in {"Succeeded", "Failed", "Error"}

    cluster.wait(f"the workflow {name}", ended, seconds=WORKFLOW_SECONDS)
    status = cluster.get("workflow", name, "-n", NAMESPACE)["status"]
    assert isinstance(status, dict)
    return status


def _joined(paths: list[Path]) -> list[str]:
    return [part for path in paths for part in ("-f", str(path))][1:]
