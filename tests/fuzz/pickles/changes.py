"""Ways to change the tree of a pickle: each takes a tree that may be changed in place, and returns the new root."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from tests.fuzz.pickles.grammar import Grammar, Path, lit, tuple_
from tests.fuzz.pickles.tree import (
    Literal,
    Make,
    Mapping,
    Name,
    Node,
    Persistent,
    Sequence,
    children,
    copy,
    has_more,
    walk,
)

MAX_POOL: Final = 40
"""Most examples that are kept of one kind of node."""

MAX_EXAMPLE: Final = 120
"""Largest node that is kept as an example."""

SPECIAL: Final = (
    "__setstate__", "__class__", "__dict__", "__reduce__", "__reduce_ex__", "__getstate__", "__call__", "__len__",
    "__iter__", "append", "extend", "update", "__setitem__", "detach", "requires_grad_", "__array__",
    "__array_interface__", "__array_finalize__", "__getattr__", "__sklearn_tags__", "_repr_html_",
    "__array_function__", "__copy__",
)  # fmt: skip
"""Names that a loader or a user looks up on an object, where an attribute of its own may come first."""


def kind_of(node: Node) -> str:  # noqa: PLR0911 - one a type
    """Return the kind under which a node is kept as an example for others."""
    match node:
        case Literal(value):
            return type(value).__name__
        case Sequence(kind):
            return kind
        case Mapping():
            return "dict"
        case Name():
            return "name"
        case Persistent():
            return "persistent"
        case Make(callee=Name(module, name)):
            return f"{module}.{name}"
        case _:
            return "made"


def maker_of(node: Make) -> Path | None:
    """Return the class of an object: its callee, or the first argument of what makes objects of a class."""
    if not isinstance(node.callee, Name):
        return None
    if node.callee.name in ("_reconstructor", "__newobj__", "_new_Index", "_reconstruct", "newObj"):
        first = node.args.items[0] if isinstance(node.args, Sequence) and node.args.items else None
        if isinstance(first, Name):
            return first.module, first.name
    return node.callee.module, node.callee.name


class Pool:
    """Examples of nodes by kind, and of values by the class and attribute that hold them."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._by_kind: dict[str, list[Node]] = defaultdict(list)
        self._by_attribute: dict[tuple[Path, str], list[Node]] = defaultdict(list)
        self._kinds: list[str] = []

    def learn(self, root: Node) -> None:
        """Keep what a tree is made of."""
        for node in walk(root):
            if isinstance(node, (Literal, Name)):
                continue
            self._keep(self._by_kind[kind_of(node)], node)
            if isinstance(node, Make) and (path := maker_of(node)) is not None:
                for state in node.states:
                    for key, value in _entries(state):
                        self._keep(self._by_attribute[path, key], value)
        self._kinds = list(self._by_kind)

    def like(self, node: Node) -> Node | None:
        """Return a copy of an example of the same kind."""
        return self._any(self._by_kind.get(kind_of(node), []))

    def any(self) -> Node | None:
        """Return a copy of any example."""
        return self._any(self._by_kind[self._rng.choice(self._kinds)]) if self._kinds else None

    def attribute(self, path: Path, key: str) -> Node | None:
        """Return a copy of a value that this attribute of this class had."""
        return self._any(self._by_attribute.get((path, key), []))

    def _any(self, examples: list[Node]) -> Node | None:
        return copy(self._rng.choice(examples)) if examples else None

    def _keep(self, examples: list[Node], node: Node) -> None:
        if len(examples) >= MAX_POOL and self._rng.random() < 0.7:
            return
        if has_more(node, MAX_EXAMPLE):
            return
        if len(examples) < MAX_POOL:
            examples.append(node)
        else:
            examples[self._rng.randrange(MAX_POOL)] = node


def _entries(state: Node) -> list[tuple[str, Node]]:
    parts = state.items if isinstance(state, Sequence) else [state]
    return [
        (key.value, value)
        for part in parts
        if isinstance(part, Mapping)
        for key, value in part.pairs
        if isinstance(key, Literal) and isinstance(key.value, str)
    ]


Change = Callable[[Node], Node]


class Changes:
    """The ways to change a tree, and what they draw from."""

    def __init__(
        self, rng: random.Random, *, grammar: Grammar, pool: Pool, methods: dict[Path, tuple[str, ...]]
    ) -> None:
        self._rng = rng
        self._grammar = grammar
        self._pool = pool
        self._methods = methods
        self.ways: dict[str, Change] = {
            "literal": self._literal,
            "like": self._like,
            "attribute": self._attribute,
            "any": self._any,
            "fresh": self._fresh,
            "plant": self._plant,
            "plant-and-build": self._plant_and_build,
            "key": self._key,
            "callee": self._callee,
            "arguments": self._arguments,
            "how": self._how,
            "share": self._share,
            "nest": self._nest,
            "items": self._items,
            "carrier": self._carrier,
            "wrap": self._wrap,
            "state": self._state,
            "number": self._number,
        }

    # --- values ---

    def _literal(self, root: Node) -> Node:
        found: list[Node] = [node for node in walk(root) if isinstance(node, Literal)]
        return self._replace(root, found, lambda _: self._grammar.literal())

    def _number(self, root: Node) -> Node:
        found: list[Node] = [
            node for node in walk(root) if isinstance(node, Literal) and type(node.value) in (int, float, bool)
        ]
        return self._replace(root, found, lambda _: lit(self._grammar.number()))

    def _like(self, root: Node) -> Node:
        return self._replace(root, walk(root), self._pool.like)

    def _any(self, root: Node) -> Node:
        return self._replace(root, walk(root), lambda _: self._pool.any())

    def _fresh(self, root: Node) -> Node:
        return self._replace(root, walk(root), lambda _: self._grammar.value(2))

    def _nest(self, root: Node) -> Node:
        return self._replace(root, walk(root), lambda _: self._grammar.nested())

    def _wrap(self, root: Node) -> Node:
        def wrapped(node: Node) -> Node:
            made: Make = Make(self._grammar.name(), tuple_(node), self._rng.choice(("reduce", "newobj")))
            return self._rng.choice((made, tuple_(node), Sequence("list", [node]), Mapping([(lit("a"), node)])))

        return self._replace(root, walk(root), wrapped)

    def _share(self, root: Node) -> Node:
        nodes = walk(root)
        return self._replace(root, nodes, lambda _: self._rng.choice(nodes))

    def _replace(self, root: Node, nodes: list[Node], new: Callable[[Node], Node | None]) -> Node:
        if not nodes:
            return root
        target = self._rng.choice(nodes)
        found = new(target)
        if found is None or found is target:
            return root
        if target is root:
            return found
        for node in walk(root):
            _swap(node, target, found)
        return root

    # --- objects ---

    def _object(self, root: Node) -> Make | None:
        found = [node for node in walk(root) if isinstance(node, Make)]
        return self._rng.choice(found) if found else None

    def _attribute(self, root: Node) -> Node:
        made = self._object(root)
        path = None if made is None else maker_of(made)
        if made is None or path is None or not made.states:
            return root
        for part in _mappings(made):
            if part.pairs:
                place = self._rng.randrange(len(part.pairs))
                key = part.pairs[place][0]
                if isinstance(key, Literal) and isinstance(key.value, str):
                    value = self._pool.attribute(path, key.value)
                    if value is not None:
                        part.pairs[place] = (key, value)
        return root

    def _method(self, path: Path | None) -> str:
        names = self._methods.get(path, ()) if path is not None else ()
        return self._rng.choice(names) if names and self._rng.random() < 0.6 else self._rng.choice(SPECIAL)

    def _harm(self) -> Node:
        return self._grammar.sink() if self._rng.random() < 0.8 else self._grammar.value(2)

    def _plant(self, root: Node) -> Node:
        made = self._object(root)
        if made is None:
            return Make(self._grammar.name(), tuple_(), "newobj", states=[self._carried([(lit("a"), self._harm())])])
        pair = (lit(self._method(maker_of(made))), self._harm())
        mappings = _mappings(made)
        if mappings and self._rng.random() < 0.5:
            self._rng.choice(mappings).pairs.append(pair)
        else:
            made.states.append(self._carried([pair]))
        return root

    def _plant_and_build(self, root: Node) -> Node:
        made = self._object(root)
        if made is None:
            return root
        made.states.append(self._carried([(lit("__setstate__"), self._harm())]))
        made.states.append(
            self._rng.choice((lit("u1"), lit(None), lit("w+"), Mapping(), tuple_(), self._grammar.literal()))
        )
        return root

    def _carried(self, pairs: list[tuple[Node, Node]]) -> Node:
        """Return a state that holds these attributes, in one of the forms that BUILD takes."""
        rng = self._rng
        carrier: Node = Mapping(pairs)
        if rng.random() < 0.6:
            kind = rng.choice(("OrderedDict", "defaultdict", "Bunch", "Counter", "dict", "ModuleDict", ""))
            carrier = Make(self._grammar.name(kind), tuple_(), rng.choice(("reduce", "newobj")), pairs=pairs)
        match rng.randrange(5):
            case 0:
                return tuple_(lit(None), carrier)
            case 1:
                return tuple_(carrier, Mapping())
            case 2:
                return tuple_(Mapping(), carrier)
            case _:
                return carrier

    def _carrier(self, root: Node) -> Node:
        made = self._object(root)
        if made is not None and made.states:
            place = self._rng.randrange(len(made.states))
            state = made.states[place]
            made.states[place] = self._carried(state.pairs) if isinstance(state, Mapping) else tuple_(lit(None), state)
        return root

    def _key(self, root: Node) -> Node:
        found = [node for node in walk(root) if isinstance(node, Mapping) and node.pairs]
        if found:
            chosen = self._rng.choice(found)
            place = self._rng.randrange(len(chosen.pairs))
            key: Node = lit(self._method(None)) if self._rng.random() < 0.6 else self._grammar.key()
            chosen.pairs[place] = (key, chosen.pairs[place][1])
        return root

    def _callee(self, root: Node) -> Node:
        made = self._object(root)
        if made is not None:
            made.callee = self._grammar.name()
        return root

    def _arguments(self, root: Node) -> Node:
        made = self._object(root)
        if made is None or not isinstance(made.args, Sequence):
            return root
        items = list(made.args.items)
        match self._rng.randrange(4):
            case 0 if items:
                items.pop(self._rng.randrange(len(items)))
            case 1:
                items.insert(self._rng.randrange(len(items) + 1), self._grammar.value(2))
            case 2 if items:
                items[self._rng.randrange(len(items))] = self._grammar.value(2)
            case _:
                self._rng.shuffle(items)
        made.args = Sequence("tuple", items)
        return root

    def _how(self, root: Node) -> Node:
        made = self._object(root)
        if made is not None:
            made.how = self._rng.choice(("reduce", "newobj", "newobj-ex", "obj", "inst"))
        return root

    def _state(self, root: Node) -> Node:
        made = self._object(root)
        if made is not None:
            other = self._object(root)
            states = other.states if other is not None and other.states else [self._grammar.value(2)]
            made.states = [*made.states, self._rng.choice(states)] if self._rng.random() < 0.6 else list(states)
        return root

    def _items(self, root: Node) -> Node:
        made = self._object(root)
        if made is not None:
            if self._rng.random() < 0.5:
                made.appends = [*made.appends, self._grammar.value(1)]
            else:
                made.pairs = [*made.pairs, (self._grammar.key(), self._grammar.value(1))]
        return root


def _mappings(made: Make) -> list[Mapping]:
    parts = [part for state in made.states for part in (state.items if isinstance(state, Sequence) else [state])]
    return [part for part in parts if isinstance(part, Mapping)]


def _swap(node: Node, old: Node, new: Node) -> None:
    if not any(child is old for child in children(node)):
        return

    def one(child: Node) -> Node:
        return new if child is old else child

    match node:
        case Sequence():
            node.items = [one(item) for item in node.items]
        case Mapping():
            node.pairs = [(one(key), one(value)) for key, value in node.pairs]
        case Persistent():
            node.key = one(node.key)
        case Make():
            node.callee, node.args = one(node.callee), one(node.args)
            node.states = [one(state) for state in node.states]
            node.appends = [one(item) for item in node.appends]
            node.pairs = [(one(key), one(value)) for key, value in node.pairs]
            node.keywords = None if node.keywords is None else one(node.keywords)
        case _:
            pass
