"""Sets of names, written as lines of text so that a review reads them and not their quotes."""

from __future__ import annotations


def listed(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())
