"""Write the files of the step image the same way each time."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

from tools.docker_engine import EngineError

ROOT = Path(__file__).resolve().parent.parent
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "1767225600"))
"""Time of every file in the image, so that equal content gives equal layers."""


def compile_python(root: Path, *directories: str) -> None:
    """Compile with the Python of that root, the same way each time."""
    run(
        [
            *("chroot", str(root), "/usr/bin/python3", "-I", "-m", "compileall", "-q", "-o", "0"),
            *("--invalidation-mode", "unchecked-hash", *directories),
        ],
        PYTHONHASHSEED="0",
    )


def write_tar(root: Path, names: Iterable[str], target: Path) -> None:
    """Write an archive that depends on names, modes and bytes only; nothing in it is setuid."""
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as archive:
        for name in names:
            top = root / name
            for path in [top, *(() if top.is_symlink() else sorted(top.rglob("*")))]:
                entry = archive.gettarinfo(path, str(path.relative_to(root)))
                if not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk()):
                    continue
                if entry.islnk():
                    entry.type, entry.linkname, entry.size = tarfile.REGTYPE, "", path.stat().st_size
                entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = EPOCH, 0, 0, "", ""
                entry.mode &= 0o1777
                if entry.isreg():
                    with path.open("rb") as stream:
                        archive.addfile(entry, stream)
                else:
                    archive.addfile(entry)


def say(text: str) -> None:
    """Tell the person at the terminal what takes the time."""
    print(f"step image: {text}", file=sys.stderr, flush=True)


def run(command: list[str], **environment: str) -> None:
    """Run one program; its output is shown only when it fails.

    Raises:
        EngineError: When it fails.
    """
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise EngineError(f"`{' '.join(command)}` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
