"""The people around a cluster: keys, trust and policy on disk, models judged by the real command line, and pushed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import images
from tests.cluster.cluster import REGISTRY, Cluster, ClusterError
from weighbridge.checks.dependencies.advisories import packaged_bundle

ROLES = ("scanner", "auditor", "tester", "verifier")
UNTIL = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
REQUIREMENTS = "numpy==2.4.6\n"
POLICY: dict[str, Any] = {
    "apiVersion": "weighbridge.dev/v1alpha1",
    "kind": "ModelPolicy",
    "metadata": {"name": "production"},
    "spec": {
        "default": True,
        "mode": "enforce",
        "requirements": [
            {"check": "model-scan", "signers": ["scanner"]},
            {"check": "dependency-audit", "signers": ["auditor"]},
        ],
        "inputs": {
            "requirements": {"sha256": [hashlib.sha256(REQUIREMENTS.encode()).hexdigest()]},
            "advisories": {
                "sha256": [hashlib.sha256(packaged_bundle().read_bytes()).hexdigest()],
                "maxAge": "520w",
                "accepted": {
                    "reason": "a test",
                    "owner": "tests",
                    "expires": f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}",
                },
            },
        },
    },
}
"""A policy whose checks take a second, for tests about what comes after the verdict."""


@dataclass
class Site:
    """One organisation: a directory with keys, a trust document and a policy."""

    directory: Path
    cluster: Cluster
    policy: dict[str, Any] = field(default_factory=lambda: POLICY)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
        (self.directory / "policy.yaml").write_text(yaml.safe_dump(self.policy), encoding="utf-8")
        self.weighbridge("keys", "new", *ROLES, "-o", "keys", "--passphrases", "passphrases")
        self.weighbridge("trust", "init", "trust.yaml", "--keys", "keys", "--name", "production")

    def weighbridge(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run the command line in the site's directory and in the cluster's network."""
        command = [sys.executable, "-c", "from weighbridge.cli import main; main()", *arguments]
        environment = self.cluster.environment()
        for role in ROLES:
            if (self.directory / "passphrases" / role).exists():
                environment[f"WEIGHBRIDGE_PASSPHRASE_{role.upper()}"] = self.passphrase(role)
        inside = self.cluster.namespace.enter(*command)
        inside = [f"--wd={self.directory}" if part.startswith("--wd=") else part for part in inside]
        done = subprocess.run(inside, env=environment, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode not in codes:
            raise ClusterError(f"weighbridge {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def passphrase(self, role: str) -> str:
        """Return the passphrase of a role's key."""
        return (self.directory / "passphrases" / role).read_text(encoding="utf-8").strip()

    def judge(self, model: str) -> Path:
        """Check the model in that sub-directory by the policy, and return the verdict's path."""
        self.weighbridge(
            *("run", model, "--policy", "policy.yaml", "--trust", "trust.yaml", "--keys", "keys"),
            *("--evidence", f"{model}-evidence", "-r", "requirements.txt", "-o", f"{model}.sigstore.json"),
        )
        return self.directory / f"{model}.sigstore.json"

    def push(self, model: str, *options: str, name: str = "") -> str:
        """Push a model and return its reference by digest."""
        done = self.weighbridge(
            "push",
            model,
            f"{REGISTRY}/models/{name or model}",
            "--plain-http",
            "--insecure",
            "--format",
            "json",
            *options,
        )
        return str(json.loads(done.stdout)["reference"])

    def publish(self, model: str) -> str:
        """Judge a model, push it with its verdict, apply the ModelVerdict, and return the image's reference."""
        verdict = self.judge(model)
        manifest = self.directory / f"{model}.modelverdict.yaml"
        reference = self.push(
            model, *("--evidence", f"{model}-evidence", "--verdict", str(verdict), "--model-verdict", str(manifest))
        )
        self.cluster.kubectl("apply", "-f", str(manifest))
        return reference

    def trust(self) -> None:
        """Apply the trust document and the policy as they are on disk."""
        for name in ("policy.yaml", "trust.yaml"):
            self.cluster.kubectl("apply", "-f", str(self.directory / name))


def write_model(directory: Path, *, weights: bytes = b"\x00" * 64) -> None:
    """Write a safetensors model with one tensor of these bytes."""
    directory.mkdir(parents=True, exist_ok=True)
    header = json.dumps({"w": {"dtype": "U8", "shape": [len(weights)], "data_offsets": [0, len(weights)]}}).encode()
    (directory / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + weights)


def model_pod(name: str, model: str, app: str, *, namespace: str = "default", **spec: object) -> dict[str, Any]:
    """Return a pod that serves a model image on one GPU."""
    container = {
        "name": "server",
        "image": app,
        "volumeMounts": [{"name": "model", "mountPath": "/model", "readOnly": True}],
        "resources": {"limits": {"nvidia.com/gpu": "1"}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [container],
            "volumes": [{"name": "model", "image": {"reference": model}}],
            **spec,
        },
    }


def app_image(cluster: Cluster) -> str:
    """Push the small model server and return its reference by digest."""
    return cluster.push(images.build("app", name=images.APP), "app")
