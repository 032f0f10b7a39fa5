"""One server of the cluster: started, stopped, killed and started again by the tests that need it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.namespace import Namespace

STOP_SECONDS = 20


@dataclass
class Program:
    """A server and how it is started; the log goes on over restarts."""

    name: str
    command: Sequence[str]
    namespace: Namespace
    log: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        self.process = self.namespace.spawn(self.command, log=self.log, environment=self.environment)

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it as a crash would, with SIGKILL."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        # The process that we started is nsenter; the server is its child inside the namespace.
        if self.process is None or self.process.poll() is not None:
            return
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        for child in children.split():
            os.kill(int(child), number)
        self.process.wait(STOP_SECONDS)

    def tail(self, lines: int = 15) -> str:
        """Return the end of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
