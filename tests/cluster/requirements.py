"""Why this machine cannot run a cluster, or nothing when it can."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tools import go_tools

TOOLS = ("kubernetes", "kubernetes-1.34", "etcd", "containerd", "registry", "argo")
PROGRAMS = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "ip": "iproute2",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "runc": "runc",
    "go": "golang-go",
}
BRIDGE = Path("/usr/lib/cni/bridge")


def why_not() -> str:
    """Name the first thing that is missing, and what brings it."""
    if os.geteuid() != 0:
        return "not root: a cluster needs namespaces, mounts and cgroups of its own"
    missing = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if not BRIDGE.exists():
        missing.add("containernetworking-plugins")
    if missing:
        return f"missing programs (Debian: apt-get install {' '.join(sorted(missing))})"
    if unbuilt := [tool for tool in TOOLS if go_tools.cached(tool) is None]:
        return f"{', '.join(unbuilt)} not built yet: `make tools` builds them once, in about twelve minutes"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--fork", "true"], capture_output=True, text=True, check=False
    )
    return f"no namespaces of our own: {done.stderr.strip()}" if done.returncode else ""
