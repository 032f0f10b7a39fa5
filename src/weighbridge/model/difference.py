"""Which files two models differ in, from the names and checksums of both; and one sentence that says so.

The sentence is for whoever is refused. Names may come from evidence, so everything in them that cannot be seen is
written as an escape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from weighbridge.model.clutter import advice

SHOWN: Final = 3
"""Files that a sentence names; the rest is counted."""

MAX_NAME: Final = 120
"""Characters of one name that a sentence shows."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What became of the files of one model in another, each part sorted by name."""

    changed: tuple[str, ...]
    """Names on both sides, with other bytes."""
    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    """The name before and the name after, of a file with the same bytes."""

    @classmethod
    def between(cls, before: Mapping[str, str], after: Mapping[str, str]) -> Difference:
        """Compare two models, each as the sha256 of every file by name."""
        gone = sorted(before.keys() - after.keys())
        new = sorted(after.keys() - before.keys())
        renamed = tuple(_renamed(gone, new, before, after))
        old_names, new_names = {old for old, _ in renamed}, {name for _, name in renamed}
        return cls(
            changed=tuple(sorted(name for name in before.keys() & after.keys() if before[name] != after[name])),
            added=tuple(name for name in new if name not in new_names),
            removed=tuple(name for name in gone if name not in old_names),
            renamed=renamed,
        )

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.changed or self.added or self.removed or self.renamed)

    def sentence(self) -> str:
        """Return what differs in words, naming at most ``SHOWN`` files and counting the rest."""
        parts = [*self._parts()]
        shown, rest = parts[:SHOWN], len(parts) - SHOWN
        if rest > 0:
            return f"{', '.join(shown)} and {rest} more {'file differs' if rest == 1 else 'files differ'}"
        return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1]))) if shown else "no file differs"

    def advice(self) -> str:
        """Return what to do about files that other programs left there; empty when none differs."""
        return advice([*self.changed, *self.added, *(new for _, new in self.renamed)])

    def _parts(self) -> Iterator[str]:
        # What matters most comes first: files of other programs are the likeliest to be many.
        changes = [(name, f"{_shown(name)} was changed") for name in self.changed]
        changes += [(new, f"{_shown(old)} was renamed to {_shown(new)}") for old, new in self.renamed]
        changes += [(name, f"{_shown(name)} was removed") for name in self.removed]
        changes += [(name, f"{_shown(name)} was added") for name in self.added]
        for _, words in sorted(changes, key=lambda change: bool(advice([change[0]]))):
            yield words


def _renamed(
    gone: list[str], new: list[str], before: Mapping[str, str], after: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    # Files with the same bytes are told apart by nothing, so they are taken in the order of their names.
    places: dict[str, list[str]] = {}
    for name in reversed(new):
        places.setdefault(after[name], []).append(name)
    for name in gone:
        if candidates := places.get(before[name]):
            yield name, candidates.pop()


def _shown(name: str) -> str:
    shown = repr(name[: MAX_NAME + 1])
    return shown if len(name) <= MAX_NAME and len(shown) <= 2 * MAX_NAME else f"{shown[:MAX_NAME]}…"
