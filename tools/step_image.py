"""Build the step image once, into a cache outside the checkout: ``python -m tools.step_image``.

Two archives are made here and ``containers/Containerfile`` only unpacks them: a stripped Debian base, keyed by suite
and package list, and the application, keyed by its sources and its lock. The finished image is kept as ``docker save``
writes it, so that containerd can import it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tools import debian_base, image_files, image_sbom
from tools.docker_engine import Engine, EngineError, engine
from tools.environment import find_uv
from tools.go_tools import cache_root, locked
from tools.image_files import EPOCH, compile_python, run, say, write_tar

ROOT = Path(__file__).resolve().parent.parent
CONTAINERFILE = ROOT / "containers" / "Containerfile"
LOCK = ROOT / "containers" / "requirements.lock"
PACKAGES = "usr/local/lib/python3.11/dist-packages"
"""Where Debian's Python looks for what Debian did not install."""
UNUSED = (
    *("tests", "__pycache__", "include"),
    *("onnxruntime/transformers", "onnxruntime/quantization", "onnxruntime/tools"),
)
"""Directories of packages that never run here: together about a tenth of the image."""
CLIENTS = tuple(
    f"pyarrow/{name}"
    for name in (
        "libarrow_flight",
        "libarrow_python_flight",
        "_flight",
        "libarrow_s3",
        "_s3fs",
        "_gcsfs",
        "_azurefs",
        "_hdfs",
    )
)
"""How the names of files begin that only reach other machines: a step reads data from its own disk."""
BUILD_ONLY = (".pyi", ".pxd", ".pyx", ".h", ".hpp", ".c", ".cpp", ".a")
"""Endings of files that only a compiler or a type checker reads."""
INSTALL_ONLY = (".lock", "uv_cache.json", "direct_url.json", "RECORD", "INSTALLER", "REQUESTED")
"""Names of files that only an installer reads, and that say when and from where something was installed."""

KEPT = 4
"""Images that stay in the cache; an older one is built again when somebody goes back to its sources."""

LAUNCHER = """\
#!/usr/bin/python3 -I
import sys

from weighbridge.cli import main

# A component names its command, which replaces an entry point in Kubernetes; the local runner of Kubeflow Pipelines
# appends it to the entry point, so here it may come twice.
if sys.argv[1:2] == [sys.argv[0]]:
    del sys.argv[1]
main()
"""
_MACHINES = {"x86_64": "x86_64-manylinux_2_36", "aarch64": "aarch64-manylinux_2_36"}


@dataclass(frozen=True, slots=True)
class StepImage:
    """A built image: the archive that ``docker load`` and ``ctr images import`` take, and its name in it."""

    archive: Path
    reference: str


def image_key() -> str:
    """Return what names the image: everything that goes into it, by content."""
    own = [
        CONTAINERFILE,
        LOCK,
        *(Path(module.__file__ or "") for module in (debian_base, image_files, image_sbom)),
        Path(__file__),
    ]
    sources = sorted(path for path in (ROOT / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    summary = hashlib.sha256(f"{debian_base.key()} {EPOCH} {os.uname().machine}\n".encode())
    for path in [*own, ROOT / "pyproject.toml", *sources]:
        summary.update(f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return summary.hexdigest()[:16]


def step_image(running: Engine | None = None) -> StepImage:
    """Return the image of this checkout, building it when the cache has none; two callers build once.

    Raises:
        EngineError: When no engine can run here.
    """
    key = image_key()
    home = cache_root() / "step-image"
    found = StepImage(home / f"{key}.tar", f"weighbridge/step:{key}")
    with locked(home):
        if not found.archive.is_file():
            with contextlib.ExitStack() as stack:
                build(found, running or stack.enter_context(engine()), home)
    return found


def build(image: StepImage, running: Engine, home: Path) -> None:
    """Build the image with this engine and save it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="context-", dir=home) as place:
        context = Path(place)
        base = debian_base.base_archive(home)
        os.link(base, context / "base.tar")
        shutil.copy2(CONTAINERFILE, context / "Containerfile")
        application(base, build_wheel(context / "wheel"), context / "app.tar")
        shutil.rmtree(context / "wheel")
        running.docker(
            *("build", "--network", "none", "--no-cache", "--force-rm", "-f", context / "Containerfile"),
            *("--build-arg", f"VERSION={version()}", "--build-arg", f"REVISION={image_key()}"),
            *("-t", image.reference, context),
        )
        staged = context / "image.tar"
        running.docker("save", "-o", staged, image.reference)
        staged.chmod(0o644)
        staged.replace(image.archive)
    _forget_old(home)
    say(f"built {image.reference}, {image.archive.stat().st_size / 1e6:.0f} MB, in {time.monotonic() - started:.0f} s")


def _forget_old(home: Path) -> None:
    """Keep the newest images: each change of a source makes another of 400 MB."""
    images = sorted(
        (path for path in home.glob("*.tar") if "-" not in path.name), key=lambda path: path.stat().st_mtime
    )
    for path in images[:-KEPT]:
        path.unlink()


def build_wheel(directory: Path) -> Path:
    """Build the wheel of this checkout."""
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)])
    (wheel,) = directory.glob("*.whl")
    return wheel


def application(base: Path, wheel: Path, target: Path) -> None:
    """Write the archive of Weighbridge, its packages, their byte code and the bill of materials."""
    with tempfile.TemporaryDirectory(prefix="weighbridge-root-", dir=target.parent) as place:
        root = Path(place)
        with tarfile.open(base) as archive:
            archive.extractall(root, filter="fully_trusted")
        packages = root / PACKAGES
        _install(packages, wheel)
        launcher = root / "usr/local/bin/weighbridge"
        launcher.write_text(LAUNCHER)
        launcher.chmod(0o755)
        # Byte code that is never compared with its source: times in the image say nothing, and nothing there changes.
        compile_python(root, f"/{PACKAGES}")
        bill = root / "usr/share/weighbridge/sbom.cdx.json"
        bill.parent.mkdir(parents=True, exist_ok=True)
        bill.write_text(json.dumps(image_sbom.bill(root, LOCK, version=version()), indent=1, sort_keys=True))
        write_tar(root, ("usr/local/bin", PACKAGES, "usr/share/weighbridge"), target)


def _install(packages: Path, wheel: Path) -> None:
    uv = [find_uv(), "pip", "install", "--quiet", "--python", sys.executable, "--target", str(packages)]
    platform = [
        "--python-version",
        "3.11",
        "--python-platform",
        _MACHINES[os.uname().machine],
        "--only-binary",
        ":all:",
    ]
    packages.mkdir(parents=True, exist_ok=True)
    run([*uv, *platform, "--no-deps", "--require-hashes", "-r", str(LOCK)])
    run([*uv, *platform, "--no-deps", str(wheel)])
    shutil.rmtree(packages / "bin", ignore_errors=True)
    for path in sorted(packages.rglob("*"), reverse=True):
        if path.is_dir() and (path.name in UNUSED or str(path.relative_to(packages)) in UNUSED):
            shutil.rmtree(path)
        elif path.is_file() and _is_unused(path, packages):
            path.unlink()


def _is_unused(path: Path, packages: Path) -> bool:
    known = path.suffix in BUILD_ONLY or path.name in INSTALL_ONLY
    return known or str(path.relative_to(packages)).startswith(CLIENTS)


def version() -> str:
    """Return the version of the project."""
    text = (ROOT / "src/weighbridge/__init__.py").read_text()
    return text.partition('__version__ = "')[2].partition('"')[0]


def main() -> int:
    """Build the image when it is not there, and print the archive and the name."""
    try:
        found = step_image()
    except EngineError as error:
        say(str(error))
        return 1
    print(f"{found.archive}\n{found.reference}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
