"""The rows of a table that has a limit, and how many more there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

MAX_ROWS: Final = 500
"""Rows of one table: kinds of findings, reasons of undecided places, or files."""

MAX_ENTRIES: Final = 20
"""Examined files of one check that are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of one table, and how many more there are."""

    items: tuple[Any, ...]
    hidden: int

    @classmethod
    def of(cls, items: tuple[Any, ...], *, limit: int = MAX_ROWS) -> Rows:
        """Keep as many as the limit allows."""
        return cls(items=items[:limit], hidden=max(len(items) - limit, 0))
