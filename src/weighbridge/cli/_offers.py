"""Inputs that lie in usual places: they are offered by name, and never taken without being asked for.

Whoever made a model could lay a harmless lock or easy test data beside it, so a file is used only when somebody names
it. Only fixed names are asked for, links are left alone, and nothing is opened.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_AUDITED: Final = {
    "uv.lock": "--lock",
    "poetry.lock": "--lock",
    "pylock.toml": "--lock",
    "requirements.txt": "-r",
}
_DATA: Final = {
    "test.npz": "--data",
    "members.npz": "--members",
    "train.npz": "--members",
    "non-members.npz": "--non-members",
    "non_members.npz": "--non-members",
}
AUDIT_OPTIONS: Final = ("--lock", "-r", "--environment")
"""Options that name what is audited; one of them will do."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A file and the option that would take it."""

    option: str
    path: Path


def offers_for(model: Path) -> tuple[Offer, ...]:
    """Return what lies in, beside and around a model, and in the current directory, under usual names.

    The path is as a person would type it. Each option is offered at most one file a directory.
    """
    inside = [model] if model.is_dir() else []
    around = [model.parent, Path()]
    found: dict[str, Offer] = {}
    for directory in (*inside, *around):
        _look(directory, _AUDITED, found)
    for directory in around:  # never inside: data in a model would be part of it
        _look(directory, _DATA, found)
        _look(directory / "data", _DATA, found)
    return tuple(found.values())


def _look(directory: Path, names: dict[str, str], found: dict[str, Offer]) -> None:
    for name, option in names.items():
        path = directory / name
        try:
            regular = stat.S_ISREG(os.lstat(path).st_mode)
        except (OSError, ValueError):
            continue
        if regular:
            found.setdefault(os.path.abspath(path), Offer(option, path))
