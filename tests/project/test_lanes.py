"""The table of lanes, and what happens to a lane that cannot run; each on a small suite of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests import lanes, processes

ROOT = Path(__file__).resolve().parents[2]
SUITE = """
import pytest

def test_plain(): pass

@pytest.mark.browser
def test_needs_a_browser(): pass
"""


def run_suite(
    directory: Path, *arguments: str, demand: str = "", path: str = "", suite: str = SUITE
) -> subprocess.CompletedProcess[str]:
    (directory / "test_suite.py").write_text(suite)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *arguments]
    command += ["--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), "--confcutdir", str(directory)]
    environment = {**os.environ, lanes.DEMAND: demand, "PYTHONPATH": str(ROOT), "PATH": path or os.environ["PATH"]}
    environment.pop("PYTEST_XDIST_WORKER", None)
    return subprocess.run(
        # By its path, since the suite's PATH may be another.
        [
            shutil.which("env") or "env",
            *processes.TOLD_OF_SIGNALS[1:],
            *command,
            "-p",
            "tests.conftest",
            str(directory),
        ],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def row(done: subprocess.CompletedProcess[str], lane: str) -> str:
    return next(line for line in done.stdout.splitlines() if line.startswith(f"{lane} "))


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one-process", "two-workers"])
def test_a_lane_that_cannot_run_is_skipped_and_named(tmp_path: Path, workers: tuple[str, ...]) -> None:
    done = run_suite(tmp_path, *workers, path="/nowhere")
    assert done.returncode == 0, done.stdout
    assert "NOT RUN  no chromium and no chromedriver on PATH" in row(done, "browser")
    assert row(done, "core").split()[:3] == ["core", "ran", "1"]
    assert "1 passed, 1 skipped" in done.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one-process", "two-workers"])
def test_a_demanded_lane_that_cannot_run_fails(tmp_path: Path, workers: tuple[str, ...]) -> None:
    done = run_suite(tmp_path, *workers, demand="1", path="/nowhere")
    assert done.returncode == 1
    assert "lane browser is demanded and cannot run" in done.stdout


def test_a_demanded_lane_without_a_test_fails_the_run(tmp_path: Path) -> None:
    done = run_suite(tmp_path, "-k", "plain", demand="1")
    assert done.returncode == 1
    assert "1 passed" in done.stdout
    _, _, missing = done.stdout.partition("every lane is demanded, and these did not run: ")
    assert "browser" in missing.splitlines()[0].split(", ")


def test_every_lane_is_a_registered_marker_and_the_other_way_round() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    markers = {line.split(":")[0] for line in project["tool"]["pytest"]["ini_options"]["markers"]}
    assert markers == {lane.name for lane in lanes.LANES} - {lanes.CORE}


def test_a_test_with_two_lanes_counts_once() -> None:
    assert lanes.lane_of({"landlock", "root"}) == "root"
    assert lanes.lane_of({"parametrize"}) == lanes.CORE
