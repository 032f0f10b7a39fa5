"""What a worker can do to the model that it is given: read it, through one descriptor, and nothing else."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checks.worker.answers import told
from tests.checks.worker.conftest import CHILD, LIMITS
from tests.model.test_view import ROOMS
from weighbridge.checks.interface import CheckRequest, ModelScanOptions
from weighbridge.checks.run import given_view
from weighbridge.checks.worker.parent import examine_with
from weighbridge.model.choice import ViewKind
from weighbridge.model.view import private_view

pytestmark = pytest.mark.landlock

ALL = ("landlock", "seccomp", "capabilities")
PACKED = (ViewKind.SEALED, ViewKind.COPY)
WRITES = ("write_view", "cut_view", "map_view", "reopen_view", "reopen_view_of_parent", "loosen_seals")

Attempt = Callable[..., str]


@pytest.fixture
def attempt(model: Path) -> Attempt:
    """Return a function that lets hostile code try something in a worker that was given a view of the model."""

    def attempt(kind: ViewKind, name: str, *arguments: object, without: tuple[str, ...] = ()) -> str:
        command = (
            sys.executable,
            "-I",
            "-B",
            str(CHILD),
            name,
            json.dumps([str(each) for each in arguments]),
            *without,
        )
        plain = CheckRequest(model=str(model), options=ModelScanOptions())
        with private_view(model, room=ROOMS[kind]) as view, given_view(plain, view) as request:
            examination = examine_with(command, request, limits=LIMITS)
            assert examination.confinement.filesystem is ("landlock" not in without)
            buffer = memoryview(bytearray(100))
            assert b"".join(bytes(chunk) for chunk in view.read(view.entries[0], buffer=buffer)) == b"weights"
        return told(examination)

    return attempt


@pytest.mark.parametrize("kind", PACKED)
def test_reads_the_model_and_cannot_open_where_it_lies(attempt: Attempt, model: Path, kind: ViewKind) -> None:
    assert attempt(kind, "read_view") == "weights"
    assert attempt(kind, "read_file", model / "weights").startswith("denied")
    assert attempt(kind, "list_directory", model).startswith("denied")
    assert attempt(kind, "read_file", model / "weights", without=("landlock",)).startswith("reached")


@pytest.mark.parametrize("name", [*WRITES, "change_mode_of_view"])
@pytest.mark.parametrize("kind", PACKED)
def test_cannot_change_what_it_reads(attempt: Attempt, kind: ViewKind, name: str) -> None:
    assert attempt(kind, name).startswith("denied")


@pytest.mark.parametrize("name", WRITES)
def test_cannot_change_sealed_memory_with_every_defence_left_out(attempt: Attempt, name: str) -> None:
    assert attempt(ViewKind.SEALED, name, without=ALL).startswith("denied")


def test_the_filter_is_what_keeps_it_from_the_mode_of_a_copy(attempt: Attempt) -> None:
    from weighbridge.errors import ModelError

    with pytest.raises(ModelError, match="private copy of the model was changed"):
        attempt(ViewKind.COPY, "change_mode_of_view", without=ALL)


def test_is_given_one_descriptor_and_no_other(attempt: Attempt) -> None:
    for kind in ViewKind:
        # The view, and the channel of answers.
        assert len(json.loads(attempt(kind, "tell_descriptors"))) == 2


@pytest.mark.parametrize("kind", [ViewKind.IMMUTABLE, ViewKind.WATCHED])
def test_without_a_copy_it_may_open_the_model_through_its_directory_only(
    attempt: Attempt, model: Path, tmp_path: Path, kind: ViewKind
) -> None:
    (tmp_path / "beside").write_text("beside", encoding="ascii")
    assert attempt(kind, "tell_path_of_directory") == "weights"
    assert attempt(kind, "read_file", tmp_path / "beside").startswith("denied")
    assert attempt(kind, "write_file", model / "weights").startswith("denied")


def test_the_parent_gives_a_key_to_nobody_because_the_model_is_a_copy(model: Path, key: Path) -> None:
    """A key inside the model would be copied with it, so the path of the model still counts."""
    from weighbridge.errors import UsageError

    os.link(key, model / "innocent")
    plain = CheckRequest(model=str(model), options=ModelScanOptions())
    with private_view(model) as view, given_view(plain, view) as request, pytest.raises(UsageError, match="secret"):
        examine_with((sys.executable,), request, limits=LIMITS, secrets=[key])
