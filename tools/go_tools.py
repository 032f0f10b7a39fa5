"""Build the Go programs that lanes test against, once, into a cache outside the checkout.

Nothing but the standard library is imported, so that a fresh machine can run ``python3 tools/go_tools.py cosign``
before anything is installed. A tool is one pinned module version; its dependencies are the ones that version asks
for, checked against Go's checksum database. The path of the cached programs names tool, version and compiler, so a
new pin or a new Go never meets an old binary. A build that was interrupted starts again where Go's own cache ends.
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
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

BUILD_SECONDS = 2400
"""Longest build that is waited for; the largest tool takes about six minutes on two idle cores."""

PATCHES = Path(__file__).resolve().parent / "patches"


class ToolError(Exception):
    """A Go tool cannot be built on this machine; the message says why."""


@dataclass(frozen=True, slots=True)
class GoTool:
    """The programs of one module, pinned."""

    name: str
    module: str
    version: str
    programs: Mapping[str, str]
    """File name of each program, and the import path of its ``main`` package."""
    tags: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    """String variables set by the linker, by their full name."""
    siblings: str = ""
    """Version of the published modules that upstream replaces by directories of its own tree."""
    additions: Mapping[str, str] = field(default_factory=dict)
    """Files that the published module lacks: path below its root, and our file of that content."""


def _kubernetes(name: str, version: str, *programs: str) -> GoTool:
    major, minor, _ = version.removeprefix("v").split(".")
    component = "k8s.io/component-base/version"
    return GoTool(
        name=name,
        module="k8s.io/kubernetes",
        version=version,
        programs={program: f"k8s.io/kubernetes/cmd/{program}" for program in programs},
        # Without these the server calls itself v0.0.0 and clients complain.
        variables={
            f"{component}.gitVersion": version,
            f"{component}.gitMajor": major,
            f"{component}.gitMinor": minor,
        },
        siblings=f"v0.{version.removeprefix('v1.')}",
    )


TOOLS = {
    tool.name: tool
    for tool in (
        GoTool(
            name="cosign",
            module="github.com/sigstore/cosign/v3",
            version="v3.1.3",
            programs={"cosign": "github.com/sigstore/cosign/v3/cmd/cosign"},
        ),
        GoTool(
            name="registry",
            module="github.com/distribution/distribution/v3",
            version="v3.1.2",
            programs={"registry": "github.com/distribution/distribution/v3/cmd/registry"},
        ),
        GoTool(
            name="etcd",
            module="go.etcd.io/etcd/server/v3",
            version="v3.7.3",
            programs={"etcd": "go.etcd.io/etcd/server/v3"},
            siblings="v3.7.3",
        ),
        GoTool(
            name="containerd",
            module="github.com/containerd/containerd/v2",
            version="v2.4.2",
            programs={
                program: f"github.com/containerd/containerd/v2/cmd/{program}"
                for program in ("containerd", "ctr", "containerd-shim-runc-v2")
            },
            tags="no_btrfs",
        ),
        _kubernetes(
            "kubernetes",
            "v1.36.3",
            *("kube-apiserver", "kube-scheduler", "kube-controller-manager", "kubelet", "kube-proxy", "kubectl"),
        ),
        _kubernetes("kubernetes-1.34", "v1.34.4", "kube-apiserver", "kube-scheduler", "kube-controller-manager"),
        GoTool(
            name="argo",
            module="github.com/argoproj/argo-workflows/v3",
            version="v3.7.14",
            programs={
                program: f"github.com/argoproj/argo-workflows/v3/cmd/{program}"
                for program in ("workflow-controller", "argoexec")
            },
            additions={"workflow/executor/osspecific/signal_linux.go": "argo_signal_linux.go.txt"},
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
    """Return the directory of the built programs if the cache has all of them, without building."""
    with contextlib.suppress(ToolError):
        home = _home(TOOLS[name])
        if not _absent(TOOLS[name], home):
            return home
    return None


def build(name: str) -> Path:
    """Return the directory of the built programs, building those that the cache lacks.

    Two callers at the same time build once: the second waits for the first. A program appears in the cache by
    rename, so an interrupted build leaves nothing that looks finished.
    """
    tool = TOOLS[name]
    home = _home(tool)
    with locked(home):
        if _absent(tool, home):
            _build(tool, home)
    return home


def module_directory(name: str) -> Path:
    """Return the directory of the tool's source in Go's module cache, downloading it when it is not there."""
    return Path(str(_download(TOOLS[name], Path("/"))["Dir"]))


def _home(tool: GoTool) -> Path:
    return cache_root() / f"{tool.name}-{tool.version}-{go_version()}"


def _absent(tool: GoTool, home: Path) -> list[str]:
    return [program for program in tool.programs if not (home / program).is_file()]


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the lock of a directory of the cache, making it first; a second caller waits."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(tool: GoTool, home: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f"weighbridge-{tool.name}-") as scratch:
        module = Path(scratch)
        _go("mod", "init", "weighbridge.invalid/build", cwd=module)
        for replacement in _upstream_replacements(tool, module):
            _go("mod", "edit", "-replace", replacement, cwd=module)
        # Asking for the packages, not the module, keeps the programs' own imports in the module graph.
        _go("get", *(f"{package}@{tool.version}" for package in tool.programs.values()), cwd=module)
        source = _vendor(tool, module) if tool.additions else ()
        for program in _absent(tool, home):
            started = time.monotonic()
            _go("build", *source, *_flags(tool), "-o", str(module / "program"), tool.programs[program], cwd=module)
            staged = home / f".{program}.{os.getpid()}"
            shutil.copy2(module / "program", staged)
            staged.replace(home / program)
            print(f"built {program} {tool.version} in {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)


def _flags(tool: GoTool) -> list[str]:
    linker = ["-s", "-w", *(f"-X={name}={value}" for name, value in tool.variables.items())]
    return ["-trimpath", f"-tags={tool.tags}", f"-ldflags={' '.join(linker)}"]


def _vendor(tool: GoTool, module: Path) -> tuple[str]:
    """Copy the sources beside the build and add what the published module lacks; return the flag to use them."""
    imports = "\n".join(f'import _ "{package}"' for package in tool.programs.values())
    (module / "tools.go").write_text(f"//go:build tools\n\npackage tools\n\n{imports}\n", encoding="utf-8")
    _go("mod", "tidy", cwd=module)
    _go("mod", "vendor", cwd=module)
    for path, ours in tool.additions.items():
        target = module / "vendor" / tool.module / path
        if target.exists():
            raise ToolError(f"{tool.module} {tool.version} has {path} of its own: drop the addition")
        target.write_bytes((PATCHES / ours).read_bytes())
    return ("-mod=vendor",)


def _download(tool: GoTool, module: Path) -> dict[str, object]:
    return dict(json.loads(_go("mod", "download", "-json", f"{tool.module}@{tool.version}", cwd=module)))


def _upstream_replacements(tool: GoTool, module: Path) -> list[str]:
    """Repeat the ``replace`` lines of the tool's own ``go.mod``: Go ignores them in a dependency."""
    described = json.loads(_go("mod", "edit", "-json", str(_download(tool, module)["GoMod"]), cwd=module))
    lines = []
    for entry in described.get("Replace") or []:
        old, new = entry["Old"], entry["New"]
        if new["Path"].startswith((".", "/")):
            if tool.siblings:
                lines.append(f"{old['Path']}={old['Path']}@{tool.siblings}")
                continue
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
    """Build the named tools, or all, and print where they are."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *sorted(TOOLS)], metavar="TOOL")
    for name in parser.parse_args().names or TOOLS:
        try:
            print(build(name), flush=True)
        except ToolError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
