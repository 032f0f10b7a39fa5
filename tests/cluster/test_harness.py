"""What the harness promises to every other test: it is a real cluster, and it leaves nothing behind."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.cluster import images
from tests.cluster.cluster import HOMES, OWNER, PREFIX, Cluster, cgroup_of, running, sweep
from weighbridge.model.digest import hash_model

pytestmark = pytest.mark.cluster


def test_a_pod_on_the_gpu_node_prints_the_digest_of_the_weights_it_mounts(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"weights")
    model = images.image({"weights.bin": b"weights"}, name="model", entrypoint=[])
    volume = {"name": "model", "image": {"reference": cluster.push(model, "harness/model")}}
    container = {
        "name": "server",
        "image": cluster.push(images.build("app", name=images.APP), "harness/app"),
        "volumeMounts": [{"name": "model", "mountPath": "/model", "readOnly": True}],
        "resources": {"limits": {"nvidia.com/gpu": "1"}},
    }
    spec = {"containers": [container], "volumes": [volume], "terminationGracePeriodSeconds": 1}
    cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "harness"}, "spec": spec})

    cluster.wait("the pod", lambda: "serving" in cluster.kubectl("logs", "harness", check=False).stdout)
    pod = json.loads(cluster.kubectl("get", "pod", "harness", "-o", "json").stdout)
    cluster.kubectl("delete", "pod", "harness", "--wait=false")

    assert pod["spec"]["nodeName"] == "gpu-1"
    assert cluster.kubectl("logs", "harness").stdout == f"serving {hash_model(tmp_path)}\n"


def test_a_control_plane_of_1_34_starts_beside_it_and_leaves_nothing(cluster: Cluster) -> None:
    with running(release="1.34") as other:
        version = json.loads(other.kubectl("get", "--raw", "/version").stdout)
        home, cgroup = other.home, other.namespace.cgroup
        assert (version["major"], version["minor"]) == ("1", "34")
        assert json.loads(cluster.kubectl("get", "--raw", "/version").stdout)["minor"] == "36"

    assert not home.exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{cgroup}"))
    assert not [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if str(home) in line]
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(home).encode() in _command_line(path)]


def test_a_server_that_was_killed_comes_back_with_its_state(cluster: Cluster) -> None:
    cluster.kubectl("create", "configmap", "kept")
    for name in ("etcd", "kube-apiserver"):
        cluster.programs[name].kill()
        assert not cluster.programs[name].running()
        cluster.programs[name].start()
        cluster.wait(name, lambda: cluster.kubectl("get", "--raw", "/readyz", check=False).returncode == 0)

    assert cluster.kubectl("get", "configmap", "kept", "-o", "name").stdout == "configmap/kept\n"


def test_what_a_killed_owner_left_is_swept(cluster: Cluster) -> None:
    killed = subprocess.Popen(["true"])
    killed.wait()
    left = Path(tempfile.mkdtemp(prefix=PREFIX, dir=HOMES))
    (left / OWNER).write_text(str(killed.pid))
    group = Path("/sys/fs/cgroup/memory") / cgroup_of(left)
    if group.parent.is_dir():
        (group / "pod").mkdir(parents=True)

    sweep()

    assert not left.exists()
    assert not group.exists()
    assert cluster.home.exists()


def _command_line(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
