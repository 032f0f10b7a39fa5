"""Paths that are no regular file, are not UTF-8, or cannot be shown, in every place of every command."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest

from tests.builders import Scene
from tests.cli.conftest import Shell
from tests.cli.paths import GIVEN, SPECIAL, Ending, Place, call, places, run_all

PLACES = places()
GROUPS = sorted({place.words[0] for place in PLACES})
SLOW = {"run", "robustness", "leakage", "scan", "step"}
"""Commands that do their work whatever lies in the place under test."""


@pytest.fixture
def directory(judged: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    assert judged.model.parent == tmp_path
    (tmp_path / "requirements.txt").write_text("numpy==2.4.0\n")
    np.savez(tmp_path / "data.npz", x=np.zeros((8, 4)), y=np.arange(8) % 2)
    (tmp_path / "pod.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: b}]}\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(kind: str, path: Path) -> None:
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    else:
        try:
            os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))
        except PermissionError:
            path.symlink_to("/dev/zero")


def require_sentence(ending: Ending, what: str) -> None:
    assert ending.code in (0, 1, 2, 64), f"{what}: {ending}"
    assert b"Traceback" not in ending.err, f"{what}: {ending}"
    assert b"internal error" not in ending.err, f"{what}: {ending}"
    if ending.code in (2, 64) and not ending.out:
        assert re.search(rb"(?m)^([a-z-]+|Error): .", ending.err), f"{what}: {ending}"


@pytest.mark.parametrize("kind", ["fifo", "device", "directory", "socket"])
@pytest.mark.parametrize("group", GROUPS)
def test_what_is_no_regular_file_ends_in_a_sentence_and_never_hangs(directory: Path, group: str, kind: str) -> None:
    if group in SLOW and kind != "fifo":
        pytest.skip("reads its files by the same function as the others; a FIFO is tried")
    chosen = [place for place in PLACES if place.words[0] == group]
    make(kind, directory / kind)
    before = os.lstat(directory / kind)
    for place, ending in zip(
        chosen, run_all([call(place, kind.encode()) for place in chosen], directory=directory), strict=True
    ):
        require_sentence(ending, f"{place} {kind}")
    if kind != "directory":
        assert os.path.samestat(before, os.lstat(directory / kind)), "it was replaced"


READ = ["--policy", "--trust", "--verdict"]


@pytest.mark.parametrize("kind", ["fifo", "device", "directory", "socket"])
@pytest.mark.parametrize("option", READ)
def test_verify_says_which_file_is_none(directory: Path, option: str, kind: str) -> None:
    # `--trust FIFO` hung for ever.
    make(kind, directory / kind)
    (place,) = [each for each in PLACES if each.words == ("verify",) and each.option == option]
    (ending,) = run_all([call(place, kind.encode())], directory=directory)
    if option != "--verdict" and kind != "directory":
        assert ending.code == 2
    assert f"{kind} cannot be read".encode() in ending.err or b"model.verdict" in ending.err


@pytest.mark.parametrize("kind", ["fifo", "device", "socket"])
def test_a_verdict_takes_the_place_of_no_device(directory: Path, shell: Shell, kind: str) -> None:
    make(kind, directory / kind)
    before = os.lstat(directory / kind)
    gate = shell.run(
        "gate", "model", "--policy", "policy.yaml", "--trust", "trust.yaml", "--key", "keys/verifier.key", "-o", kind
    )
    assert gate.code == 2
    assert "cannot be written" in gate.err
    assert os.path.samestat(before, os.lstat(directory / kind))


NAMES = {"not UTF-8": b"bad\xff", "accent": "caf\u00e9".encode(), "bidirectional": b"a\xe2\x80\xaeb"}
LOCALES = {
    "utf-8": {},
    "C": {"LC_ALL": "C"},
    "ascii": {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


def put(place: Place, directory: Path, prefix: bytes) -> bytes:
    """Put what the place needs under a name that begins so, and return its path."""
    given = directory / SPECIAL.get(place.words, {}).get(place.name, GIVEN.get(place.name, "x"))
    target = os.fsencode(directory) + b"/" + prefix + place.name.encode()
    if given.is_dir():
        shutil.copytree(given, os.fsdecode(target), dirs_exist_ok=True)
    elif given.exists():
        shutil.copy(os.fsencode(given), target)
    return target


@pytest.mark.parametrize("locale", list(LOCALES))
@pytest.mark.parametrize("group", GROUPS)
def test_names_that_nobody_can_show_end_in_a_sentence(directory: Path, group: str, locale: str) -> None:
    if group in SLOW and locale != "ascii":
        pytest.skip("does its work each time; it is tried where most can go wrong")
    kinds = ["not UTF-8"] if group in SLOW else list(NAMES)
    chosen = [(place, kind) for place in PLACES if place.words[0] == group for kind in kinds]
    lines = [call(place, put(place, directory, NAMES[kind])) for place, kind in chosen]
    endings = run_all(lines, directory=directory, **LOCALES[locale])
    for (place, kind), ending in zip(chosen, endings, strict=True):
        require_sentence(ending, f"{place} {kind}")
        assert b"\xff" not in ending.out + ending.err
        if locale == "ascii" and b"Usage: " not in ending.err:  # click writes those as UTF-8 whatever is asked for
            assert (ending.out + ending.err).isascii()


def test_a_model_whose_own_name_is_not_utf8_is_judged_and_verified(directory: Path, shell: Shell) -> None:
    assert shell.directory == directory
    model = os.fsencode(directory) + b"/bad\xff"
    shutil.copytree(directory / "model", os.fsdecode(model))
    common = [b"--policy", b"policy.yaml", b"--trust", b"trust.yaml"]
    gate = [b"gate", model, *common, b"--key", b"keys/verifier.key", b"-o", b"v.sigstore.json"]
    verify = [b"verify", model, b"--verdict", b"v.sigstore.json", *common, b"--format", b"json"]
    for locale in LOCALES.values():
        assert [ending.code for ending in run_all([gate, verify], directory=directory, **locale)] == [0, 0]


@pytest.mark.parametrize("name", ["-rf", "--help", "-", "--"])
def test_a_model_whose_name_begins_with_a_dash_is_named_after_two(directory: Path, shell: Shell, name: str) -> None:
    shutil.copytree(directory / "model", directory / name)
    expected = shell.run("digest", "model")
    assert shell.run("digest", "--", name) == expected
    assert shell.run("digest", f"./{name}") == expected
