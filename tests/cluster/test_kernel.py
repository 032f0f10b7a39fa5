from __future__ import annotations

from pathlib import Path

from tests.cluster.kernel import CHANGED, kept


def test_the_kernel_is_left_as_it_was(tmp_path: Path) -> None:
    for name in CHANGED[:-1]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("0\n")
    with kept(tmp_path):
        (tmp_path / "vm" / "overcommit_memory").write_text("1\n")
    assert {(tmp_path / name).read_text() for name in CHANGED[:-1]} == {"0\n"}
