"""A node: containerd, a kubelet and a bridge for its pods."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import images
from tests.cluster.control_plane import PODS

_RUNTIME = "io.containerd.cri.v1.runtime"
_IMAGES = "io.containerd.cri.v1.images"


@dataclass(frozen=True)
class Node:
    """What tells one node of the machine from another."""

    name: str
    number: int
    resources: dict[str, str]
    """Extended resources that it advertises."""

    @property
    def port(self) -> int:
        return 10250 + 10 * self.number


def containerd_configuration(node: Node, home: Path) -> str:
    """Return containerd's configuration: state of its own, runc, and hosts files for registries."""
    return f"""version = 3
root = "{home}/containerd"
state = "{home}/run"
disabled_plugins = ["io.containerd.nri.v1.nri"]
[grpc]
  address = "{home}/c.sock"
[ttrpc]
  address = "{home}/t.sock"
[plugins."{_RUNTIME}"]
  # A process without CAP_SYS_RESOURCE may not lower a score that it did not set.
  restrict_oom_score_adj = true
  [plugins."{_RUNTIME}".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{home}/cni"
  [plugins."{_RUNTIME}".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."{_RUNTIME}".containerd.runtimes.runc.options]
      BinaryName = "runc"
      SystemdCgroup = false
[plugins."{_IMAGES}".pinned_images]
  sandbox = "{images.PAUSE}"
[plugins."{_IMAGES}".registry]
  config_path = "{home}/certs.d"
"""


def registry_hosts(registry: str) -> str:
    """Return the hosts file with which containerd pulls from a registry by plain HTTP."""
    return f'server = "http://{registry}"\n[host."http://{registry}"]\n  capabilities = ["pull", "resolve"]\n'


def network(node: Node) -> str:
    """Return the CNI configuration of the node's bridge."""
    bridge = {
        "type": "bridge",
        "bridge": f"cni{node.number}",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": f"10.244.{node.number}.0/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return json.dumps({"cniVersion": "0.4.0", "name": f"pods-{node.name}", "plugins": [bridge, {"type": "portmap"}]})


def kubelet_configuration(node: Node, home: Path, *, ca: Path, cgroup: str) -> str:
    """Return the kubelet's configuration for a machine with version 1 cgroups and little to spare."""
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "port": node.port,
            "readOnlyPort": 0,
            "healthzPort": node.port + 1,
            "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(ca)}},
            "authorization": {"mode": "Webhook"},
            "containerRuntimeEndpoint": f"unix://{home}/c.sock",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{cgroup}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "enforceNodeAllocatable": [],
            "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
            "imageGCHighThresholdPercent": 100,
            "podLogsDir": f"{home}/pods",
            "resolvConf": str(home / "resolv.conf"),
            "maxPods": 250,
            "registerWithTaints": [],
            "nodeStatusUpdateFrequency": "5s",
            "registryPullQPS": 0,
            "kubeAPIQPS": 100,
            "kubeAPIBurst": 200,
            "serializeImagePulls": False,
        }
    )


def proxy_configuration(kubeconfig: Path) -> str:
    """Return kube-proxy's configuration; the connection-tracking limits are not ours to set."""
    return json.dumps(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "clusterCIDR": PODS,
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "conntrack": {"maxPerCore": 0, "min": 0},
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
        }
    )
