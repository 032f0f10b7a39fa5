"""The command lines of etcd and of the Kubernetes control plane."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cluster.pki import Authority, new_key, public_pem

ADDRESS = "172.31.255.1"
"""The machine's address inside its own network; nothing outside can reach it."""

SERVER = f"https://{ADDRESS}:6443"
SERVICES = "10.96.0.0/24"
PODS = "10.244.0.0/16"


@dataclass(frozen=True)
class Release:
    """A Kubernetes release that the cluster can run."""

    tool: str
    """Name of the control plane's programs among the Go tools."""
    flags: tuple[str, ...] = ()
    nodes: bool = True


RELEASES = {
    "1.36": Release("kubernetes"),
    # A control plane only: kubelets of 1.36 are newer than a server of 1.34 may have.
    "1.34": Release(
        "kubernetes-1.34",
        (
            "--feature-gates=MutatingAdmissionPolicy=true",
            "--runtime-config=admissionregistration.k8s.io/v1beta1=true",
        ),
        nodes=False,
    ),
}


def etcd(program: Path, data: Path) -> list[str]:
    """Return etcd's command line; it does not sync to disk, because no test outlives the machine."""
    return [
        str(program),
        *("--data-dir", str(data), "--unsafe-no-fsync", "--log-level", "warn"),
        *("--listen-client-urls", "http://127.0.0.1:2379", "--advertise-client-urls", "http://127.0.0.1:2379"),
        *("--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls", "http://127.0.0.1:2380"),
        *("--initial-cluster", "default=http://127.0.0.1:2380"),
    ]


def api_server(program: Path, pki: Path, authority: Authority, flags: tuple[str, ...]) -> list[str]:
    """Write the server's certificates and return its command line."""
    hosts = (
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "127.0.0.1",
        "10.96.0.1",
        ADDRESS,
    )
    certificate, key = authority.server("kube-apiserver", hosts).write(pki, "apiserver")
    kubelet_certificate, kubelet_key = authority.client("kube-apiserver-kubelet-client", "system:masters").write(
        pki, "kubelet-client"
    )
    (pki / "ca.crt").write_bytes(authority.certificate)
    signing, pem = new_key()
    (pki / "sa.key").write_bytes(pem)
    (pki / "sa.pub").write_bytes(public_pem(signing))
    return [
        str(program),
        "--etcd-servers=http://127.0.0.1:2379",
        *("--bind-address=0.0.0.0", f"--advertise-address={ADDRESS}", "--secure-port=6443"),
        f"--service-cluster-ip-range={SERVICES}",
        *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true"),
        *(f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}", f"--client-ca-file={pki / 'ca.crt'}"),
        f"--kubelet-client-certificate={kubelet_certificate}",
        f"--kubelet-client-key={kubelet_key}",
        # Node names have no DNS entry here.
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki / 'sa.pub'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
        "--profiling=false",
        *flags,
    ]


def controller_manager(program: Path, pki: Path, kubeconfig: Path) -> list[str]:
    """Return the controller manager's command line."""
    return [
        str(program),
        f"--kubeconfig={kubeconfig}",
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--service-account-private-key-file={pki / 'sa.key'}",
        "--use-service-account-credentials=true",
        *(f"--cluster-cidr={PODS}", "--allocate-node-cidrs=false", "--leader-elect=false", "--bind-address=127.0.0.1"),
    ]


def scheduler(program: Path, _: Path, kubeconfig: Path) -> list[str]:
    """Return the scheduler's command line."""
    return [str(program), f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--bind-address=127.0.0.1"]
