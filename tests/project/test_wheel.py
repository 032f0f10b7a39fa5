from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 3 * 1024 * 1024


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return next(directory.glob("*.whl"))


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"weighbridge"}
    assert "weighbridge/py.typed" in names
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_wheel_holds_every_file_that_the_package_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    listing = subprocess.run(
        ["git", "ls-files", "-z", "src/weighbridge"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    expected = {name.removeprefix("src/") for name in listing.split("\0") if name and (ROOT / name).is_file()}
    assert expected
    assert expected <= names


def test_the_wheel_stays_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= LARGEST


def test_the_wheel_brings_the_command(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
    assert "weighbridge = weighbridge.cli:main" in archive.read(entry).decode()


def test_the_wheel_installs_the_program_under_its_name_and_as_a_kubectl_plugin(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [item for item in archive.namelist() if item.endswith("entry_points.txt")]
        lines = archive.read(name).decode().split("\n")
    assert "weighbridge = weighbridge.cli:main" in lines
    assert "kubectl-weighbridge = weighbridge.cli:main" in lines
