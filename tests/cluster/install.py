"""Install Weighbridge on a cluster from ``manifests/``, as a platform engineer would, and wait until it acts."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ADDRESS

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
MODES = ("enforce", "warn", "audit")
NAMESPACE = "weighbridge-system"
GATE = "weighbridge.dev/verified"

_CANARY = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "canary", "namespace": "default"},
    "spec": {
        "containers": [{"name": "c", "image": f"{ADDRESS}:5000/none", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]
    },
}


def install(cluster: Cluster, *, mode: str) -> None:
    """Apply the overlay of this mode and return when its policies act and its controller is ready."""
    cluster.kubectl("apply", "-k", str(MANIFESTS / "overlays" / mode))
    for name in ("modelpolicies", "modeltrusts", "modelverdicts"):
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{name}.weighbridge.dev", "--timeout=30s")
    if mode == "enforce":
        # A policy takes a second or two before it acts.
        cluster.wait("the admission policies", lambda: _gated(cluster))


def _gated(cluster: Cluster) -> bool:
    done = cluster.kubectl(
        "create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(_CANARY), check=False
    )
    if done.returncode:
        return False
    gates = json.loads(done.stdout)["spec"].get("schedulingGates", [])
    return any(gate["name"] == GATE for gate in gates)
