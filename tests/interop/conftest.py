from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from tools import go_tools

from weighbridge.model.digest import Digest

PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"


@dataclass(frozen=True)
class Cosign:
    """The real cosign, with a directory of its own for keys and the two empty configurations it wants offline."""

    program: Path
    home: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "COSIGN_PASSWORD": "", "HOME": str(self.home)}
        return subprocess.run(
            [str(self.program), *arguments],
            cwd=self.home,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def verify(
        self, bundle: Path, *, key: Path, model: Digest, predicate: str = PREDICATE
    ) -> subprocess.CompletedProcess[str]:
        """Verify a bundle about a model by its dirHash, without the model's bytes."""
        return self.run(
            *("verify-blob-attestation", "--insecure-ignore-tlog", "--key", str(key), "--bundle", str(bundle)),
            *("--type", predicate, "--digest", model.hex, "--digestAlg", "dirHash"),
        )

    def prepare_signing(self) -> Path:
        """Make a key pair and empty signing configurations; return the public key."""
        for arguments in (
            ("generate-key-pair",),
            ("signing-config", "create", "--out", "signing.json"),
            ("trusted-root", "create", "--out", "root.json"),
        ):
            done = self.run(*arguments)
            assert done.returncode == 0, done.stderr
        return self.home / "cosign.pub"

    def attest(self, statement: Path, *, bundle: Path) -> None:
        done = self.run(
            *("attest-blob", "--yes", "--key", "cosign.key", "--signing-config", "signing.json"),
            *("--trusted-root", "root.json", "--statement", str(statement), "--bundle", str(bundle)),
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def cosign(tmp_path: Path) -> Cosign:
    home = tmp_path / "cosign"
    home.mkdir()
    return Cosign(go_tools.build("cosign") / "cosign", home)
