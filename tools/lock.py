"""Write the lock, or check that it still answers ``pyproject.toml``.

The check resolves nothing over the network: it reads every requirement that the project declares, follows extras and
groups, and asks whether the lock pins one version that satisfies it and hashes every pin.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools.environment import find_uv

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
COMPILE = ["pip", "compile", "--universal", "--generate-hashes", "--no-emit-index-url", "--quiet"]
PROJECT = ["pyproject.toml", "--all-extras", "--group", "dev"]
LOCKED_GROUPS = ("dev",)
STEP_EXTRAS = ["--extra", "data", "--extra", "kubernetes", "--extra", "oci", "--extra", "onnx", "--extra", "sklearn"]
_PIN = re.compile(r"^(?P<name>[a-z0-9.-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)


def pins(lock: str) -> dict[str, set[Version]]:
    """Return what a lock pins; a universal lock may pin two versions of one package under two markers."""
    found: dict[str, set[Version]] = {}
    for match in _PIN.finditer(lock):
        found.setdefault(canonicalize_name(match["name"]), set()).add(Version(match["version"]))
    return found


def declared(project: dict[str, object]) -> list[Requirement]:
    """Return every requirement of the project, its extras, its locked groups and its build backend."""
    table, groups, build = project["project"], project["dependency-groups"], project["build-system"]
    assert isinstance(table, dict)
    assert isinstance(groups, dict)
    assert isinstance(build, dict)
    lines = [*table["dependencies"], *build["requires"]]
    lines += [line for extra in table["optional-dependencies"].values() for line in extra]
    lines += [line for group in LOCKED_GROUPS for line in groups[group]]
    requirements = [Requirement(line) for line in lines]
    return [item for item in requirements if canonicalize_name(item.name) != canonicalize_name(table["name"])]


def problems(project: dict[str, object], lock: str) -> list[str]:
    """Say in which ways the lock does not answer the project; nothing when it does."""
    pinned = pins(lock)
    found = []
    for requirement in declared(project):
        versions = pinned.get(canonicalize_name(requirement.name), set())
        if not versions:
            found.append(f"{requirement} is not in the lock")
        found += [f"{requirement} is locked as {v}" for v in versions if not requirement.specifier.contains(v, True)]
    entries = [entry for entry in re.split(r"\n(?=[a-z0-9])", lock) if "==" in entry.splitlines()[0]]
    found += [f"{entry.split()[0]} has no hash" for entry in entries if "--hash=sha256:" not in entry]
    return found


def check() -> int:
    """Print the problems of the lock in the checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = problems(project, LOCK.read_text(encoding="utf-8"))
    for problem in found:
        print(f"requirements.lock: {problem}; run `make lock`", file=sys.stderr)
    return 1 if found else 0


def write() -> int:
    """Resolve again, under the cool-down that ``pyproject.toml`` sets."""
    uv = find_uv()
    for arguments in (
        [*PROJECT, "-o", "requirements.lock"],
        # What the step image holds: the same pins, without what a step does not need.
        ["pyproject.toml", *STEP_EXTRAS, "-c", "requirements.lock", "-o", "containers/requirements.lock"],
        ["tools/uv.in", "-o", "tools/uv.txt"],
        ["--group", "bench", "-o", "benchmarks/requirements.lock"],
    ):
        subprocess.run([uv, *COMPILE, *arguments], cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit({"check": check, "write": write}[sys.argv[1]]())
