"""From somebody's own table to members, non-members and both checks, as a newcomer types it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.checks.data.formats import picture, picture_folder
from tests.cli.conftest import Shell
from weighbridge.evidence.bundle import read_bundle
from weighbridge.evidence.statement import Statement

pytestmark = pytest.mark.landlock


@pytest.fixture
def table(shell: Shell) -> Shell:
    """A table of two kinds of plants, with the label in a column that no convention knows."""
    rng = np.random.default_rng(0)
    kinds = rng.choice(["fern", "moss"], 400)
    x = np.round(rng.normal(3, 1, (400, 3)) + 2 * (kinds == "moss")[:, None], 3)
    lines = [",".join([*map(str, row), kind]) for row, kind in zip(x.tolist(), kinds, strict=True)]
    (shell.directory / "plants.csv").write_text("\n".join(["a,b,c,plant", *lines]) + "\n")
    return shell


def train(directory: Path) -> None:
    with np.load(directory / "members.npz", allow_pickle=False) as data:
        model = LogisticRegression().fit(data["x"], data["y"])
    (directory / "model").mkdir()
    (directory / "model" / "model.pkl").write_bytes(pickle.dumps(model))


def test_a_table_becomes_members_and_non_members_and_both_checks_run(table: Shell) -> None:
    done = table.run("split", "plants.csv", "--label", "plant")
    assert done.code == 0, done.err
    assert "non-members.npz: 199 rows, to keep out of training" in done.out
    assert "a model that has seen rows of the other file" in done.out
    train(table.directory)
    done = table.run("leakage", "model", "--members", "members.npz", "--non-members", "non-members.npz")
    assert done.code == 0, done.out
    done = table.run("robustness", "model", "--data", "plants.csv", "--label", "plant", "--format", "json")
    report = json.loads(done.out)
    assert report["measurements"]["data"]["label"] == "plant"
    assert report["measurements"]["data"]["boundsFrom"] == "rows"
    done = table.run("robustness", "model", "--data", "plants.csv", "--label", "plant")
    assert "are those of the rows themselves" in " ".join(done.out.split())


def test_says_what_is_missing_and_replaces_nothing(table: Shell) -> None:
    done = table.run("split", "plants.csv")
    assert done.code == 2
    assert "its columns are a, b, c, plant" in done.err
    done = table.run("split", "plants.csv", "--train", "plants.csv", "--label", "plant")
    assert done.code == 64
    assert "what to divide is not clear" in done.err
    assert table.run("split", "plants.csv", "--label", "-1").code == 0
    done = table.run("split", "plants.csv", "--label", "-1")
    assert done.code == 2
    assert "it was left as it is" in done.err


def test_a_split_that_is_there_is_converted(table: Shell) -> None:
    lines = (table.directory / "plants.csv").read_text().splitlines()
    for name, part in (("train", lines[1:300]), ("test", lines[290:])):
        (table.directory / name).write_text("\n".join([lines[0], *part]) + "\n")
    done = table.run("split", "--train", "train", "--test", "test", "--label", "plant", "-o", "out")
    assert done.code == 0, done.err
    assert "10 rows of the test data also stand in the training data" in done.out
    assert sorted(path.name for path in (table.directory / "out").iterdir()) == ["members.npz", "non-members.npz"]


def test_a_folder_is_bound_and_signed_by_the_digest_of_its_files(shell: Shell) -> None:
    folder = {f"{name}/1.png": picture(np.zeros((2, 2))) for name in "ab"}
    picture_folder(shell.directory / "pictures", folder)
    done = shell.run("policy", "new", "p.yaml", "--test", "pictures")
    assert done.code == 0, done.err
    digest = shell.run("digest", "pictures").out.split()[0].removeprefix("dirHash:")
    assert digest in (shell.directory / "p.yaml").read_text()
    shell.run("keys", "new", "curator", "-o", "keys")
    done = shell.run("sign-input", "pictures", "--role", "test", "--key", "keys/curator.key")
    assert done.code == 0, done.err
    statement = Statement.parse(
        read_bundle((shell.directory / "pictures.sigstore.json").read_bytes(), what="it").content(), what="it"
    )
    assert statement.subject[0].digest == {"sha256": digest}


def test_what_no_check_reads_is_not_bound(shell: Shell) -> None:
    (shell.directory / "data.pkl").write_bytes(b"\x80\x04N.")
    done = shell.run("policy", "new", "p.yaml", "--test", "data.pkl")
    assert done.code == 2
    assert "a pickle, which can run anything" in done.err
