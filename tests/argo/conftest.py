from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster import argo
from tests.cluster.cluster import REGISTRY, Cluster
from tests.cluster.install import customised
from tests.cluster.site import Site
from tools.step_image import StepImage, step_image

from weighbridge.cli._bindings import Given, bindings_of
from weighbridge.policy.edit import bind

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "pipelines" / "02-argo-digits"
ROLES = ("scanner", "auditor", "tester", "verifier")


@dataclass(frozen=True)
class Workflows:
    """A cluster with the Argo controller, our library of steps, and one role's key in each secret."""

    cluster: Cluster
    image: StepImage
    site: Site
    volume: Path

    def submit(self, workflow: dict[str, Any]) -> str:
        """Create a workflow and return its name."""
        workflow = json.loads(json.dumps(workflow).replace("weighbridge:step", self.image.reference))
        done = self.cluster.kubectl(
            "create", "-n", argo.NAMESPACE, "-f", "-", "-o", "jsonpath={.metadata.name}", stdin=json.dumps(workflow)
        )
        return done.stdout

    def status(self, name: str) -> dict[str, Any]:
        """Wait for the workflow's end and return its status."""
        return argo.finished(self.cluster, name)

    def place(self, status_of: str) -> Path:
        """Return the workflow's own directory on the volume."""
        workflow: Any = self.cluster.get("workflow", status_of, "-n", argo.NAMESPACE)
        return self.volume / str(workflow["metadata"]["uid"])


def example() -> dict[str, Any]:
    """Return the workflow of the example, for the registry of the test, which has no TLS."""
    workflow = dict(yaml.safe_load((EXAMPLE / "workflow.yaml").read_text(encoding="utf-8")))
    spec = workflow["spec"]
    spec["arguments"]["parameters"][1] = {"name": "repository", "value": f"{REGISTRY}/models/argo-digits"}
    publish = next(template for template in spec["templates"] if template["name"] == "publish")
    publish["container"]["args"] += ["--plain-http", "--insecure"]
    return workflow


def prepare(data: Path) -> None:
    """Prepare the example's data as its README says, apart from any workflow."""
    subprocess.run([sys.executable, str(EXAMPLE / "prepare.py"), str(data)], check=True)
    for path in (data, *data.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)


def bound_policy(data: Path) -> dict[str, Any]:
    """Return the example's policy with these data bound, as its README says."""
    named = Given(
        test=(data / "test.npz",),
        members=(data / "members.npz",),
        non_members=(data / "non-members.npz",),
        requirements=(data / "requirements.txt",),
    )
    bindings = bindings_of(named, fallback=None, accepted=None)
    text = bind((EXAMPLE / "policy.yaml").read_bytes(), bindings=bindings, name="policy.yaml")
    return dict(yaml.safe_load(text))


@pytest.fixture(scope="session")
def workflows(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Workflows:
    """Install Argo and our library once, with a volume that all pods share."""
    image = step_image()
    argo.install(cluster)
    cluster.import_image(image.archive)
    volume = cluster.home / "volume"
    volume.mkdir()
    volume.chmod(0o777)
    prepare(volume / "data")
    site = Site(tmp_path_factory.mktemp("argo-site"), cluster, policy=bound_policy(volume / "data"))
    library = customised(cluster, ROOT / "manifests" / "argo", image, name="library")
    cluster.kubectl("apply", "-k", str(library))
    cluster.apply(*_secrets(site), *_documents(site), *_storage(volume))
    return Workflows(cluster, image, site, volume)


@pytest.fixture(scope="session")
def secured(workflows: Workflows) -> tuple[str, dict[str, Any]]:
    """Run the example once and return the workflow's name and status."""
    name = workflows.submit(example())
    return name, workflows.status(name)


def _secrets(site: Site) -> list[dict[str, object]]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"weighbridge-{role}", "namespace": argo.NAMESPACE},
            "data": {
                f"{role}.key": base64.b64encode((site.directory / "keys" / f"{role}.key").read_bytes()).decode(),
                "passphrase": base64.b64encode(site.passphrase(role).encode()).decode(),
            },
        }
        for role in ROLES
    ]


def _documents(site: Site) -> list[dict[str, object]]:
    documents = {name: (site.directory / name).read_text(encoding="utf-8") for name in ("policy.yaml", "trust.yaml")}
    code = {"train.py": (EXAMPLE / "train.py").read_text(encoding="utf-8")}
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": argo.NAMESPACE},
            "data": data,
        }
        for name, data in (("weighbridge-documents", documents), ("digits-code", code))
    ]


def _storage(volume: Path) -> list[dict[str, object]]:
    size = {"storage": "1Gi"}
    return [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": "digits"},
            "spec": {
                "capacity": size,
                "accessModes": ["ReadWriteMany"],
                "hostPath": {"path": str(volume)},
                "storageClassName": "",
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "digits", "namespace": argo.NAMESPACE},
            "spec": {
                "accessModes": ["ReadWriteMany"],
                "resources": {"requests": size},
                "storageClassName": "",
                "volumeName": "digits",
            },
        },
    ]
