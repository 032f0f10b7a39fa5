"""A private corner of the machine: network, mounts and processes of its own, gone as a whole when it is closed.

The first process of the corner reaps orphans; when it dies the kernel ends every other process in it, and with the
last of them go the links, the firewall rules and the mounts. So there is nothing to clean up by name but the cgroups.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_CLONE_NEWNET = 0x40000000
_REAPER = "while :; do sleep 3600 & wait $!; done"
_CGROUPS = Path("/sys/fs/cgroup")
START_SECONDS = 10


class Namespace:
    """Processes started here see only their own network, mounts and each other."""

    def __init__(self, *, cgroup: str) -> None:
        self.cgroup = cgroup
        # The corner ends with whoever made it, even if that process is killed.
        self._holder = subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL"),
                *("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
                *("--propagation", "private", "bash", "-c", _REAPER),
            ],
            stdin=subprocess.DEVNULL,
        )
        self.pid = self._first_process()

    def _first_process(self) -> int:
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                for child in children.read_text(encoding="ascii").split():
                    if Path(f"/proc/{child}/comm").read_text(encoding="ascii").strip() == "bash":
                        return int(child)
            if self._holder.poll() is not None:
                break
            time.sleep(0.01)
        raise RuntimeError(
            "no namespaces of our own: `unshare --net --mount --pid` needs root and a kernel that allows it"
        )

    def enter(self, *command: str) -> list[str]:
        """Return the command line that runs the command inside."""
        return ["nsenter", "--target", str(self.pid), "--net", "--mount", "--pid", f"--wd={os.getcwd()}", *command]

    def run(
        self,
        *command: str,
        stdin: str | None = None,
        environment: Mapping[str, str] | None = None,
        seconds: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside to its end."""
        return subprocess.run(
            self.enter(*command),
            input=stdin,
            env=None if environment is None else dict(environment),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def shell(self, script: str) -> None:
        """Run a script inside and raise if it fails."""
        done = self.run("bash", "-euc", script)
        if done.returncode:
            raise RuntimeError(f"{script}\n{done.stdout}{done.stderr}")

    def spawn(self, command: Sequence[str], *, log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a command inside that goes on; its output is appended to the log."""
        with log.open("ab") as output:
            return subprocess.Popen(
                self.enter(*command), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=dict(environment)
            )

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in a thread whose sockets belong to the inner network."""
        box: list[T] = []
        failure: list[BaseException] = []

        def inside() -> None:
            try:
                with open(f"/proc/{self.pid}/ns/net", "rb") as handle:
                    libc = ctypes.CDLL(None, use_errno=True)
                    if libc.setns(handle.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                box.append(function())
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if failure:
            raise failure[0]
        return box[0]

    def make_cgroups(self) -> None:
        """Make the root of this corner's cgroups under every controller, so that no two corners share one."""
        for controller in _CGROUPS.iterdir():
            if controller.is_dir() and not controller.is_symlink() and (controller / "cgroup.procs").exists():
                (controller / self.cgroup).mkdir(exist_ok=True)
                if controller.name.startswith("cpuset"):
                    for setting in ("cpuset.cpus", "cpuset.mems"):
                        (controller / self.cgroup / setting).write_text((controller / setting).read_text("ascii"))

    def close(self) -> None:
        """End every process inside and wait until the kernel has taken them away."""
        self._holder.kill()
        self._holder.wait()
        deadline = time.monotonic() + START_SECONDS
        while Path(f"/proc/{self.pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        remove_cgroups(self.cgroup)


def remove_cgroups(name: str) -> None:
    """Remove the empty cgroups of that name, under every controller."""
    for root in _CGROUPS.glob(f"*/{name}"):
        for directory, _, _ in os.walk(root, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(directory)
