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
    """Say how the bytes of a file were accounted for: how many were parsed, are data, or were judged by nobody."""
    whole = f"{cut(file.format, limit=80)}, {file.size:,} {'byte' if file.size == 1 else 'bytes'}"
    how = file.coverage
    if how is None or not file.size:
        return whole
    if how.parsed == file.size:
        return f"{whole}, all parsed"
    parts = ((how.parsed, "parsed"), (how.data, "data"), (how.undecided, "undecided"))
    said = ", ".join(f"{count:,} {word}" for count, word in parts if count)
    gap = next((one for one in how.ranges if one.how == "undecided"), None)
    place = (
        "" if gap is None else f", from byte {gap.start:,}{f' of {cut(gap.member, limit=80)}' if gap.member else ''}"
    )
    return f"{whole}: {said}{place}"
