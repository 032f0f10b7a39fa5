"""Our digest against Go's ``dirhash.Hash1``: recorded values everywhere, Go itself where there is one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.interop.trees import TREES, TWINS, build
from tests.lanes import DIRHASH_MODULE
from weighbridge.errors import ModelError
from weighbridge.model.digest import combine, hash_model

ROOT = Path(__file__).parents[2]
RECIPE = r"find . -type f | LC_ALL=C sort | xargs -d '\n' sha256sum | sed 's,  ./,  ,' | sha256sum"
GOLDEN = Path(__file__).parent / "golden" / "dirhash.json"


def from_go(directories: list[Path]) -> list[str]:
    done = subprocess.run(
        ["go", "run", ".", *map(str, directories)],
        cwd=DIRHASH_MODULE,
        env={**os.environ, "GOFLAGS": "-mod=readonly"},
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    return [line[:64] for line in done.stdout.splitlines()]


@pytest.mark.go
def test_the_recorded_values_are_what_go_computes(tmp_path: Path, update_golden: bool) -> None:
    trees = TREES | TWINS
    directories = [build(tree, tmp_path / name) for name, tree in trees.items()]
    computed = dict(zip(trees, from_go(directories), strict=True))
    if update_golden:
        GOLDEN.write_text(json.dumps(computed, indent=2) + "\n")
    assert json.loads(GOLDEN.read_text()) == computed


@pytest.mark.parametrize("name", list(TREES))
def test_our_digest_is_what_go_computed(tmp_path: Path, name: str) -> None:
    recorded = json.loads(GOLDEN.read_text())
    assert hash_model(build(TREES[name], tmp_path / name)).hex == recorded[name]


@pytest.mark.parametrize("name", list(TREES))
def test_the_recipe_of_the_documents_gives_our_digest(tmp_path: Path, name: str) -> None:
    # Names keep their ./ until they are hashed: -rf would be an option, and - standard input even after `--`.
    root = build(TREES[name], tmp_path / name)
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", RECIPE], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout[:64] == hash_model(root).hex


def test_every_document_shows_the_recipe_that_is_tested() -> None:
    shown = [
        line.strip()
        for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/*.py"))
        for line in path.read_text().splitlines()
        if "find . -type f" in line
    ]
    assert len(shown) >= 2
    assert set(shown) == {RECIPE}


@pytest.mark.parametrize("name", list(TWINS))
def test_trees_with_twins_are_refused_and_combine_to_what_go_computed(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="cannot both be unpacked"):
        hash_model(build(TWINS[name], tmp_path / name))
    names = sorted(TWINS[name], key=str.encode)
    sums = [(each, hashlib.sha256(TWINS[name][each]).hexdigest()) for each in names]
    assert combine(sums).hex == json.loads(GOLDEN.read_text())[name]


def test_every_recorded_tree_is_tested_and_differs() -> None:
    recorded = json.loads(GOLDEN.read_text())
    assert recorded.keys() == (TREES | TWINS).keys()
    assert len(set(recorded.values())) == len(recorded)
