"""Run pipelines with kfp's own DockerRunner on the real engine, in containers that can do nothing but their work.

One function of kfp 2.17 is replaced: the one that starts a container. The original removes a container before it has
asked how it ended, and takes "it is gone" for success (kubeflow/pipelines issue 13332); a test of anything else must
not depend on who wins that race. It also cannot mount a key into one task alone, which every backend can.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kfp.local
import pytest
from kfp.local import docker_task_handler

from tests.builders import PASSPHRASE as PASSPHRASE_BYTES
from tests.builders import sealed_keys, trust_bytes
from tests.docker.fixture import Steps
from weighbridge.kfp.components import COMMAND
from weighbridge.pipelines.spec import KEYS, PASSPHRASE


@dataclass
class Local:
    """A place for runs, keys for the tasks that sign, and what each task's container was and how it ended."""

    root: Path
    steps: Steps
    keys: Path
    passphrase: Path
    ended: list[tuple[str, int]] = field(default_factory=list)

    def run_container(
        self, client: Any, image: str, command: list[str], volumes: dict[str, Any], **options: Any
    ) -> int:
        signs = command[1:3] in (["step", "sign-model"], ["step", "gate"])
        if signs:
            volumes = {
                **volumes,
                str(self.keys): {"bind": KEYS, "mode": "ro"},
                str(self.passphrase): {"bind": PASSPHRASE, "mode": "ro"},
            }
        if command[0] != COMMAND:
            options["entrypoint"] = ""  # as Kubernetes does it; our own image has to stand it the other way too
        container = client.containers.run(image=image, command=command, detach=True, volumes=volumes, **options)
        try:
            code = int(container.wait()["StatusCode"])
            print(container.logs().decode(errors="replace"))
        finally:
            container.remove(force=True)
        self.ended.append((command[2] if command[0] == COMMAND else "task", code))
        return code

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"

    def files(self, pattern: str) -> list[Path]:
        return sorted(self.outputs.rglob(pattern))


def make_local(steps: Steps, place: Path) -> Local:
    """Make keys, trust and directories that the image's user can use."""
    root, keys = place / "local", {role: key for role, (key, _) in sealed_keys().items()}
    for name in ("keys", "passphrase", "outputs"):
        (root / name).mkdir(parents=True)
    place.chmod(0o755)
    for role, (_, sealed) in sealed_keys().items():
        (root / "keys" / f"{role}.key").write_bytes(sealed)
        (root / "keys" / f"{role}.key").chmod(0o644)
        (root / "passphrase" / role).write_bytes(PASSPHRASE_BYTES)
    (root / "trust.yaml").write_bytes(trust_bytes(keys, expires=datetime.now(UTC) + timedelta(days=30)))
    return Local(root, steps, root / "keys", root / "passphrase")


@contextmanager
def local_runs(local: Local, monkeypatch: pytest.MonkeyPatch, *, caching: bool = False) -> Iterator[Local]:
    """Point kfp at the engine and at directories of our own."""
    local.outputs.mkdir(exist_ok=True)
    local.outputs.chmod(0o777)
    monkeypatch.setenv("DOCKER_HOST", local.steps.engine.host)
    monkeypatch.setattr(docker_task_handler, "run_docker_container", local.run_container)
    runner = kfp.local.DockerRunner(
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        user="65532:65532",
        tmpfs={"/tmp": "rw,mode=1777"},
    )
    kfp.local.init(
        runner=runner,
        pipeline_root=str(local.outputs),
        raise_on_error=False,
        enable_caching=caching,
        cache_root=str(local.root / "cache"),
    )
    try:
        yield local
    finally:
        kfp.local.config.LocalExecutionConfig.instance = None
