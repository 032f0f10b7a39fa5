"""The tools that we compare with, in an environment of their own: their packages never meet ours."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from tools.environment import find_uv
from tools.go_tools import cache_root

LOCK = Path(__file__).parent / "requirements.lock"


def tools_python() -> Path:
    """Return the Python of the environment with the other tools, made from its hashed lock when it is not there."""
    name = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = cache_root() / f"bench-{name}"
    python = home / "bin" / "python"
    if not (home / ".complete").exists():
        print("set-up: installing the tools to compare with", file=sys.stderr, flush=True)
        uv = find_uv()
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True)
        install = [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(python), "-r", str(LOCK)]
        subprocess.run(install, check=True)
        (home / ".complete").touch()
    return python


def tool(name: str) -> str:
    """Return one program of that environment."""
    return str(tools_python().parent / name)


def ours(name: str) -> str:
    """Return one program of the environment that runs this benchmark."""
    return str(Path(sys.executable).parent / name)
