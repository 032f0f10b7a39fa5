"""Install Weighbridge on a cluster from ``manifests/``, as a platform engineer would, and wait until it acts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import yaml
from tools.step_image import StepImage

from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ADDRESS

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests"
MODES = ("enforce", "warn", "audit")
NAMESPACE = "weighbridge-system"
GATE = "weighbridge.dev/verified"
CONTROLLER = "deployment/weighbridge-controller"

_CANARY = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "canary", "namespace": "default"},
    "spec": {
        "containers": [{"name": "c", "image": f"{ADDRESS}:5000/none", "resources": {"limits": {"nvidia.com/gpu": "1"}}}]
    },
}


def install(cluster: Cluster, *, mode: str) -> None:
    """Apply the overlay of this mode and return when its policies act."""
    cluster.kubectl("apply", "-k", str(MANIFESTS / "overlays" / mode))
    for name in ("modelpolicies", "modeltrusts", "modelverdicts"):
        cluster.kubectl("wait", "--for=condition=Established", f"crd/{name}.weighbridge.dev", "--timeout=30s")
    if mode == "enforce":
        # A policy takes a second or two before it acts.
        cluster.wait("the admission policies", lambda: _gated(cluster))


def run_controller(cluster: Cluster, image: StepImage) -> None:
    """Give the nodes the image, run the controller of the Deployment from it, and return when it is ready."""
    cluster.import_image(image.archive)
    cluster.kubectl("set", "image", CONTROLLER, f"controller={image.reference}", "-n", NAMESPACE)
    cluster.kubectl("scale", CONTROLLER, "-n", NAMESPACE, "--replicas=1")
    cluster.kubectl("rollout", "status", CONTROLLER, "-n", NAMESPACE, "--timeout=60s", seconds=70)


def customised(cluster: Cluster, base: Path, image: StepImage, *, name: str) -> Path:
    """Write a kustomization over ``base`` that sets the image, as a platform's own repository would have."""
    directory = cluster.home / name
    directory.mkdir()
    new_name, tag = image.reference.split(":")
    kustomization = {
        "resources": [os.path.relpath(base, directory)],
        "images": [{"name": "weighbridge", "newName": new_name, "newTag": tag}],
    }
    if (places := base / "images.yaml").exists():
        (directory / "images.yaml").write_bytes(places.read_bytes())
        kustomization["configurations"] = ["images.yaml"]
    (directory / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    return directory


def uninstall(cluster: Cluster) -> None:
    """Take away what acts; the namespace and the definitions stay, since they take half a minute to go."""
    cluster.kubectl("scale", CONTROLLER, "-n", NAMESPACE, "--replicas=0")
    cluster.kubectl("delete", "pods", "--all", "-n", "default", "--force", "--wait=false")
    cluster.kubectl("delete", "modelpolicies,modeltrusts,modelverdicts", "--all")
    for kind in ("mutating", "validating"):
        cluster.kubectl("delete", f"{kind}admissionpolicybindings,{kind}admissionpolicies", "--all")


def _gated(cluster: Cluster) -> bool:
    done = cluster.kubectl(
        "create", "--dry-run=server", "-o", "json", "-f", "-", stdin=json.dumps(_CANARY), check=False
    )
    if done.returncode:
        return False
    gates = json.loads(done.stdout)["spec"].get("schedulingGates", [])
    return any(gate["name"] == GATE for gate in gates)
