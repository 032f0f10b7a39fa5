"""Start a cluster, wait for what it promises, and stop it without leaving anything behind."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tools import go_tools

from tests.cluster import control_plane, images, kernel, namespace, node, registry
from tests.cluster.namespace import Namespace
from tests.cluster.pki import Authority, Pair
from tests.cluster.program import Program

READY_SECONDS = 90
"""Longest wait for a server; a whole cluster takes a few seconds on an idle machine."""

HOMES = Path("/tmp")
PREFIX = "wb-"
OWNER = "owner"
"""A cluster's home is HOMES/PREFIX…, and says in OWNER which process it belongs to."""

REGISTRY = f"{control_plane.ADDRESS}:5000"
NODES = (node.Node("gpu-1", 0, {"nvidia.com/gpu": "8"}), node.Node("cpu-1", 1, {}))


class ClusterError(Exception):
    """The cluster did not come up, or a command on it failed; the message ends with the log that tells why."""


class Cluster:
    """One running cluster; made by ``running()``."""

    def __init__(self, *, release: str, home: Path) -> None:
        self.release = control_plane.RELEASES[release]
        self.home = home
        self.logs = home / "logs"
        self.pki = home / "pki"
        for directory in (self.logs, self.pki):
            directory.mkdir()
        self.authority = Authority()
        self.namespace = Namespace(cgroup=cgroup_of(home))
        self.programs: dict[str, Program] = {}
        self.tools = go_tools.build(self.release.tool)
        self.path = f"{go_tools.build('kubernetes')}:{go_tools.build('containerd')}:{os.environ['PATH']}"
        self.admin = self.kubeconfig("admin", self.authority.client("admin", "system:masters"))

    def start(self) -> None:
        """Bring everything up, and return when the nodes are ready."""
        self._network()
        self.launch("etcd", control_plane.etcd(go_tools.build("etcd") / "etcd", self.home / "etcd"))
        command = control_plane.api_server(self.tools / "kube-apiserver", self.pki, self.authority, self.release.flags)
        self.launch("kube-apiserver", command)
        self._launch_registry()
        if self.release.nodes:
            for each in NODES:
                self._launch_containerd(each)
        self.wait("the API server", lambda: self.kubectl("get", "--raw", "/readyz", check=False).returncode == 0)
        for name, line in (
            ("kube-controller-manager", control_plane.controller_manager),
            ("kube-scheduler", control_plane.scheduler),
        ):
            config = self.kubeconfig(name, self.authority.client(f"system:{name}"))
            self.launch(name, line(self.tools / name, self.pki, config))
        if self.release.nodes:
            for each in NODES:
                self._launch_kubelet(each)
            self._launch_proxy()
            self.wait("the nodes", self._nodes_ready)
        self.wait("the default service account", self._default_account)

    def stop(self) -> None:
        """End everything; mounts and links go with the namespaces."""
        self.namespace.close()
        for program in self.programs.values():
            if program.process is not None:
                program.process.wait(10)
        shutil.rmtree(self.home, ignore_errors=True)

    def kubeconfig(self, name: str, client: Pair) -> Path:
        """Write the kubeconfig of a client certificate and return its path."""
        path = self.home / f"{name}.kubeconfig"
        path.write_text(self.authority.kubeconfig(server=control_plane.SERVER, client=client), encoding="utf-8")
        path.chmod(0o600)
        return path

    def environment(self, kubeconfig: Path | None = None) -> dict[str, str]:
        """Return the environment of a command inside: who it is, and where the programs are."""
        drop = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
        kept = {name: value for name, value in os.environ.items() if name not in drop}
        return {**kept, "KUBECONFIG": str(kubeconfig or self.admin), "PATH": self.path}

    def kubectl(
        self,
        *arguments: str,
        stdin: str | None = None,
        kubeconfig: Path | None = None,
        check: bool = True,
        seconds: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl inside, as cluster-admin unless another kubeconfig is given."""
        done = self.namespace.run(
            "kubectl", *arguments, stdin=stdin, environment=self.environment(kubeconfig), seconds=seconds
        )
        if check and done.returncode:
            raise ClusterError(f"kubectl {' '.join(arguments)}\n{done.stdout}{done.stderr}")
        return done

    def apply(self, *objects: Mapping[str, object], kubeconfig: Path | None = None) -> None:
        """Apply objects, as cluster-admin unless another kubeconfig is given."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(listed), kubeconfig=kubeconfig)

    def get(self, *arguments: str) -> dict[str, object]:
        """Return an object or list as the API server has it."""
        return dict(json.loads(self.kubectl("get", *arguments, "-o", "json").stdout))

    def import_image(self, archive: Path) -> None:
        """Give an image archive to every node."""
        for each in NODES:
            self._import(each, archive)

    def push(self, image: images.Image, repository: str) -> str:
        """Put one of our own images into the registry and return its reference by digest."""
        digest = self.namespace.call(lambda: registry.push(image, base=f"http://{REGISTRY}/v2/{repository}"))
        return f"{REGISTRY}/{repository}@{digest}"

    def wait(self, what: str, ready: Callable[[], bool], *, seconds: float = READY_SECONDS) -> None:
        """Wait until ``ready``; raise with the end of every log when a server died or time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            dead = [program.name for program in self.programs.values() if program.process and not program.running()]
            if dead or time.monotonic() > deadline:
                story = "\n".join(f"--- {name}\n{self.programs[name].tail()}" for name in dead or self.programs)
                raise ClusterError(f"{what} did not come within {seconds:.0f} s; ended: {dead or 'none'}\n{story}")
            time.sleep(0.1)

    def collect(self, target: Path) -> None:
        """Copy the logs and the state of the cluster for a look after a failure."""
        shutil.copytree(self.logs, target, dirs_exist_ok=True)
        for what in ("pods,nodes,events", "modelpolicies,modeltrusts,modelverdicts"):
            done = self.kubectl("get", what, "--all-namespaces", "-o", "yaml", check=False)
            (target / f"{what.split(',')[0]}.yaml").write_text(done.stdout + done.stderr, encoding="utf-8")

    def _network(self) -> None:
        self.namespace.make_cgroups()
        self.namespace.shell(
            "mount --make-rshared /; mkdir -p /var/lib/kubelet /var/lib/cni;"
            "mount -t tmpfs tmpfs /var/lib/kubelet; mount -t tmpfs tmpfs /var/lib/cni;"
            "ip link set lo up; ip link add node0 type bridge; ip link set node0 up;"
            f"ip address add {control_plane.ADDRESS}/32 dev node0; ip route add default dev node0;"
            "echo 1 > /proc/sys/net/ipv4/ip_forward"
        )

    def launch(self, name: str, command: list[str], **environment: str) -> None:
        """Start a server inside; it is watched and stopped with the cluster."""
        program = Program(
            name, command, self.namespace, self.logs / f"{name}.log", {**self.environment(), **environment}
        )
        self.programs[name] = program
        program.start()

    def _launch_registry(self) -> None:
        configuration = self.home / "registry.yaml"
        configuration.write_text(
            f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {self.home}/registry}}}}\n"
            f"http: {{addr: '{REGISTRY}'}}\n",
            encoding="utf-8",
        )
        program = go_tools.build("registry") / "registry"
        self.launch("registry", [str(program), "serve", str(configuration)], OTEL_TRACES_EXPORTER="none")

    def _launch_containerd(self, each: node.Node) -> None:
        home = self.home / each.name
        for directory in (home / "cni", home / "certs.d" / REGISTRY, home / "pods"):
            directory.mkdir(parents=True)
        (home / "containerd.toml").write_text(node.containerd_configuration(each, home), encoding="utf-8")
        (home / "certs.d" / REGISTRY / "hosts.toml").write_text(node.registry_hosts(REGISTRY), encoding="utf-8")
        (home / "cni" / "10-pods.conflist").write_text(node.network(each), encoding="utf-8")
        (home / "resolv.conf").write_text("", encoding="utf-8")
        self.launch(f"containerd-{each.name}", ["containerd", "--config", str(home / "containerd.toml")])
        archive = self.home / "pause.tar"
        if not archive.exists():
            archive.write_bytes(images.build("pause", name=images.PAUSE).archive())
        self.wait(f"containerd of {each.name}", (home / "c.sock").exists)
        self._import(each, archive)

    def _import(self, each: node.Node, archive: Path) -> None:
        socket = str(self.home / each.name / "c.sock")
        done = self.namespace.run(
            *("ctr", "--address", socket, "--namespace", "k8s.io", "images", "import", str(archive)),
            environment=self.environment(),
            seconds=120,
        )
        if done.returncode:
            raise ClusterError(f"ctr images import {archive.name}: {done.stdout}{done.stderr}")

    def _launch_kubelet(self, each: node.Node) -> None:
        home = self.home / each.name
        client = self.authority.client(f"system:node:{each.name}", "system:nodes")
        config = self.kubeconfig(f"kubelet-{each.name}", client)
        (home / "kubelet.json").write_text(
            node.kubelet_configuration(
                each, home, ca=self.pki / "ca.crt", cgroup=f"{self.namespace.cgroup}/{each.name}"
            ),
            encoding="utf-8",
        )
        for root in Path("/sys/fs/cgroup").glob(f"*/{self.namespace.cgroup}"):
            (root / each.name).mkdir(exist_ok=True)
            for setting in ("cpuset.cpus", "cpuset.mems"):
                if (root / setting).exists():
                    (root / each.name / setting).write_text((root / setting).read_text("ascii"))
        self.launch(
            f"kubelet-{each.name}",
            [
                "kubelet",
                f"--config={home / 'kubelet.json'}",
                f"--kubeconfig={config}",
                f"--hostname-override={each.name}",
                f"--node-ip={control_plane.ADDRESS}",
                f"--root-dir={home / 'kubelet'}",
                f"--cert-dir={home / 'pki'}",
            ],
        )

    def _launch_proxy(self) -> None:
        config = self.kubeconfig("kube-proxy", self.authority.client("system:kube-proxy"))
        path = self.home / "proxy.json"
        path.write_text(node.proxy_configuration(config), encoding="utf-8")
        self.launch("kube-proxy", ["kube-proxy", f"--config={path}", "--hostname-override=gpu-1"])

    def _nodes_ready(self) -> bool:
        for each in NODES:
            done = self.kubectl("get", "node", each.name, "-o", "json", check=False)
            if done.returncode:
                return False
            status = json.loads(done.stdout)["status"]
            if not any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", [])):
                return False
            missing = {
                name: count for name, count in each.resources.items() if name not in status.get("allocatable", {})
            }
            if missing:
                self._advertise(each.name, missing)
                return False
        return True

    def _advertise(self, name: str, resources: Mapping[str, str]) -> None:
        patch = [
            {"op": "add", "path": f"/status/{place}/{resource.replace('/', '~1')}", "value": count}
            for resource, count in resources.items()
            for place in ("capacity", "allocatable")
        ]
        self.kubectl("patch", "node", name, "--subresource=status", "--type=json", "-p", json.dumps(patch), check=False)

    def _default_account(self) -> bool:
        return self.kubectl("get", "serviceaccount", "default", check=False).returncode == 0


def sweep() -> None:
    """Remove what clusters left whose process was killed before it could; their servers died with it."""
    for owner in HOMES.glob(f"{PREFIX}*/{OWNER}"):
        with contextlib.suppress(OSError, ValueError):
            if not Path("/proc", str(int(owner.read_text("ascii")))).exists():
                namespace.remove_cgroups(cgroup_of(owner.parent))
                shutil.rmtree(owner.parent)


def cgroup_of(home: Path) -> str:
    """Return the name of the cgroups of the cluster that lives there."""
    return home.name.replace(PREFIX, "weighbridge-", 1)


@contextlib.contextmanager
def running(*, release: str = "1.36") -> Iterator[Cluster]:
    """Start a cluster, yield it, and stop it whatever happens."""
    sweep()
    # A socket's path may have 107 characters, so the home is near the root.
    home = Path(tempfile.mkdtemp(prefix=PREFIX, dir=HOMES))
    (home / OWNER).write_text(str(os.getpid()), encoding="ascii")
    cluster = Cluster(release=release, home=home)
    with kernel.kept():
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
