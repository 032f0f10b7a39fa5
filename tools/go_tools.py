"""Build the Go programs that the interop lanes test against, once, into a cache outside the checkout.

Nothing but the standard library is imported, so that a fresh machine can run ``python3 tools/go_tools.py cosign``
before anything is installed. A tool is one pinned module version; its dependencies are the ones that version asks
for, checked against Go's checksum database. The path of the cached program names tool, version and compiler, so a
new pin or a new Go never meets an old binary.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BUILD_SECONDS = 1500
"""Longest build that is waited for; the largest tool takes about five minutes on two idle cores."""


class ToolError(Exception):
    """A Go tool cannot be built on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class GoTool:
    """One program, pinned."""

    name: str
    module: str
    version: str
    package: str
    """Import path of the ``main`` package."""


TOOLS = {
    tool.name: tool
    for tool in (
        GoTool(
            name="cosign",
            module="github.com/sigstore/cosign/v3",
            version="v3.1.3",
            package="github.com/sigstore/cosign/v3/cmd/cosign",
        ),
    )
}
"""The programs that lanes may ask for by name."""


def cache_root() -> Path:
    """Return the directory that holds built tools, outside every checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "weighbridge"


def go_version() -> str:
    """Return the compiler's version, such as ``go1.26.8``; raise ``ToolError`` when there is no Go."""
    if shutil.which("go") is None:
        raise ToolError("no `go` on PATH: install the Go tool chain (Debian: apt-get install golang-go)")
    return _go("env", "GOVERSION", cwd=Path("/"), seconds=60).strip()


def cached(name: str) -> Path | None:
    """Return the built program if the cache has it, without building."""
    with contextlib.suppress(ToolError):
        program = _target(TOOLS[name])
        if program.is_file():
            return program
    return None


def build(name: str) -> Path:
    """Return the built program, building it first when the cache lacks it.

    Two callers at the same time build once: the second waits for the first. The program appears in the cache by
    rename, so an interrupted build leaves nothing that looks finished.
    """
    tool = TOOLS[name]
    program = _target(tool)
    with _lock(program.parent):
        if not program.is_file():
            _build(tool, program)
    return program


def _target(tool: GoTool) -> Path:
    return cache_root() / f"{tool.name}-{tool.version}-{go_version()}" / tool.name


@contextlib.contextmanager
def _lock(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(tool: GoTool, program: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f"weighbridge-{tool.name}-") as scratch:
        module = Path(scratch)
        _go("mod", "init", "weighbridge.invalid/build", cwd=module)
        for replacement in _upstream_replacements(tool, module):
            _go("mod", "edit", "-replace", replacement, cwd=module)
        # Asking for the package, not the module, keeps the program's own imports in the module graph.
        _go("get", f"{tool.package}@{tool.version}", cwd=module)
        _go("build", "-trimpath", "-o", str(module / "program"), tool.package, cwd=module)
        staged = program.with_name(f".{program.name}.{os.getpid()}")
        shutil.copy2(module / "program", staged)
        staged.replace(program)


def _upstream_replacements(tool: GoTool, module: Path) -> list[str]:
    """Repeat the ``replace`` lines of the tool's own ``go.mod``: Go ignores them in a dependency."""
    record = json.loads(_go("mod", "download", "-json", f"{tool.module}@{tool.version}", cwd=module))
    described = json.loads(_go("mod", "edit", "-json", str(record["GoMod"]), cwd=module))
    lines = []
    for entry in described.get("Replace") or []:
        old, new = entry["Old"], entry["New"]
        if new["Path"].startswith((".", "/")):
            raise ToolError(f"{tool.module} replaces {old['Path']} by a local directory, which a module cannot carry")
        lines.append("=".join("@".join(filter(None, (side["Path"], side.get("Version")))) for side in (old, new)))
    return lines


def _go(*arguments: str, cwd: Path, seconds: int = BUILD_SECONDS) -> str:
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOWORK": "off"}
    try:
        done = subprocess.run(
            ["go", *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"`go {' '.join(arguments)}` took more than {seconds} s") from None
    if done.returncode:
        raise ToolError(f"`go {' '.join(arguments)}` failed:\n{done.stderr[-2000:]}")
    return done.stdout


def main() -> int:
    """Build the named tools and print where they are."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="+", choices=sorted(TOOLS))
    for name in parser.parse_args().names:
        try:
            print(build(name))
        except ToolError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
