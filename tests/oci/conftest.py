"""A real distribution registry on a free port of this machine, with its storage where tests can reach it."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tools import go_tools

from tests import processes
from tests.builders import Scene
from tests.gate.conftest import scene

CONFIGURATION = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {storage}}}, delete: {{enabled: true}}, cache: {{blobdescriptor: ""}}}}
http: {{addr: "{address}"}}
{more}"""

START_SECONDS = 120
"""Longest that a start may take on a machine that is busy with other things."""


@dataclass(frozen=True)
class Server:
    """A running registry."""

    address: str
    storage: Path

    def blob(self, sha256: str) -> Path:
        """Return where the registry keeps the bytes of a blob or manifest."""
        return self.storage / "docker/registry/v2/blobs/sha256" / sha256[:2] / sha256 / "data"


def serve(home: Path, program: Path, *, more: str = "") -> Iterator[Server]:
    """Run a registry, and stop it."""
    home.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    server = Server(address, home / "storage")
    configuration = home / "config.yaml"
    configuration.write_text(CONFIGURATION.format(storage=server.storage, address=address, more=more))
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    with (
        (home / "log").open("wb") as log,
        processes.started(
            [str(program), "serve", str(configuration)], env=environment, stdout=log, stderr=log
        ) as process,
    ):
        _wait(process, address, home / "log")
        yield server


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://{address}/v2/"):
                return
        except urllib.error.HTTPError as error:
            error.close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from serve(tmp_path_factory.mktemp("registry"), go_tools.build("registry") / "registry")


@pytest.fixture
def repository(server: Server, request: pytest.FixtureRequest) -> str:
    """Return a repository that no other test uses."""
    name = "".join(character if character.isalnum() else "-" for character in request.node.name.lower())
    return f"{server.address}/tests/{name.strip('-').replace('--', '-')[:100].strip('-')}"


__all__ = ["Scene", "Server", "repository", "scene", "serve", "server"]
