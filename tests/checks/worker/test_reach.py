"""A worker is refused when it could read a secret, and gets only what it needs."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.checks.worker.answers import told
from tests.checks.worker.conftest import CHILD, LIMITS
from weighbridge.checks.interface import (
    CheckRequest,
    DependencyAuditOptions,
    LeakageOptions,
    ModelScanOptions,
    RobustnessOptions,
)
from weighbridge.checks.run import given_view, run_check
from weighbridge.checks.worker import grants, reach
from weighbridge.checks.worker.parent import examine, examine_with
from weighbridge.clock import system_clock
from weighbridge.errors import UsageError, WorkerError
from weighbridge.model.view import private_view


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


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Return a file of examples in a directory that somebody else can write."""
    path = tmp_path / "theirs" / "test.npz"
    path.parent.mkdir()
    path.write_bytes(b"examples")
    return path


def _reads(model: Path, data: Path, wanted: Path, *, secrets: Sequence[Path]) -> str:
    """Return what a worker gets that is given data and tries to read another file."""
    command = (sys.executable, "-I", "-B", str(CHILD), "read_file", json.dumps([str(wanted)]))
    plain = CheckRequest(model=str(model), options=RobustnessOptions(data=str(data), seed=1))
    with private_view(model) as view, given_view(plain, view) as request:
        return told(examine_with(command, request, limits=LIMITS, secrets=secrets))


def _after_the_look(monkeypatch: pytest.MonkeyPatch, then: Callable[[], None]) -> None:
    looked = reach.refuse_secrets

    def and_then(*arguments: Any, **named: Any) -> None:
        looked(*arguments, **named)
        then()

    monkeypatch.setattr(reach, "refuse_secrets", and_then)


@pytest.mark.landlock
def test_a_worker_reads_its_input(model: Path, theirs: Path, key: Path) -> None:
    assert _reads(model, theirs, theirs, secrets=[key.parent]) == "reached"


@pytest.mark.landlock
@pytest.mark.parametrize("led_to", ["directory", "file"])
def test_an_input_that_becomes_a_link_to_the_keys_after_it_was_looked_at_opens_none(
    model: Path, theirs: Path, key: Path, monkeypatch: pytest.MonkeyPatch, led_to: str
) -> None:
    def exchange() -> None:
        theirs.unlink()
        theirs.symlink_to(key.parent if led_to == "directory" else key)

    _after_the_look(monkeypatch, exchange)
    assert _reads(model, theirs, key, secrets=[key.parent]).startswith("denied")


@pytest.mark.landlock
def test_an_input_that_becomes_another_name_of_a_key_opens_none(
    model: Path, theirs: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exchange() -> None:
        theirs.unlink()
        os.link(key, theirs)

    _after_the_look(monkeypatch, exchange)
    assert _reads(model, theirs, theirs, secrets=[key.parent]).startswith("denied")


@pytest.mark.landlock
def test_what_comes_to_lie_where_an_input_was_missing_is_not_opened(
    model: Path, theirs: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs.unlink()
    _after_the_look(monkeypatch, lambda: theirs.symlink_to(key))
    assert _reads(model, theirs, key, secrets=[key]).startswith("denied")


@pytest.mark.parametrize("name", ["symlink_to", "hardlink_to"])
def test_refuses_an_input_that_is_another_name_of_a_key(model: Path, theirs: Path, key: Path, name: str) -> None:
    theirs.unlink()
    getattr(theirs, name)(key)
    with pytest.raises(UsageError, match=r"the secret .* because it may read .*test\.npz"):
        _reads(model, theirs, key, secrets=[key])


def test_refuses_an_input_that_a_link_in_the_key_directory_leads_to(model: Path, theirs: Path, key: Path) -> None:
    """Kubernetes mounts a Secret as links."""
    key.unlink()
    key.symlink_to(theirs)
    with pytest.raises(UsageError, match="the secret"):
        _reads(model, theirs, key, secrets=[key.parent])


def test_refuses_what_lies_above_a_key_by_whatever_name_it_has_now(
    model: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = grants.opened

    @contextmanager
    def renamed(paths: Iterable[Path]) -> Iterator[tuple[grants.Grant, ...]]:
        with opened(paths) as found:
            yield tuple(replace(grant, real=Path("/elsewhere")) for grant in found)

    monkeypatch.setattr(grants, "opened", renamed)
    for above in (key.parent, key.parent.parent):
        options = DependencyAuditOptions(advisories=str(model / "weights"), environments=(str(above),))
        with pytest.raises(UsageError, match="the secret"):
            examine(CheckRequest(model=str(model), options=options), limits=LIMITS, secrets=[key])


def test_a_key_that_gets_another_name_while_a_directory_could_be_read_is_seen(
    model: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = tmp_path / "environment"
    environment.mkdir()
    _after_the_look(monkeypatch, lambda: os.link(key, environment / "innocent.py"))
    options = DependencyAuditOptions(advisories=str(model / "weights"), environments=(str(environment),))
    with pytest.raises(UsageError, match="was given another name"):
        examine(CheckRequest(model=str(model), options=options), limits=LIMITS, secrets=[key.parent])


def test_a_key_that_was_in_the_model_when_it_was_copied_is_refused_though_it_is_gone(model: Path, key: Path) -> None:
    os.link(key, model / "innocent")
    with private_view(model) as view:
        (model / "innocent").unlink()
        request = CheckRequest(model=str(model), options=ModelScanOptions())
        with pytest.raises(UsageError, match="because it may read innocent"):
            run_check(request, view=view, clock=system_clock, nonce="0" * 32, secrets=[key.parent])


@pytest.mark.parametrize("other", ["link", "full", "missing"])
def test_refuses_a_scratch_directory_that_is_not_the_one_that_was_made(
    model: Path, key: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    made = tempfile.mkdtemp

    def exchanged(*arguments: Any, **named: Any) -> str:
        path = Path(made(*arguments, **named))
        path.rmdir()
        if other == "link":
            # After it was resolved, as a racing writer would do it.
            def resolved(name: str, **_: Any) -> str:
                path.symlink_to(key.parent)
                return name

            monkeypatch.setattr(os.path, "realpath", resolved)
        elif other == "full":
            path.mkdir()
            (path / "planted").touch()
        return str(path)

    monkeypatch.setattr(tempfile, "mkdtemp", exchanged)
    with pytest.raises(WorkerError, match=r"scratch directory .* cannot be used") as caught:
        examine(CheckRequest(model=str(model), options=ModelScanOptions()), limits=LIMITS)
    assert "TMPDIR" in caught.value.remedy
    monkeypatch.undo()
    assert key.exists()


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
