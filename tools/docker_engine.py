"""Start Debian's Docker engine by hand, apart from any other on the machine, and stop it without leftovers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60
STOP_SECONDS = 30


class EngineError(Exception):
    """The engine cannot run here; the message says why."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine. ``host`` is what ``DOCKER_HOST`` has to be."""

    directory: Path

    @property
    def host(self) -> str:
        """Return the address of its socket."""
        return f"unix://{self.directory / 'docker.sock'}"

    def docker(
        self, *arguments: str | Path, check: bool = True, seconds: int = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run the ``docker`` client against this engine."""
        done = subprocess.run(
            ["docker", "-H", self.host, *map(str, arguments)],
            env={**os.environ, "DOCKER_BUILDKIT": "0", "DOCKER_CONFIG": str(self.directory / "config")},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if check and done.returncode:
            raise EngineError(
                f"`docker {' '.join(map(str, arguments))}` failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
            )
        return done


def why_not() -> str:
    """Return why no engine can run here; empty when one can."""
    missing = [
        name for name in ("dockerd", "docker", "containerd", "runc", "debootstrap") if shutil.which(name) is None
    ]
    if missing:
        return f"no {' and no '.join(missing)} on PATH (Debian: docker.io debootstrap)"
    return "" if os.geteuid() == 0 else "not root"


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Start an engine with all its state in a directory of its own; afterwards nothing of it is left.

    It has no bridge and touches no firewall, so it cannot disturb the machine's network: containers run with the
    network ``none`` or ``host``.

    Raises:
        EngineError: When it does not come up.
    """
    if reason := why_not():
        raise EngineError(reason)
    # Short: the path of a socket may have 108 characters.
    directory = Path(tempfile.mkdtemp(prefix="wb-docker-"))
    log = directory / "log"
    try:
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [
                    "dockerd",
                    *("--data-root", str(directory / "data"), "--exec-root", str(directory / "exec")),
                    *("--pidfile", str(directory / "pid"), "-H", f"unix://{directory / 'docker.sock'}"),
                    *("--bridge", "none", "--iptables=false", "--ip-forward=false", "--userland-proxy=false"),
                    *("--log-level", "warn"),
                ],
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        try:
            running = Engine(directory)
            _wait(running, process, log)
            yield running
        finally:
            _stop(process)
    finally:
        _unmount(directory)
        shutil.rmtree(directory, ignore_errors=True)


def _wait(running: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while running.docker("version", check=False).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise EngineError(f"dockerd did not come up:\n{log.read_text(errors='replace')[-3000:]}")
        time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes]) -> None:
    # It stops its containers and its own containerd when it is asked to.
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _unmount(directory: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if Path(mount).is_relative_to(directory)), reverse=True):
        subprocess.run(["umount", "-l", mount], check=False, capture_output=True)
