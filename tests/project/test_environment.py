from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from tools import environment


def test_says_the_command_where_python_has_neither_pip_nor_ensurepip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(environment.SetupError, match="sudo apt-get install -y python3-venv"):
        environment.install_debian_venv()


def test_refuses_an_old_python_and_says_how_to_name_another(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    with pytest.raises(environment.SetupError, match=re.escape("Python 3.10.4 is too old; run `make PYTHON=")):
        environment.make(tmp_path / "venv")
    assert not list(tmp_path.iterdir())


def test_takes_the_uv_that_the_caller_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV", "/elsewhere/uv")
    assert environment.find_uv() == "/elsewhere/uv"


def test_takes_the_uv_of_an_earlier_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    installed: list[Path] = []
    monkeypatch.setattr(environment, "install_uv", installed.append)
    program = Path(environment.find_uv())
    assert installed == [program.parent.parent]
    assert environment.locked_uv() in str(program)
    assert program.is_relative_to(tmp_path)
    program.parent.mkdir(parents=True)
    program.touch()
    assert environment.find_uv() == str(program)
    assert len(installed) == 1


@pytest.mark.parametrize("home", ["/proc/self/nowhere", "relative", ""])
def test_keeps_its_cache_in_the_checkout_where_no_home_can_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", home)
    assert environment.cache() == environment.ROOT / ".cache" / "weighbridge"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert environment.cache() == tmp_path / ".cache" / "weighbridge"


def test_the_pinned_uv_has_hashes() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", environment.locked_uv())
    assert environment.UV_LOCK.read_text().count("--hash=sha256:") > 5


def test_a_failing_step_shows_what_it_printed() -> None:
    with pytest.raises(environment.SetupError, match=r"failed:\nbecause"):
        environment.run(["sh", "-c", "echo because >&2; exit 1"])
