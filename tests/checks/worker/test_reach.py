"""A worker is refused when it could read a secret, and gets only what it needs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.checks.worker.conftest import LIMITS
from weighbridge.checks.interface import (
    CheckRequest,
    DependencyAuditOptions,
    LeakageOptions,
    ModelScanOptions,
    RobustnessOptions,
)
from weighbridge.checks.worker import reach
from weighbridge.checks.worker.parent import examine
from weighbridge.errors import UsageError


def _examine(model: Path, *secrets: Path) -> None:
    examine(CheckRequest(model=str(model), options=ModelScanOptions()), limits=LIMITS, secrets=secrets)


def test_allows_a_secret_elsewhere(model: Path, key: Path) -> None:
    _examine(model, key, key.parent)


def test_refuses_a_secret_inside_the_model(model: Path) -> None:
    inside = model / "deep" / "scanner.key"
    inside.parent.mkdir()
    inside.write_text("key", encoding="ascii")
    with pytest.raises(UsageError, match="would be able to read the secret") as caught:
        _examine(model, inside)
    assert "keep keys outside" in caught.value.remedy


def test_refuses_a_secret_that_will_be_written_into_the_model(model: Path) -> None:
    with pytest.raises(UsageError, match="secret"):
        _examine(model, model / "not-yet-there.key")


def test_refuses_a_model_that_is_the_secret(key: Path) -> None:
    with pytest.raises(UsageError, match="secret"):
        _examine(key, key)


def test_refuses_a_model_inside_a_secret_directory(key: Path) -> None:
    model = key.parent / "model"
    model.mkdir()
    with pytest.raises(UsageError, match="secret"):
        _examine(model, key.parent)


def test_refuses_a_secret_behind_a_link_into_the_model(model: Path, tmp_path: Path) -> None:
    link = tmp_path / "innocent.key"
    link.symlink_to(model / "weights")
    with pytest.raises(UsageError, match=r"innocent\.key"):
        _examine(model, link)


def test_refuses_a_model_that_is_a_link_to_where_the_secret_lies(key: Path, tmp_path: Path) -> None:
    link = tmp_path / "innocent"
    link.symlink_to(key.parent)
    with pytest.raises(UsageError, match="secret"):
        _examine(link, key)


def test_refuses_a_secret_with_a_second_name_inside_the_model(model: Path, key: Path) -> None:
    (model / "deep").mkdir()
    os.link(key, model / "deep" / "weights.bin")
    with pytest.raises(UsageError, match=r"weights\.bin"):
        _examine(model, key)


def test_refuses_a_secret_directory_of_which_a_file_is_in_the_model(model: Path, key: Path) -> None:
    os.link(key, model / "weights.bin")
    with pytest.raises(UsageError, match="secret"):
        _examine(model, key.parent)


def test_allows_a_secret_with_a_second_name_elsewhere(model: Path, key: Path) -> None:
    os.link(key, key.with_suffix(".backup"))
    _examine(model, key)


def test_refuses_a_secret_in_the_python_installation(model: Path) -> None:
    with pytest.raises(UsageError, match="secret"):
        _examine(model, Path(sys.prefix, "lib", "scanner.key"))


def test_refuses_a_secret_beneath_an_input(model: Path, key: Path) -> None:
    options = DependencyAuditOptions(advisories=str(model / "weights"), environments=(str(key.parent),))
    with pytest.raises(UsageError, match="secret"):
        examine(CheckRequest(model=str(model), options=options), limits=LIMITS, secrets=[key])


def test_opens_neither_home_nor_configuration_nor_the_whole_installation() -> None:
    opened = set(reach.runtime_paths())
    for path in ("/", "/etc", "/home", "/root", "/tmp", "/usr", "/proc", "/run", "/var", str(Path.home()), sys.prefix):
        assert Path(path) not in opened


def test_makes_every_path_absolute_and_leaves_the_rest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    audit = reach.absolute(
        CheckRequest(
            model="m", options=DependencyAuditOptions(advisories="a", locks=("uv.lock", "/l"), requirements=("r",))
        )
    )
    assert audit.model == str(tmp_path / "m")
    assert audit.options == DependencyAuditOptions(
        advisories=str(tmp_path / "a"), locks=(str(tmp_path / "uv.lock"), "/l"), requirements=(str(tmp_path / "r"),)
    )
    for options in (RobustnessOptions(data="d", seed=7), LeakageOptions(members="d", non_members="e", seed=7)):
        made = reach.absolute(CheckRequest(model="/m", options=options)).options
        assert not isinstance(made, (DependencyAuditOptions, ModelScanOptions))
        assert made.seed == 7
        assert made.inputs()[0] == str(tmp_path / "d")
