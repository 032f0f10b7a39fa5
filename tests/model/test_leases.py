"""Files that another program holds by a lease, as a Samba server does for its clients (kernel oplocks)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.builders import make_model
from weighbridge.errors import ModelError
from weighbridge.model import leases
from weighbridge.model.digest import hash_model

HOLDER = """
import fcntl, os, signal, sys, time
descriptor = os.open(sys.argv[1], os.O_RDWR)
def give_back(*_):
    if sys.argv[2] == "gives back":
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(descriptor)
signal.signal(signal.SIGIO, give_back)
fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def held(file: Path, *, way: str) -> Iterator[None]:
    command = [sys.executable, "-c", HOLDER, str(file), way]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield
        finally:
            holder.kill()


@pytest.mark.parametrize("name", ["", "a.bin"], ids=["directory", "file"])
def test_a_file_whose_lease_is_given_back_when_it_is_asked_for_can_be_read(tmp_path: Path, name: str) -> None:
    model = make_model(tmp_path / "model")
    expected = hash_model(model / name)
    with held(model / "a.bin", way="gives back"):
        assert hash_model(model / name) == expected


def test_a_blob_whose_lease_is_given_back_can_be_read(tmp_path: Path) -> None:
    blob, snapshot = "4" * 64, tmp_path / "models--org--name" / "snapshots" / "r1"
    blobs = make_model(snapshot.parents[1] / "blobs")
    (blobs / "a.bin").rename(blobs / blob)
    snapshot.mkdir(parents=True)
    (snapshot / "a.bin").symlink_to(f"../../blobs/{blob}")
    with held(blobs / blob, way="gives back"):
        hash_model(snapshot)


@pytest.mark.parametrize("name", ["", "a.bin"], ids=["directory", "file"])
def test_a_file_whose_lease_is_kept_is_named_as_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(leases, "GIVEN_BACK_WITHIN", 0.1)
    model = make_model(tmp_path / "model")
    with held(model / "a.bin", way="keeps"), pytest.raises(ModelError, match="another program holds it") as refusal:
        hash_model(model / name)
    assert "close the file" in refusal.value.remedy
