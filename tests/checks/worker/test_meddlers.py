"""Another process of the same user may signal parent and worker, and reaches neither their words nor their memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.builders import make_model
from tests.checks.worker.forging import EXAMINE, FORGE, LOOK, REMEMBER, as_user
from weighbridge.checks.worker.channels import Channels

pytestmark = pytest.mark.landlock


@pytest.mark.parametrize("kind", ["sealed", "copy"])
def test_another_process_of_the_user_cannot_answer_in_place_of_the_worker(tmp_path: Path, kind: str) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "m.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")

    assert f"{kind} 1 findings" in as_user(FORGE, model, kind, EXAMINE)


def test_no_channel_can_be_opened_again_not_even_by_root() -> None:
    ours, theirs = Channels.pair()
    try:
        for side in (ours, theirs):
            for end in (side.requests, side.answers, side.text):
                for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
                    with pytest.raises(OSError, match="No such device or address"):
                        os.open(f"/proc/self/fd/{end.fileno()}", flags)
    finally:
        ours.close()
        theirs.close()


def test_nothing_comes_back_on_a_channel() -> None:
    ours, theirs = Channels.pair()
    try:
        for sender in (theirs.requests, ours.answers, ours.text):
            with pytest.raises(BrokenPipeError):
                sender.send(b"x")
        assert (theirs.answers.recv(1), ours.requests.recv(1)) == (b"", b"")
    finally:
        ours.close()
        theirs.close()


def test_the_memory_of_a_confined_worker_cannot_be_written(tmp_path: Path) -> None:
    assert as_user(REMEMBER, make_model(tmp_path / "model"), EXAMINE) == "denied\n"


@pytest.mark.parametrize("kind", ["sealed", "copy"])
def test_whoever_examines_cannot_be_looked_into(tmp_path: Path, kind: str) -> None:
    assert as_user(LOOK, make_model(tmp_path / "model"), kind, EXAMINE) == "denied\n"
