"""Chooses what to change in what, learns from what was clean, and can be repeated from its seed."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from tests.fuzz.pickles.changes import Changes, Pool, kind_of, maker_of
from tests.fuzz.pickles.grammar import Grammar, Path
from tests.fuzz.pickles.session import Environment, Item
from tests.fuzz.pickles.tree import (
    Literal,
    Make,
    Mapping,
    Name,
    Node,
    Sequence,
    UnreadableError,
    copy,
    has_more,
    read,
    shared_in,
    walk,
    write,
)

WANTED: Final = 0.4
"""The share of clean pickles that is steered to: with fewer changes when there are too few, with more otherwise."""

MAX_CLEAN: Final = 4000
"""Most clean trees that are kept to be changed again."""

SMALL: Final = 80
"""Nodes of a tree that is taken often."""


Archive = tuple[str, Node, dict[str, bytes]]
"""A torch archive: the name of its pickle, the pickle, and the other members."""


PROTOCOLS: Final = (0, 1, 2, 2, 3, 4, 4, 4, 5, 5)
DETOURS: Final = (0.0, 0.05, 0.2)
"""How often a value is written with a detour."""


@dataclass(frozen=True, slots=True)
class Case:
    """A generated file, the tree it was written from, and how it was made."""

    item: Item
    tree: Node
    ways: tuple[str, ...]
    archive: Archive | None = None

    def rewritten(self, tree: Node) -> Item:
        """Return a file like this one with another tree, written in the plainest way."""
        data = write(tree, random.Random(0), protocol=2 if self.archive else 4)
        return Item(self.item.loader, _rebuilt(self.archive, data) if self.archive else data)


class Generator:
    """An endless row of cases; the caller says of each whether it was clean."""

    def __init__(self, environment: Environment, *, listed: frozenset[Path], seed: int) -> None:
        self.rng = random.Random(seed)
        self._grammar = Grammar(self.rng, listed=listed, parameters=environment.parameters)
        self._pool = Pool(self.rng)
        self._changes = Changes(self.rng, grammar=self._grammar, pool=self._pool, methods=environment.methods)
        self._trees = [tree for data in environment.seeds if (tree := _read(data)) is not None]
        self._small = [tree for tree in self._trees if not has_more(tree, SMALL)] or self._trees
        self._archives = [found for data in environment.archives if (found := _archive(data)) is not None]
        self._clean: list[Node] = []
        self._seen: set[object] = set()
        self._tried = {way: [4.0, 2.0] for way in self._changes.ways}
        self._share = WANTED
        for tree in self._trees:
            self._pool.learn(tree)
            self._clean += self._inner(tree)
        for _, tree, _ in self._archives:
            self._pool.learn(tree)

    def _inner(self, tree: Node) -> list[Node]:
        return [node for node in walk(tree)[1:] if isinstance(node, Make) and self._is_new(node)]

    def _is_new(self, node: Node) -> bool:
        found = _features(node) - self._seen
        self._seen |= found
        return bool(found)

    def __iter__(self) -> Iterator[Case]:
        while True:
            yield self.make()

    def make(self) -> Case:
        """Make the next case."""
        rng = self.rng
        archive = rng.choice(self._archives) if self._archives and rng.random() < 0.4 else None
        tree, fresh = (copy(archive[1]), False) if archive else self._start()
        ways: list[str] = []
        for _ in range(0 if fresh and rng.random() < 0.5 else self._count()):
            way = self._way()
            ways.append(way)
            tree = self._changes.ways[way](tree)
        protocol = 2 if archive else rng.choice(PROTOCOLS)
        data = write(tree, rng, protocol=protocol, tricks=rng.choice((0.0, 0.0, 0.0, 0.05, 0.2)))
        if archive:
            return Case(Item("torch", _rebuilt(archive, data)), tree, tuple(ways), archive)
        return Case(Item(rng.choices(("pickle", "python", "joblib"), (90, 6, 4))[0], data), tree, tuple(ways))

    def respell(self, case: Case, *, times: int) -> Iterator[Case]:
        """Write the tree of a case in other ways: another protocol, other memo places, detours over the stack."""
        rng = self.rng
        shared = shared_in(case.tree)
        for _ in range(times):
            protocol = 2 if case.archive else rng.choice(PROTOCOLS)
            data = write(case.tree, rng, protocol=protocol, tricks=rng.choice(DETOURS), shared=shared)
            loader = "torch" if case.archive else rng.choices(("pickle", "python", "joblib"), (90, 6, 4))[0]
            data = _rebuilt(case.archive, data) if case.archive else data
            yield replace(case, item=Item(loader, data, used=False))

    def _start(self) -> tuple[Node, bool]:
        rng = self.rng
        roll = rng.random()
        if roll < 0.25 or not self._trees:
            return self._grammar.value(rng.choice((2, 3, 4))), True
        if roll < 0.65 and self._clean:
            return copy(rng.choice(self._clean)), False
        return copy(rng.choice(self._small if rng.random() < 0.97 else self._trees)), False

    def _count(self) -> int:
        # The wanted share is held from both sides, so that the changes are as bold as the rules allow.
        return self.rng.choice((1, 1, 2)) if self._share < WANTED else self.rng.choice((1, 2, 3, 4))

    def _way(self) -> str:
        ways = list(self._tried)
        return self.rng.choices(ways, [0.08 + clean / tried for tried, clean in self._tried.values()])[0]

    def judge(self, case: Case, *, clean: bool) -> None:
        """Take in whether a case was clean."""
        self._share += (clean - self._share) * 0.01
        for way in case.ways:
            counts = self._tried[way]
            counts[0] += 1
            counts[1] += clean
            if counts[0] > 2000:
                counts[0], counts[1] = counts[0] / 2, counts[1] / 2
        if clean and case.item.loader != "torch" and not has_more(case.tree, SMALL) and self._is_new(case.tree):
            if len(self._clean) < MAX_CLEAN:
                self._clean.append(case.tree)
            else:
                self._clean[self.rng.randrange(MAX_CLEAN)] = case.tree
            self._pool.learn(case.tree)


def _features(root: Node) -> set[object]:
    found: set[object] = set()
    for node in walk(root):
        if not isinstance(node, Make):
            continue
        kind = kind_of(node)
        args = node.args.items if isinstance(node.args, Sequence) else [node.args]
        found.add((kind, node.how, tuple(kind_of(item) for item in args[:6])))
        path = maker_of(node)
        for state in node.states:
            found.add((path, "state", kind_of(state), len(node.states)))
            for part in state.items if isinstance(state, Sequence) else [state]:
                pairs = part.pairs if isinstance(part, (Mapping, Make)) else []
                found |= {(path, key.value, kind_of(value)) for key, value in pairs[:60] if isinstance(key, Literal)}
    if isinstance(root, Name):
        found.add((root.module, root.name))
    return found


def _read(data: bytes) -> Node | None:
    try:
        return read(data)
    except (UnreadableError, ValueError, KeyError, IndexError, AttributeError):
        return None


def _archive(data: bytes) -> Archive | None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = next(each for each in members if each.endswith("/data.pkl"))
    tree = _read(members.pop(name))
    return None if tree is None else (name, tree, members)


def _rebuilt(archive: Archive, data: bytes) -> bytes:
    name, _, members = archive
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        out.writestr(zipfile.ZipInfo(name), data)
        for other, content in members.items():
            out.writestr(zipfile.ZipInfo(other), content)
    return stream.getvalue()
