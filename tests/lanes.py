"""Lanes: groups of tests that need more than Python, and whether this machine can run them.

A test joins a lane with the marker of the lane's name; a test without one belongs to ``core``, which always runs.
A probe answers why the lane cannot run here, or nothing when it can.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools import docker_engine, go_tools

from tests.cluster import requirements as cluster_requirements

DEMAND = "WEIGHBRIDGE_DEMAND_ALL_LANES"
"""Environment variable with which a lane that cannot run fails in place of being skipped."""

DIRHASH_MODULE = Path(__file__).parent / "interop" / "dirhash"
"""The Go module that prints ``dirhash.Hash1`` of a directory."""

GO_MODULES = (DIRHASH_MODULE, Path(__file__).parent / "admission" / "cel")
"""The Go modules of tests, whose dependencies the lane needs."""

_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_VERSION_FLAG = 1
_LANDLOCK_WITH_TCP = 4


@dataclass(frozen=True, slots=True)
class Lane:
    """A group of tests and the probe that says why this machine cannot run it."""

    name: str
    purpose: str
    probe: Callable[[], str]


def demanded() -> bool:
    """Tell whether every lane has to run."""
    return os.environ.get(DEMAND, "") not in {"", "0"}


def lane_of(markers: set[str]) -> str:
    """Return the lane of a test with these markers: the most demanding one, or ``core``."""
    return next((lane.name for lane in LANES if lane.name in markers), CORE)


@functools.cache
def why_not(name: str) -> str:
    """Return why the lane cannot run here; empty when it can. Each probe runs once a process."""
    return next(lane.probe() for lane in LANES if lane.name == name)


def _nothing() -> str:
    return ""


def _browser() -> str:
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    return f"no {' and no '.join(missing)} on PATH (Debian: chromium chromium-driver)" if missing else ""


def _built(name: str) -> str:
    if go_tools.cached(name):
        return ""
    try:
        go_tools.go_version()
    except go_tools.ToolError as error:
        return str(error)
    return f"{name} is not built yet: `make tools` builds it once"


def _go() -> str:
    try:
        go_tools.go_version()
    except go_tools.ToolError as error:
        return str(error)
    for module in GO_MODULES:
        done = subprocess.run(
            ["go", "mod", "download"], cwd=module, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            return f"what {module.name} imports is not to be had: {done.stderr.strip()[-200:]}"
    return ""


def _landlock() -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION_FLAG)
    if version >= 1:
        return ""
    return f"this kernel has no Landlock ({os.strerror(ctypes.get_errno())})"


def _landlock_tcp() -> str:
    version = ctypes.CDLL(None).syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION_FLAG)
    return "" if version >= _LANDLOCK_WITH_TCP else f"this kernel's Landlock knows no TCP (version {max(version, 0)})"


def _namespaces() -> str:
    if shutil.which("unshare") is None:
        return "no `unshare` on PATH (Debian: util-linux)"
    tried = subprocess.run(
        ["unshare", "--user", "--map-user=1000", "true"], capture_output=True, text=True, check=False
    )
    return f"this place allows no user namespace: {tried.stderr.strip()}" if tried.returncode else ""


def _privileges() -> str:
    return "" if os.geteuid() == 0 else "not root, so there is nothing to give up"


def _device() -> str:
    with tempfile.TemporaryDirectory() as place:
        try:
            os.mknod(Path(place, "null"), 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        except OSError as error:
            return f"no device can be made: {error.strerror}"
    return ""


def _root() -> str:
    if os.geteuid() != 0:
        return "not root"
    if shutil.which("mount") is None:
        return "root, but there is no `mount` on PATH"
    with tempfile.TemporaryDirectory() as place:
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], capture_output=True, text=True, check=False
        )
        if mount.returncode:
            return f"root, but a tmpfs cannot be mounted: {mount.stderr.strip().splitlines()[0]}"
        subprocess.run(["umount", place], check=True)
    return ""


def _ssh() -> str:
    return "" if shutil.which("ssh-keygen") else "no ssh-keygen on PATH (Debian: openssh-client)"


CORE = "core"
LANES = (
    Lane(
        "cluster",
        "a real Kubernetes cluster: API server, scheduler, kubelets, containerd",
        cluster_requirements.why_not,
    ),
    Lane("docker", "steps in containers of a real Docker engine", docker_engine.why_not),
    Lane("browser", "the HTML report in a real Chromium", _browser),
    Lane("registry", "model images in a real distribution registry", functools.partial(_built, "registry")),
    Lane("cosign", "bundles exchanged with the real cosign", functools.partial(_built, "cosign")),
    Lane("go", "the digest against Go's own dirhash.Hash1", _go),
    Lane("ssh", "key ids as ssh-keygen prints them", _ssh),
    Lane("root", "a full disk and a read-only target on a real tmpfs", _root),
    Lane("device", "a device in place of a model's file is refused", _device),
    Lane("privileges", "a worker that root starts gives up root's privileges", _privileges),
    Lane("namespaces", "workers of an ordinary user, and that no worker makes a user namespace", _namespaces),
    Lane("landlock_tcp", "a worker's TCP is refused by Landlock even without seccomp", _landlock_tcp),
    Lane("landlock", "workers under real Landlock rules", _landlock),
    Lane(CORE, "everything that needs Python only", _nothing),
)
"""Every lane; a test with several markers counts for the first, and needs all of them."""
