"""The whole chain in one run: a workflow trains and secures, the model is pushed, and its pod runs on the GPU node."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.argo.conftest import Workflows
from tests.cluster import argo
from tests.cluster.cluster import REGISTRY
from tests.cluster.install import GATE, install, run_controller, uninstall
from tests.cluster.site import app_image, model_pod

from weighbridge.model.digest import hash_model

pytestmark = [pytest.mark.cluster, pytest.mark.docker, pytest.mark.timeout(400)]


@dataclass(frozen=True)
class Published:
    """A model that a workflow released, as an image, beside a copy with one byte changed."""

    workflows: Workflows
    digest: str
    reference: str
    tampered: str
    app: str

    def apply(self, name: str, model: str) -> None:
        self.workflows.cluster.apply(model_pod(name, model, self.app))

    def pod(self, name: str) -> dict[str, Any]:
        return self.workflows.cluster.get("pod", name)

    def events(self, name: str) -> list[str]:
        listed: Any = self.workflows.cluster.get("events", "--field-selector", f"involvedObject.name={name}")
        return [event["message"] for event in listed["items"] if "weighbridge" in str(event).lower()]


def pushed(workflows: Workflows, name: str) -> str:
    """Return what the workflow's task `publish` printed: the image by digest."""
    listed: Any = workflows.cluster.get("pods", "-n", argo.NAMESPACE)
    (pod,) = (found for each in listed["items"] if (found := each["metadata"]["name"]).startswith(f"{name}-publish-"))
    log = workflows.cluster.kubectl("logs", "-n", argo.NAMESPACE, pod, "-c", "main").stdout
    return next(word for word in log.split() if word.startswith(REGISTRY) and "@sha256:" in word)


@pytest.fixture(scope="module")
def published(workflows: Workflows, secured: tuple[str, dict[str, Any]]) -> Iterator[Published]:
    """Push what the workflow released, with its evidence, and install admission with the controller in its pod."""
    cluster, site = workflows.cluster, workflows.site
    released = workflows.place(secured[0]) / "secured"
    assert secured[1]["phase"] == "Succeeded", secured[1]
    reference = pushed(workflows, secured[0])
    tampered = site.directory / "tampered"
    shutil.copytree(released / "model", tampered)
    weights = bytearray((tampered / "model.pkl").read_bytes())
    weights[-20] ^= 1
    (tampered / "model.pkl").write_bytes(weights)

    install(cluster, mode="enforce")
    run_controller(cluster, workflows.image)
    site.trust()
    cluster.kubectl("apply", "-f", str(released / "modelverdict.yaml"))
    yield Published(
        workflows=workflows,
        digest=str(hash_model(released / "model")),
        reference=reference,
        tampered=site.push("tampered"),
        app=app_image(cluster),
    )
    uninstall(cluster)


def test_the_pod_of_the_judged_model_runs_on_the_gpu_node_and_sees_those_weights(published: Published) -> None:
    cluster = published.workflows.cluster
    published.apply("judged", published.reference)

    def serving() -> bool:
        return "serving" in cluster.kubectl("logs", "judged", check=False).stdout

    cluster.wait("the pod of the judged model", serving, seconds=60)
    pod = published.pod("judged")

    assert cluster.kubectl("logs", "judged").stdout == f"serving {published.digest}\n"
    assert pod["spec"]["nodeName"] == "gpu-1"
    assert "schedulingGates" not in pod["spec"]
    assert pod["status"]["phase"] == "Running"


@pytest.mark.parametrize("lie", ["tampered", "tag"])
def test_a_changed_byte_or_a_tag_stays_gated_and_the_event_says_why(published: Published, lie: str) -> None:
    cluster = published.workflows.cluster
    tag = f"{REGISTRY}/models/digits:latest"
    published.apply(lie, published.tampered if lie == "tampered" else tag)
    cluster.wait("an Event", lambda: bool(published.events(lie)), seconds=30)

    pod = published.pod(lie)
    assert {"name": GATE} in pod["spec"]["schedulingGates"]
    assert "nodeName" not in pod["spec"]
    expected = published.tampered.partition("@")[2] if lie == "tampered" else "digest"
    assert expected in json.dumps(published.events(lie))
