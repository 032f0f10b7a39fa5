"""One real Docker engine and one step image for a whole run, in the process that runs the lane's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tools.docker_engine import Engine, engine
from tools.step_image import StepImage, step_image

USER = 65532

HARDENED = (
    *("--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--user", f"{USER}:{USER}", "--tmpfs", "/tmp:rw,mode=1777", "--pids-limit", "256"),
)
"""How every step has to be able to run."""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Steps:
    """Runs steps in containers that can do nothing but their work."""

    engine: Engine
    image: StepImage
    mounts: list[tuple[Path, str, str]] = field(default_factory=list)

    def run(
        self, *arguments: str, mounts: tuple[tuple[Path, str, str], ...] = (), options: tuple[str, ...] = ()
    ) -> Ran:
        volumes = [f"--volume={source}:{target}:{mode}" for source, target, mode in mounts]
        done = self.engine.docker(
            *("run", "--rm", *HARDENED, *volumes, *options, self.image.reference, *arguments), check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Ran(done.returncode, done.stdout, done.stderr)

    def python(self, code: str, **more: tuple[tuple[Path, str, str], ...]) -> Ran:
        """Run Python in place of the entry point."""
        done = self.engine.docker(
            *("run", "--rm", *HARDENED, "--entrypoint", "/usr/bin/python3", self.image.reference, "-I", "-c", code),
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def docker_engine() -> Iterator[Engine]:
    """A real engine with its own state; afterwards nothing of it is left."""
    with engine() as running:
        yield running


@pytest.fixture(scope="session")
def steps(docker_engine: Engine) -> Steps:
    """The step image of this checkout, loaded into the engine."""
    image = step_image(docker_engine)
    docker_engine.docker("load", "-i", image.archive)
    return Steps(docker_engine, image)


def writable(path: Path) -> Path:
    """Make a directory that the image's user may write to."""
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, USER, USER)
    return path
