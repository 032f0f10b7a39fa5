"""The allow lists: every global that a clean pickle may name, exactly, by framework."""

from __future__ import annotations


def allowed_globals() -> frozenset[tuple[str, str]]:
    """Return every listed global as module and name."""
    return frozenset()
