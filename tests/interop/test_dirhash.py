"""Our digest against Go's ``dirhash.Hash1``: recorded values everywhere, Go itself where there is one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.interop.trees import TREES, build
from tests.lanes import DIRHASH_MODULE
from weighbridge.model.digest import hash_model

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
    directories = [build(tree, tmp_path / name) for name, tree in TREES.items()]
    computed = dict(zip(TREES, from_go(directories), strict=True))
    if update_golden:
        GOLDEN.write_text(json.dumps(computed, indent=2) + "\n")
    assert json.loads(GOLDEN.read_text()) == computed


@pytest.mark.parametrize("name", list(TREES))
def test_our_digest_is_what_go_computed(tmp_path: Path, name: str) -> None:
    recorded = json.loads(GOLDEN.read_text())
    assert hash_model(build(TREES[name], tmp_path / name)).hex == recorded[name]


def test_every_recorded_tree_is_tested_and_differs() -> None:
    recorded = json.loads(GOLDEN.read_text())
    assert recorded.keys() == TREES.keys()
    assert len(set(recorded.values())) == len(recorded)
