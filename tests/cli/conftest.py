from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests import processes
from tests.builders import PASSPHRASE, Scene, make_model, make_record, sealed_keys, trust_bytes
from weighbridge.evidence.record import CheckName


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Shell:
    """Runs the real command line as a process of its own."""

    directory: Path

    def run(self, *arguments: str | Path, seconds: float | None = None, **environment: str) -> Result:
        """Run one command to its end; how long it may take is for the test's own time limit to say."""
        done = processes.run(
            self.line(*arguments), cwd=self.directory, env=self.variables(**environment), seconds=seconds
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    def line(self, *arguments: str | Path) -> list[str]:
        """Return what starts the command line as a process of its own."""
        return [sys.executable, "-c", "from weighbridge.cli import main; main()", *map(str, arguments)]

    def variables(self, **more: str) -> dict[str, str]:
        """Return the whole environment of a command."""
        passed_on = ("PATH", "TMPDIR", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
        variables = {name: os.environ[name] for name in passed_on if name in os.environ}
        variables |= {"HOME": str(self.directory), "LANG": "C.UTF-8"}
        return variables | {"WEIGHBRIDGE_PASSPHRASE": PASSPHRASE.decode(), **more}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def with_old_advisories(text: str) -> str:
    """Let somebody answer for advisories of any age, for evidence that was made long ago."""
    until = datetime.now(UTC) + timedelta(days=30)
    accepted = f"accepted: {{reason: a test, owner: tests, expires: {until:%Y-%m-%d}}}"
    return text.replace("databaseMaxAge: 7d}", f"databaseMaxAge: 520w}}\n      {accepted}")


@pytest.fixture
def judged(tmp_path: Path, shell: Shell) -> Scene:
    """A model with good and current evidence on disk, ready for the gate: model/, evidence/, *.yaml, keys/."""
    now = datetime.now(UTC).replace(microsecond=0)
    scene = Scene(make_model(tmp_path / "model"), keys={role: key for role, (key, _) in sealed_keys().items()})
    scene.records = {check: make_record(check, finished=now - timedelta(minutes=5)) for check in CheckName}
    (tmp_path / "policy.yaml").write_text(with_old_advisories(scene.policy_text))
    (tmp_path / "trust.yaml").write_bytes(trust_bytes(scene.keys, expires=now + timedelta(days=30)))
    (tmp_path / "keys").mkdir()
    for role, (key, sealed) in sealed_keys().items():
        (tmp_path / "keys" / f"{role}.key").write_bytes(sealed)
        (tmp_path / "keys" / f"{role}.pub").write_text(key.public.pem)
    (tmp_path / "evidence").mkdir()
    for file in scene.files():
        (tmp_path / "evidence" / file.name).write_bytes(file.data)
    return scene
