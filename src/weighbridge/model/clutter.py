"""Files that other programs leave in a directory: files like any other, and what to do about them.

There is no ignore list: what could be left out of a digest could be used to bring something in. But whoever is told
that a model differs by ``.git/index`` needs to be told what to do about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

CLUTTER: Final = {
    ".git": "export the model without .git: `git archive HEAD | tar -x -C DIR`",
    ".DS_Store": "delete .DS_Store, which the macOS Finder writes",
    "Thumbs.db": "delete Thumbs.db, which the Windows Explorer writes",
    ".ipynb_checkpoints": "delete .ipynb_checkpoints, which Jupyter writes",
    ".cache/huggingface": "delete .cache/huggingface, in which `hf download --local-dir` notes when it was run",
    "lost+found": "put the model into a directory of its own beneath the root of the volume, which holds lost+found, "
    "and name that",
}
"""What a directory or file of this name is, or of these names in a row, and what to do about it."""


def advice(names: Iterable[str]) -> str:
    """Return what to do about files that no model needs, by the names in a model; empty when none is one."""
    places = [f"/{name}/" for name in names]
    steps = [step for found, step in CLUTTER.items() if any(f"/{found}/" in place for place in places)]
    return f"{'; '.join(steps)} (nothing in a model is ignored)" if steps else ""
