"""Crashes: no unverified pod is released, and no verified one is forgotten."""

from __future__ import annotations

import random
import signal
import time
from typing import Any

import pytest

from tests.admission_cluster.office import Controller, Office, gates, pod, until
from tests.cluster.cluster import Cluster
from tests.cluster.install import GATE

pytestmark = pytest.mark.cluster
GOOD, BAD = "c" * 64, "d" * 64
PODS = 60
KILLS = 20


def held(cluster: Cluster, prefix: str) -> set[str]:
    items: Any = cluster.get("pods")["items"]
    return {
        item["metadata"]["name"]
        for item in items
        if item["metadata"]["name"].startswith(prefix) and item["spec"].get("schedulingGates")
    }


def test_controller_killed_again_and_again_loses_no_pod_and_releases_no_wrong_one(
    office: Office, controller: Controller
) -> None:
    office.publish(GOOD)
    chance = random.Random(7)
    for number in range(KILLS):
        batch = range(number * PODS // KILLS, (number + 1) * PODS // KILLS)
        office.cluster.apply(
            *(pod(f"crash-good-{each}", GOOD) for each in batch), *(pod(f"crash-bad-{each}", BAD) for each in batch)
        )
        time.sleep(chance.uniform(0, 0.4))
        assert controller.end(signal.SIGKILL) != 0
        controller.start()
    until("the release", lambda: not held(office.cluster, "crash-good-"), seconds=60)
    assert len(held(office.cluster, "crash-bad-")) == PODS
    office.cluster.kubectl("delete", "pods", "--all", "-n", "default", "--force")


@pytest.mark.parametrize("program", ["kube-apiserver", "etcd"])
def test_goes_on_after_the_control_plane_restarted(office: Office, controller: Controller, program: str) -> None:
    cluster = office.cluster
    office.publish(GOOD)
    cluster.apply(pod(f"{program}-before", BAD))
    server = cluster.programs[program]
    server.kill()
    try:
        # While etcd is away the API server still holds its watches open, and only a write would tell.
        if program == "kube-apiserver":
            until("the doubt", lambda: not controller.ready())
    finally:
        server.start()
    until("the API server", lambda: cluster.kubectl("get", "--raw", "/readyz", check=False).returncode == 0)
    until("the controller", controller.ready)
    until("admission", lambda: cluster.kubectl("auth", "can-i", "create", "pods", check=False).returncode == 0)
    cluster.apply(pod(f"{program}-after", GOOD))
    until("the release", lambda: not gates(cluster, f"{program}-after"))
    assert gates(cluster, f"{program}-before") == [GATE]
    if program == "kube-apiserver":
        assert controller.metric("weighbridge_watch_reconnects_total") > 0
    assert controller.metric("weighbridge_failures_total") == 0


def test_ends_at_once_when_told_to(controller: Controller) -> None:
    assert controller.end(signal.SIGTERM) == 0
    assert "Traceback" not in controller.log.read_text()
