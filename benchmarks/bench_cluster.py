"""Admission on a real cluster: start, and the time from a pod's creation to the gate's removal, alone and in a burst.

Needs root and what ``make tools`` builds. The pods fit no node, so that starting containers disturbs nothing; both
times of a pod are taken where a client sees them, from one watch. The same pods are also created before Weighbridge is
installed: that ratio is what admission costs whoever creates pods.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.cluster import Cluster, running
from tests.cluster.install import install, run_controller
from tests.cluster.requirements import why_not
from tests.cluster.site import Site, app_image, model_pod, write_model
from tools import docker_engine
from tools.step_image import step_image

BURST = 200
SINGLE = 50
WAIT_SECONDS = 120


@dataclass
class Watch:
    """When a client saw each pod for the first time, and first saw it without gates."""

    created: dict[str, float] = field(default_factory=dict)
    released: dict[str, float] = field(default_factory=dict)

    def read(self, lines: Iterator[str]) -> None:
        """Take the time of each line of ``kubectl get --watch`` as it comes."""
        for line in lines:
            now = time.perf_counter()
            name, _, gates = line.strip().partition(" ")
            self.created.setdefault(name, now)
            if gates.strip() == "<none>":
                self.released.setdefault(name, now)

    def waits(self, prefix: str) -> list[float]:
        """Return the seconds from creation to release of the pods with this prefix."""
        return [at - self.created[name] for name, at in self.released.items() if name.startswith(prefix)]


@contextlib.contextmanager
def watching(cluster: Cluster) -> Iterator[Watch]:
    """Watch the pods of the namespace ``default``."""
    columns = "custom-columns=N:.metadata.name,G:.spec.schedulingGates[*].name"
    command = cluster.namespace.enter("kubectl", "get", "pods", "-o", columns, "--no-headers", "--watch")
    watch = Watch()
    with subprocess.Popen(command, env=cluster.environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=watch.read, args=(process.stdout,))
        reader.start()
        yield watch
        # The process that we started is nsenter; ending it would leave kubectl at the other end of the pipe.
        cluster.namespace.run("pkill", "-f", columns.replace("[*]", ".*"))
        reader.join(WAIT_SECONDS)


def pods(prefix: str, count: int, model: str, app: str) -> list[dict[str, Any]]:
    """Return pods that fit no node."""
    nowhere = {"kubernetes.io/hostname": "nowhere"}
    return [model_pod(f"{prefix}-{number}", model, app, nodeSelector=nowhere) for number in range(count)]


def create(cluster: Cluster, objects: Sequence[dict[str, Any]]) -> float:
    """Create the objects with one kubectl and return the seconds it took."""
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
    started = time.perf_counter()
    cluster.kubectl("create", "-f", "-", stdin=listed, seconds=WAIT_SECONDS)
    return time.perf_counter() - started


def memory(cluster: Cluster) -> float:
    """Return the peak memory of the controller in MB."""
    script = 'for p in $(pgrep -f "weighbridge serve"); do grep -h VmHWM /proc/$p/status; done'
    lines = cluster.namespace.run("bash", "-c", script).stdout.splitlines()
    return max(int(line.split()[1]) for line in lines) / 1024


def percentile(values: list[float], share: float) -> float:
    """Return the value that this share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> int:
    """Measure and print."""
    if reason := why_not() or docker_engine.why_not():
        print(f"not measured: {reason}")
        return 0
    image = step_image()
    started = time.perf_counter()
    with running() as cluster, tempfile.TemporaryDirectory() as directory:
        print(f"cluster start, two nodes ready: {time.perf_counter() - started:.1f} s")
        site = Site(Path(directory) / "site", cluster)
        write_model(site.directory / "model")
        app = app_image(cluster)
        plain = create(cluster, pods("plain", BURST, app, app))
        cluster.kubectl("delete", "pods", "--all", "--wait=true", seconds=WAIT_SECONDS)
        install(cluster, mode="enforce")
        run_controller(cluster, image)
        site.trust()
        reference = site.publish("model")
        with watching(cluster) as watch:
            for pod in pods("single", SINGLE, reference, app):
                create(cluster, [pod])
            held = create(cluster, pods("burst", BURST, reference, app))
            cluster.wait("the release of all pods", lambda: len(watch.released) == SINGLE + BURST, seconds=WAIT_SECONDS)
        for name in ("single", "burst"):
            waits = watch.waits(name)
            figures = ", ".join(f"p{share} {percentile(waits, share / 100) * 1000:.0f} ms" for share in (50, 99))
            mean = statistics.mean(waits) * 1000
            print(f"created to released, {len(waits)} pods, {name}: {figures}, mean {mean:.0f} ms")
        print(f"creating {BURST} pods: {held:.1f} s held and released, {plain:.1f} s without us ({held / plain:.2f}x)")
        print(f"controller, peak memory: {memory(cluster):.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
