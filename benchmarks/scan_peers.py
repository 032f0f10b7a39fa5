"""The scanners that ours is compared with: each at one version, in an environment of its own outside the checkout.

A peer's script runs in that environment. It reads a list of files, scans them one after the other in one process, and
prints for each what the peer's own command line would say of it.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.environment import find_uv
from tools.go_tools import cache_root

SCRIPTS: Final = "benchmarks.scan_scripts"


@dataclass(frozen=True, slots=True)
class Peer:
    """One scanner as it is measured: what to install, which script asks it, and how."""

    name: str
    script: str
    package: str
    version: str
    beside: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    slow: bool = False

    def python(self) -> Path:
        """Return the Python of the peer's environment, which is made when it is not there."""
        what = "-".join((self.package, self.version, *self.beside))
        home = cache_root() / f"scan-{what}-py{sys.version_info[0]}.{sys.version_info[1]}"
        python = home / "bin" / "python"
        if not (home / ".complete").exists():
            print(f"set-up: installing {self.package} {self.version}", file=sys.stderr, flush=True)
            uv = find_uv()
            subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True)
            wanted = [f"{self.package}=={self.version}", *self.beside]
            subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), *wanted], check=True)
            (home / ".complete").touch()
        return python


PEERS: Final = (
    Peer("picklescan", "ask_picklescan", "picklescan", "1.0.5", beside=("numpy",)),
    Peer("picklescan --strict", "ask_picklescan", "picklescan", "1.0.5", beside=("numpy",), arguments=("strict",)),
    Peer("modelscan", "ask_modelscan", "modelscan", "0.8.8"),
    # It imports typing_extensions without asking for it.
    Peer("fickling", "ask_fickling", "fickling", "0.1.12", beside=("typing_extensions",)),
    Peer("modelaudit", "ask_modelaudit", "modelaudit", "0.2.54", slow=True),
    Peer("modelaudit-picklescan", "ask_modelaudit_picklescan", "modelaudit-picklescan", "0.1.12", slow=True),
)
"""Every peer. The slow ones are given a sample when one is asked for."""
