"""Make the project's virtual environment from the lock, on a machine that has Python and nothing else.

Every package is checked against the hashes in ``requirements.lock``, the build backend included; nothing is resolved
here. Only the standard library is imported. What a machine lacks is named, with the command that brings it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
UV_LOCK = ROOT / "tools" / "uv.txt"
OLDEST = (3, 11)


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


def main() -> int:
    """Create or update the environment, and print nothing when it is already right."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("directory", type=Path)
    try:
        make(parser.parse_args().directory)
    except SetupError as error:
        print(f"set-up stopped: {error}", file=sys.stderr)
        return 2
    return 0


def make(directory: Path) -> None:
    """Create the environment, install the lock with hashes, then the project itself as editable."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SetupError(f"Python {found} is too old; run `make PYTHON=/path/to/python3.11` with 3.11 or newer")
    uv = find_uv()
    if not (directory / "bin" / "python").exists():
        run([uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(directory)])
    install = [uv, "pip", "install", "--quiet", "--python", str(directory / "bin" / "python")]
    say(f"installing the locked packages into {directory.name}")
    run([*install, "--require-hashes", "--requirement", str(LOCK)])
    # The build backend is in the lock, so that it too is what its hash says.
    run([*install, "--no-deps", "--no-build-isolation", "--offline", "--editable", str(ROOT)])


def find_uv() -> str:
    """Return a uv program: the caller's, the one of an earlier run, or one installed now, with its hash."""
    if named := os.environ.get("UV"):
        return named
    if found := shutil.which("uv"):
        return found
    home = cache() / f"uv-{locked_uv()}-py{sys.version_info[0]}.{sys.version_info[1]}"
    program = home / "bin" / "uv"
    if not program.exists():
        say(f"uv is missing: installing uv {locked_uv()} through pip into {home}")
        install_uv(home)
    return str(program)


def cache() -> Path:
    """Return the folder for what is kept between checkouts: in the user's cache, or in here where there is none."""
    home = os.environ.get("HOME", os.path.expanduser("~"))  # an empty one would make it the root directory
    named = Path(os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "weighbridge")
    if named.is_absolute():  # not so where nobody knows this user
        with contextlib.suppress(OSError):
            named.mkdir(parents=True, exist_ok=True)
            # Asks the file system too: root may write everywhere but on a read-only one.
            if os.access(named, os.W_OK):
                return named
    return ROOT / ".cache" / "weighbridge"


def locked_uv() -> str:
    """Return the version of uv that ``tools/uv.txt`` pins."""
    pins = [line for line in UV_LOCK.read_text(encoding="utf-8").splitlines() if line.startswith("uv==")]
    return pins[0].split()[0].removeprefix("uv==")


def install_uv(home: Path) -> None:
    """Install uv with whichever of venv and pip this Python has; as root on Debian, install venv first."""
    arguments = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement", str(UV_LOCK)]
    if importlib.util.find_spec("ensurepip") is None and importlib.util.find_spec("pip") is None:
        install_debian_venv()
    if importlib.util.find_spec("pip") is not None:
        staging = home.with_name(f"{home.name}.{os.getpid()}")
        run([sys.executable, "-m", "pip", "install", "--target", str(staging), *arguments])
        if home.exists():
            shutil.rmtree(home)
        staging.rename(home)
        return
    run([sys.executable, "-m", "venv", "--clear", str(home)])
    run([str(home / "bin" / "python"), "-m", "pip", "install", *arguments])


def install_debian_venv() -> None:
    """Install Debian's ``python3-venv`` as root; otherwise say the command."""
    command = "apt-get install -y python3-venv"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetupError(
            f"this Python has neither pip nor ensurepip, so uv cannot be installed.\n"
            f"  On Debian: sudo {command}\n"
            f"  Or install uv yourself and run `make UV=/path/to/uv` again."
        )
    say(f"this Python has neither pip nor ensurepip: {command}")
    run(["apt-get", "update", "-q"])
    run([*command.split(), "-q", "--no-install-recommends"])
    importlib.invalidate_caches()


def run(command: list[str]) -> None:
    """Run one step; its output is shown only when it fails."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "DEBIAN_FRONTEND": "noninteractive"}
    if ROOT in cache().parents:
        # No home to write to: uv's own cache goes beside ours.
        environment.setdefault("UV_CACHE_DIR", str(cache() / "uv-cache"))
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"`{' '.join(command)}` failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def say(text: str) -> None:
    """Tell the person at the terminal what takes the time."""
    print(f"set-up: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
