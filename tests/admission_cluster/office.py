"""Keys, trust, a policy and signed verdicts for a cluster, and the controller as a process in its network."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.builders import Scene, make_model, make_record
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ADDRESS
from weighbridge.admission.objects import ModelVerdict
from weighbridge.clock import system_clock
from weighbridge.evidence.keys import PrivateKey
from weighbridge.evidence.record import CheckName
from weighbridge.gate.judge import judge
from weighbridge.gate.verdict import write_verdict
from weighbridge.model.digest import ManifestDigest
from weighbridge.trust.edit import dump, extend, new_document, revoke

POLICY = """\
apiVersion: weighbridge.dev/v1alpha1
kind: ModelPolicy
metadata: {name: production}
spec:
  default: true
  mode: enforce
  requirements:
    - {check: model-scan, signers: [scanner]}
"""
APP = f"{ADDRESS}:5000/app@sha256:{'0' * 64}"
METRICS = "127.0.0.1:18080"
WAIT_SECONDS = 30.0

Object = dict[str, Any]


def until(what: str, ready: Callable[[], Any], *, seconds: float = WAIT_SECONDS) -> Any:
    """Return what ``ready`` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.05)
    return found


@dataclass
class Office:
    """The people who sign, and what they applied to the cluster."""

    cluster: Cluster
    directory: Path
    scene: Scene = field(init=False)

    def __post_init__(self) -> None:
        now = system_clock()
        scan = make_record(CheckName.MODEL_SCAN, finished=now - timedelta(minutes=5))
        self.scene = Scene(
            make_model(self.directory / "model"), policy_text=POLICY, records={CheckName.MODEL_SCAN: scan}
        )
        roles = {role: key.public for role, key in self.scene.keys.items()}
        self.document = new_document("production", roles=roles, expires=now + timedelta(days=30))

    def install(self) -> None:
        """Apply policy and trust."""
        self.cluster.apply(yaml.safe_load(POLICY), self.trust())

    def trust(self) -> Object:
        """Return the trust document as an object."""
        return dict(yaml.safe_load(dump(self.document)))

    def revoke_model(self) -> None:
        """Revoke the model that all verdicts are about."""
        self.before = self.document
        self.document = revoke(self.document, item=str(self.scene.digest), reason="found to be stolen")
        self.cluster.apply(self.trust())

    def restore(self) -> None:
        """Let it count again, by a newer document."""
        expires = system_clock() + timedelta(days=31)
        self.document = extend(extend(self.before, expires=expires), expires=expires + timedelta(days=1))
        self.cluster.apply(self.trust())

    def verdict(self, image: str, *, key: PrivateKey | None = None, now: datetime | None = None) -> Object:
        """Return a ModelVerdict about an image, signed by the verifier unless by another key."""
        at = now or system_clock()
        decision = judge(
            self.scene.digest, policy=self.scene.policy, trust=self.scene.trust, files=self.scene.files(), now=at
        )
        bundle = write_verdict(
            decision,
            name="model",
            version="0.1.0",
            signer=key or self.scene.keys["verifier"],
            manifest=ManifestDigest(image),
        )
        return dict(json.loads(ModelVerdict.of(bundle).encode()))

    def publish(self, image: str) -> None:
        """Apply a verdict about an image."""
        self.cluster.apply(self.verdict(image))


def pod(name: str, *images: str, namespace: str = "default", **spec: object) -> Object:
    """Return a pod with a GPU that mounts these models; it fits no node, so that nothing is pulled."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "nodeSelector": {"kubernetes.io/hostname": "nowhere"},
            "containers": [{"name": "server", "image": APP, "resources": {"limits": {"nvidia.com/gpu": "1"}}}],
            "volumes": [
                {"name": f"model-{number}", "image": {"reference": image if ":" in image else reference(image)}}
                for number, image in enumerate(images)
            ],
            **spec,
        },
    }


def reference(image: str) -> str:
    """Return the reference of a model image by its manifest's sha256."""
    return f"{ADDRESS}:5000/models/m@sha256:{image}"


def gates(cluster: Cluster, name: str, *, namespace: str = "default") -> list[str]:
    """Return the gates of a pod."""
    spec: Any = cluster.get("pod", name, "-n", namespace)["spec"]
    return [gate["name"] for gate in spec.get("schedulingGates", [])]


def condition(cluster: Cluster, name: str) -> Object:
    """Return our condition of a pod; empty when there is none."""
    status: Any = cluster.get("pod", name).get("status", {})
    return next((c for c in status.get("conditions", []) if c["type"] == "weighbridge.dev/Verified"), {})


def events(cluster: Cluster, name: str) -> list[Object]:
    """Return our Events about a pod."""
    listed: Any = cluster.get("events.events.k8s.io", "-n", "default")["items"]
    return [
        event
        for event in listed
        if event["regarding"].get("name") == name and event.get("reportingController") == "weighbridge.dev/controller"
    ]


class Controller:
    """``weighbridge serve`` with the rights of its service account and nothing else."""

    def __init__(self, cluster: Cluster, log: Path) -> None:
        self.cluster = cluster
        self.log = log
        token = cluster.kubectl(
            "create", "token", "weighbridge-controller", "-n", "weighbridge-system", "--duration=4h"
        ).stdout.strip()
        config = json.loads(cluster.admin.read_text())
        config["users"][0]["user"] = {"token": token}
        # By path, as a pod's service account has it. Of data in a kubeconfig the client library makes a file for as
        # long as it reads it, which a controller that is killed in that moment leaves behind.
        authority = log.parent / "authority.pem"
        authority.write_bytes(base64.b64decode(config["clusters"][0]["cluster"].pop("certificate-authority-data")))
        config["clusters"][0]["cluster"]["certificate-authority"] = str(authority)
        self.kubeconfig = log.parent / "controller.kubeconfig"
        self.kubeconfig.write_text(json.dumps(config))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and do not wait."""
        program = ["-c", "from weighbridge.cli import main; main()", "serve"]
        options = ["--kubeconfig", str(self.kubeconfig), "--metrics-address", METRICS]
        self.process = self.cluster.namespace.spawn(
            [sys.executable, *program, *options], log=self.log, environment=self.cluster.environment()
        )

    def ready(self) -> bool:
        """Tell whether it decides."""
        return self.page("/readyz") == "ok\n"

    def page(self, path: str) -> str:
        """Return one of its pages; nothing when it does not answer."""

        def ask() -> str:
            try:
                with urllib.request.urlopen(f"http://{METRICS}{path}", timeout=5) as answer:
                    return str(answer.read().decode())
            except OSError:
                return ""

        return self.cluster.namespace.call(ask)

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        lines = [line for line in self.page("/metrics").splitlines() if line.split("{")[0].split(" ")[0] == name]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        for child in children.split():
            os.kill(int(child), number)
        return self.process.wait(20)


__all__ = ["Controller", "Office", "condition", "events", "gates", "pod", "reference", "until"]
