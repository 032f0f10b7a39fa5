"""Start from nothing: what is there is found by its bytes, and nothing that is there is touched."""

from __future__ import annotations

import os
import pickle
import shlex
import stat
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.attacks.dependencies import install
from tests.cli.conftest import Shell
from weighbridge.cli._survey import MAX_SHOWN, survey
from weighbridge.policy import Policy
from weighbridge.trust import Trust

LOCK = 'version = 1\nrevision = 1\nrequires-python = ">=3.11"\n'


@pytest.fixture
def project(shell: Shell) -> Path:
    """A model without an ending, a lock, examples."""
    folder = shell.directory
    (folder / "model").mkdir()
    (folder / "model" / "weights").write_bytes(pickle.dumps([1]))
    (folder / "data").mkdir()
    for name in ("test", "members", "non-members"):
        np.savez(folder / "data" / f"{name}.npz", x=np.zeros((3, 2)), y=np.zeros(3))
    (folder / "uv.lock").write_text(LOCK)
    (folder / "requirements.txt").write_text("six==1.17.0\n")
    return folder


def test_a_policy_for_what_is_there_and_keys_to_try_with(shell: Shell, project: Path) -> None:
    done = shell.run("init", WEIGHBRIDGE_PASSPHRASE="")
    assert done.code == 0, done.err
    policy = Policy.read(project / "policy.yaml")
    assert [item.check for item in policy.requirements] == ["model-scan", "dependency-audit", "robustness", "leakage"]
    text = (project / "policy.yaml").read_text()
    assert "  # uv.lock" in text
    assert "requirements:\n" in text  # the block of what must hold; the file is not bound beside the lock
    assert "requirements.txt" not in text
    trust = Trust.read(project / "trust.yaml")
    assert [item.id for item in trust.policies] == [f"sha256:{policy.digest}"]
    for place in ("keys", "passphrases"):
        assert (project / place).stat().st_mode & 0o777 == 0o700
        assert (project / place / ".gitignore").read_text().endswith("*\n")
    for secret in (*(project / "keys").glob("*.key"), *(project / "passphrases").glob("[a-z]*")):
        assert secret.stat().st_mode & 0o777 == 0o600
    assert len({path.read_bytes() for path in (project / "passphrases").glob("[a-z]*")}) == 4
    assert [path.name for path in (project / "model").iterdir()] == ["weights"]
    assert "found model: model" in done.out
    assert done.out.splitlines()[-1].startswith("next: weighbridge run model --policy policy.yaml --trust trust.yaml")


def test_the_next_command_lacks_nothing(shell: Shell, project: Path) -> None:
    for name in ("test.npz", "members.npz", "non-members.npz"):
        (project / "data" / name).unlink()
    done = shell.run("init", WEIGHBRIDGE_PASSPHRASE="")
    line = shlex.split(done.out.splitlines()[-1].removeprefix("next: weighbridge "))
    run = shell.run(*line, WEIGHBRIDGE_PASSPHRASE="")
    # The lock is of nothing and the advisories are old, so it is undecided; but all of it is there and was signed.
    assert run.code in (1, 2)
    assert "MISSING" not in run.err
    assert "\nverdict: " in run.out


def test_two_commands_make_a_verdict_from_nothing(shell: Shell) -> None:
    (shell.directory / "model").mkdir()
    (shell.directory / "model" / "weights").write_bytes(pickle.dumps([1]))
    (shell.directory / "requirements.txt").write_text("six==1.17.0\n")
    done = shell.run("init", WEIGHBRIDGE_PASSPHRASE="")
    assert "counts here for 30 days, to try" in done.out
    line = shlex.split(done.out.splitlines()[-1].removeprefix("next: weighbridge "))
    run = shell.run(*line, WEIGHBRIDGE_PASSPHRASE="")
    assert run.code == 0, run.out + run.err
    verdict = ("--verdict", "model.verdict.sigstore.json", "--trust", "trust.yaml")
    assert shell.run("verify", "model", *verdict).code == 0
    # By a policy that the trust document does not list no verdict counts, and that is said before anything runs.
    shell.run("policy", "bind", "policy.yaml", "--unbound", "lock")
    again = shell.run(*line, WEIGHBRIDGE_PASSPHRASE="")
    assert again.code == 2
    assert "mind: trust.yaml does not list this policy" in again.err


def test_two_commands_with_an_environment_ask_for_it_and_for_no_lock(shell: Shell) -> None:
    (shell.directory / "model").mkdir()
    (shell.directory / "model" / "weights").write_bytes(pickle.dumps([1]))
    site = shell.directory / ".venv" / "lib" / "python3.11" / "site-packages"
    install(site, "six", "1.17.0")
    (shell.directory / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    done = shell.run("init", WEIGHBRIDGE_PASSPHRASE="")
    inputs = Policy.read(shell.directory / "policy.yaml").inputs
    assert (inputs.environment, inputs.lock, inputs.requirements) == ("unbound", None, None)
    run = shell.run(
        *shlex.split(done.out.splitlines()[-1].removeprefix("next: weighbridge ")), WEIGHBRIDGE_PASSPHRASE=""
    )
    assert "the policy names the" not in run.out
    assert run.code == 0, run.out + run.err


def test_where_nothing_says_what_is_served_with_requirements_can_be_given_later(shell: Shell) -> None:
    (shell.directory / "model").mkdir()
    (shell.directory / "model" / "weights").write_bytes(pickle.dumps([1]))
    done = shell.run("init", WEIGHBRIDGE_PASSPHRASE="")
    assert "nothing here says what models are served with" in done.out
    (shell.directory / "mine.txt").write_text("six==1.17.0\n")
    line = shlex.split(done.out.splitlines()[-1].removeprefix("next: weighbridge "))
    assert line[-2:] == ["--lock", "FILE"]
    wrong = shell.run(*line[:-1], "mine.txt", WEIGHBRIDGE_PASSPHRASE="")
    assert (wrong.code, "give requirements with -r" in " ".join(wrong.out.split())) == (2, True)
    for command in ("policy bind policy.yaml -r mine.txt", "trust policy trust.yaml policy.yaml"):
        assert command.removesuffix("mine.txt") in done.out  # what `init` said, word by word
        assert shell.run(*command.split()).code == 0
    run = shell.run(*line[:-2], "-r", "mine.txt", WEIGHBRIDGE_PASSPHRASE="")
    assert run.code == 0, run.out + run.err


def test_without_keys_there_is_the_policy_alone(shell: Shell, project: Path) -> None:
    before = {path.name for path in project.iterdir()}
    done = shell.run("init", "--no-keys")
    assert done.code == 0, done.err
    assert {path.name for path in project.iterdir()} - before == {"policy.yaml"}
    assert done.out.splitlines()[-1].startswith("next: weighbridge run model --lock uv.lock --data data/test.npz")


def test_an_empty_folder_will_do(shell: Shell) -> None:
    done = shell.run("init")
    assert done.code == 0, done.err
    policy = Policy.read(shell.directory / "policy.yaml")
    assert [item.check for item in policy.requirements] == ["model-scan", "dependency-audit"]
    assert "# - check: robustness" in (shell.directory / "policy.yaml").read_text()
    assert "run MODEL" in done.out


def made_file(path: Path) -> None:
    path.write_text("mine")


def made_directory(path: Path) -> None:
    path.mkdir()


def made_link(path: Path) -> None:
    path.symlink_to("nowhere")


def made_link_out(path: Path) -> None:
    path.symlink_to(os.environ.get("TMPDIR", "/tmp"))


@pytest.mark.parametrize("name", ["policy.yaml", "trust.yaml", "keys", "passphrases"])
@pytest.mark.parametrize("make", [made_file, made_directory, made_link, made_link_out])
def test_nothing_is_overwritten_and_no_link_followed(
    shell: Shell, project: Path, name: str, make: Callable[[Path], None]
) -> None:
    make(project / name)
    before = {path: os.lstat(path).st_mtime_ns for path in project.rglob("*")}
    done = shell.run("init")
    assert (done.code, done.out) == (64, "")
    assert f"{name} is there already" in done.err
    assert {path: os.lstat(path).st_mtime_ns for path in project.rglob("*")} == before


@pytest.mark.parametrize(
    "files",
    [
        {"MLmodel": b"flavors: {}\n", "requirements.txt": b""},
        {"config.json": b"{}", "model.safetensors": struct.pack("<Q", 2) + b"{}"},
        {"config.pbtxt": b""},
        {"weights": pickle.dumps([1])},
    ],
)
def test_no_key_is_written_into_a_model(shell: Shell, files: dict[str, bytes]) -> None:
    model = shell.directory / "model"
    (model / "below").mkdir(parents=True)
    for name, data in files.items():
        (model / name).write_bytes(data)
    before = sorted(model.rglob("*"))
    for arguments in (("init", "model"), ("init", "model", "--no-keys")):
        done = shell.run(*arguments)
        assert (done.code, "is a model itself" in done.err) == (64, True), done
    if "weights" not in files and "config.json" not in files:
        assert shell.run("init", "model/below").code == 64
    assert sorted(model.rglob("*")) == before


def test_no_key_is_written_into_the_hub_s_cache(shell: Shell) -> None:
    snapshot = shell.directory / "models--org--name" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    assert shell.run("init", snapshot).code == 64
    assert list(snapshot.iterdir()) == []


def test_models_are_found_by_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("")
    (tmp_path / "a model").write_bytes(pickle.dumps([1]))
    (tmp_path / "pickle.pkl").write_text("a text of that name")
    (tmp_path / "triton" / "net" / "1").mkdir(parents=True)
    (tmp_path / "triton" / "net" / "config.pbtxt").write_text("")
    (tmp_path / "triton" / "net" / "1" / "m").write_bytes(b"GGUF\x03\x00\x00\x00" + b"\x00" * 16)
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "config.json").write_text("{}")
    (tmp_path / "hub" / "w").write_bytes(struct.pack("<Q", 2) + b"{}")
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("")
    (tmp_path / ".venv" / "lib" / "x").write_bytes(pickle.dumps([1]))
    (tmp_path / "link").symlink_to("a model")
    (tmp_path / "ring").symlink_to(".")
    os.mkfifo(tmp_path / "fifo")
    found = survey(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in found.models] == ["a model", "hub", "triton/net"]
    assert found.environments == (tmp_path / ".venv",)
    assert not found.is_model


def test_what_is_found_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("")
    for number in range(MAX_SHOWN + 5):
        (tmp_path / f"m{number}").write_bytes(pickle.dumps([1]))
    found = survey(tmp_path)
    assert len(found.models) == MAX_SHOWN
    assert found.cut_short


@pytest.mark.parametrize("where", ["nowhere", "file", "fifo"])
def test_a_folder_that_is_none_ends_in_a_sentence(shell: Shell, where: str) -> None:
    (shell.directory / "file").write_text("")
    os.mkfifo(shell.directory / "fifo")
    done = shell.run("init", where)
    assert (done.code, "cannot be read" in done.err) == (2, True)
    assert stat.S_ISFIFO(os.lstat(shell.directory / "fifo").st_mode)


def test_names_steer_no_terminal(shell: Shell) -> None:
    (shell.directory / "x.py").write_text("")
    (shell.directory / "a\x1b[2Jb\nnext: rm").write_bytes(pickle.dumps([1]))
    done = shell.run("init", "--no-keys")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert not [line for line in done.out.splitlines() if line.startswith("next: rm")]


def test_of_two_files_for_one_role_none_is_bound(shell: Shell, project: Path) -> None:
    (project / "Members.npz").write_bytes((project / "data" / "members.npz").read_bytes())
    assert shell.run("init", "--no-keys").code == 0
    policy = Policy.read(project / "policy.yaml")
    assert [item.check for item in policy.requirements] == ["model-scan", "dependency-audit", "robustness"]
