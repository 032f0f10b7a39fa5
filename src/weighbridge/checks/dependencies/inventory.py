"""What an input holds: packages with exact versions, and everything about it that cannot be judged."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from weighbridge._files import open_regular
from weighbridge.checks.dependencies.names import canonical
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import Input
from weighbridge.evidence.record import Finding, Undecided

MAX_INPUT: Final = 64 * 1024 * 1024
"""Largest requirements or lock file that is read."""

MAX_NAME: Final = 256
"""Longest package name that is taken for one, in characters."""


MAX_PATH: Final = 64
"""Longest path from a root to a package; real ones have about ten steps."""

GAP: Final = "..."
"""What stands in a path for the steps that were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package at one version.

    ``name`` is normalised (PEP 503), ``version`` is as written, ``path`` leads from a root to the package where the
    input says how it came in. ``doubt`` says why, beyond the version, the package cannot be called clean.
    """

    name: str
    version: str
    location: str
    path: tuple[str, ...] = ()
    doubt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything that one input says.

    ``passed_over`` counts entries that rightly need no judgement: a marker for another platform, the project itself.
    """

    inputs: tuple[Input, ...]
    pins: tuple[Pin, ...] = ()
    findings: tuple[Finding, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    passed_over: int = 0
    indexes: tuple[str, ...] = field(default=())


def normalise(name: str) -> str:
    """Return a package name as PEP 503 normalises it.

    Raises:
        InputError: When it is empty, too long or holds a character that no package name has.
    """
    normal = canonical(name)
    if not 0 < len(normal) <= MAX_NAME or not all(part.isalnum() for part in normal.split("-")):
        raise InputError("the name is not one that a package can have")
    if not normal.isascii():
        raise InputError("the name is not ASCII")
    return normal


def read_input(path: Path, *, what: str) -> bytes:
    """Read a whole input file.

    Raises:
        InputError: When it cannot be read or is larger than ``MAX_INPUT``.
    """
    try:
        with open_regular(path) as file:
            data = file.read(MAX_INPUT + 1)
    except OSError as error:
        raise InputError(f"{what} cannot be read: {error.strerror}") from None
    if len(data) > MAX_INPUT:
        raise InputError(f"{what} is larger than {MAX_INPUT} bytes")
    return data


def describe(name: str, data: bytes, *, rows: int) -> Input:
    """Return what the evidence says about an input: its name and digest, never its place on the machine."""
    return Input(name=name, sha256=hashlib.sha256(data).hexdigest(), rows=rows, size=len(data))


def paths_from_roots(edges: Mapping[str, Iterable[str]], roots: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return a shortest path from a root to every node that can be reached, root and node included.

    Nodes are taken in the order given, so the same lock gives the same paths. A path longer than ``MAX_PATH`` has
    ``GAP`` in the place of its middle: a hostile chain of fifty thousand packages would otherwise take gigabytes.
    """
    paths: dict[str, tuple[str, ...]] = {}
    queue: deque[str] = deque()
    for root in roots:
        if root not in paths:
            paths[root] = (root,)
            queue.append(root)
    while queue:
        node = queue.popleft()
        for child in edges.get(node, ()):
            if child not in paths:
                path = (*paths[node], child)
                paths[child] = path if len(path) <= MAX_PATH else (path[0], GAP, *path[-MAX_PATH + 2 :])
                queue.append(child)
    return paths


def natural_roots(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the nodes that no other node leads to, for locks that do not name their roots."""
    inner = {child for parent, children in edges.items() for child in children if child != parent}
    return [node for node in edges if node not in inner]
