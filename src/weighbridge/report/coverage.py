"""How a report says in one line what the scan did with the bytes of one file."""

from __future__ import annotations

from typing import Final

from weighbridge.evidence.measurements import FileCoverage
from weighbridge.report._text import cut

_ORDER: Final = {"refused": 0, "undecided": 1, "clean": 2}


def worst_files_first(files: tuple[FileCoverage, ...]) -> tuple[FileCoverage, ...]:
    """Sort files by what became of them, refused first, else by name."""
    return tuple(sorted(files, key=lambda file: (_ORDER[file.state], file.path)))


def accounted(file: FileCoverage) -> str:
    """Say how the bytes of a file were accounted for: the one place to extend when coverage says more."""
    return f"{cut(file.format, limit=80)}, {file.size:,} {'byte' if file.size == 1 else 'bytes'}"
