"""The engine that tests start by hand leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.docker_engine import engine

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]


def _mounts_below(directory: Path) -> list[str]:
    return [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(directory) in line]


def _processes_naming(directory: Path) -> list[str]:
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in command:
            found.append(command)
    return found


def test_two_engines_stand_side_by_side_and_leave_nothing() -> None:
    with engine() as one, engine() as two:
        assert one.host != two.host
        assert one.docker("version", "--format", "{{.Server.Version}}").stdout
        assert two.docker("ps", "--quiet").stdout == ""
        assert _processes_naming(one.directory)
        directories = [one.directory, two.directory]
    for directory in directories:
        assert not directory.exists()
        assert _mounts_below(directory) == []
        assert _processes_naming(directory) == []
