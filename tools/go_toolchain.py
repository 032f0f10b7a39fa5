"""Bring a current Go to a machine whose distribution has an old one, through the old one.

Go's releases are published as the module ``golang.org/toolchain``. A Go of 1.21 or newer switches to them by itself;
an older one can still download that module and check it against Go's checksum database. Prints the directory to put
first on PATH.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "go1.26.8"
"""The release that the interop tools are built with where the machine has no newer Go of its own."""

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def main() -> int:
    """Download the release into Go's module cache and make its programs executable."""
    module = f"golang.org/toolchain@v0.0.1-{VERSION}.linux-{_MACHINES[platform.machine()]}"
    # Outside any module, because an old Go refuses a go.mod of a newer one.
    with tempfile.TemporaryDirectory() as outside:
        done = subprocess.run(
            ["go", "mod", "download", "-json", module], cwd=outside, capture_output=True, text=True, check=False
        )
    if done.returncode:
        print(f"{module} is not to be had:\n{done.stdout}{done.stderr}", file=sys.stderr)
        return 1
    home = Path(json.loads(done.stdout)["Dir"])
    # A module's files carry no mode; a toolchain's programs need theirs.
    for program in [*(home / "bin").iterdir(), *(home / "pkg" / "tool").rglob("*")]:
        if program.is_file():
            program.chmod(0o555)
    print(home / "bin")
    return 0


if __name__ == "__main__":
    sys.exit(main())
