"""A model, a key and something to attack, and one way to let hostile code try."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.builders import request_for
from weighbridge.checks.interface import Limits, ModelScanOptions
from weighbridge.checks.worker.parent import Examination, examine_with

Attempt = Callable[..., Examination]

CHILD = Path(__file__).with_name("hostile_child.py")
LIMITS = Limits(seconds=120, cpu_seconds=60, memory=2 * 1024**3, output=1024 * 1024)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a model directory with one file."""
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "weights").write_text("weights", encoding="ascii")
    return directory


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """Return a private key in a directory of its own."""
    path = tmp_path / "keys" / "scanner.key"
    path.parent.mkdir()
    path.write_text("-----BEGIN PRIVATE KEY-----", encoding="ascii")
    return path


@pytest.fixture
def attempt(model: Path) -> Attempt:
    """Return a function that lets hostile code try something in a worker."""

    def attempt(
        name: str,
        *arguments: object,
        without: tuple[str, ...] = (),
        limits: Limits = LIMITS,
        under: tuple[str, ...] = (),
        stop: threading.Event | None = None,
    ) -> Examination:
        told = json.dumps([str(argument) for argument in arguments])
        command = (*under, sys.executable, "-I", "-B", str(CHILD), name, told, *without)
        request = request_for(model, ModelScanOptions())
        return examine_with(command, request, limits=limits, stop=stop)

    return attempt


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process of the same user that hostile code may try to harm in place of the parent."""
    environment = {**os.environ, "WEIGHBRIDGE_PASSPHRASE": "secret"}
    program = "import time; print('up', flush=True); time.sleep(120)"
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.fixture
def listener() -> Iterator[int]:
    """Return the port of a server on the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]
