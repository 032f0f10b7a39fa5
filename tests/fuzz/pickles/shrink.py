"""Make the pickle of a defect small: keep taking parts away while the scan still says clean and the defect stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.fuzz.pickles.grammar import lit
from tests.fuzz.pickles.tree import Literal, Make, Mapping, Name, Node, Sequence, children, copy, walk


def shrink(tree: Node, *, still: Callable[[Node], bool], tries: int = 400) -> Node:
    """Return a smaller tree of which ``still`` holds, after at most so many tries."""
    best, again = tree, True
    while again and tries > 0:
        again = False
        for candidate in _smaller(best):
            tries -= 1
            if tries <= 0:
                break
            if still(candidate):
                best, again = candidate, True
                break
    return best


def _smaller(tree: Node) -> Iterator[Node]:
    yield from (child for child in children(tree) if not isinstance(child, (Literal, Name)))
    for place in range(len(walk(tree))):
        for change in _changes(walk(tree)[place]):
            changed = copy(tree)
            if change(walk(changed)[place]):
                yield changed


def _changes(node: Node) -> Iterator[Callable[[Node], bool]]:
    match node:
        case Sequence(items=items):
            yield from (_halves("items", part) for part in _parts(len(items)))
            yield from (_smaller_child("items", place) for place, item in enumerate(items) if not _is_small(item))
        case Mapping(pairs=pairs):
            yield from (_halves("pairs", part) for part in _parts(len(pairs)))
            yield from (_smaller_value("pairs", place) for place, pair in enumerate(pairs) if not _is_small(pair[1]))
        case Make():
            for field in ("states", "pairs", "appends"):
                yield from (_halves(field, part) for part in _parts(len(getattr(node, field))))
            yield from (
                _smaller_child("states", place) for place, item in enumerate(node.states) if not _is_small(item)
            )
            yield from (
                _smaller_value("pairs", place) for place, pair in enumerate(node.pairs) if not _is_small(pair[1])
            )
        case Literal(value) if isinstance(value, (str, bytes)) and len(value) > 8:
            yield _shorter
        case _:
            pass


def _parts(count: int) -> Iterator[range]:
    if count > 3:
        yield from (range(count // 2), range(count // 2, count))
    yield from (range(place, place + 1) for place in range(count))


def _halves(field: str, part: range) -> Callable[[Node], bool]:
    def change(node: Node) -> bool:
        items = getattr(node, field)
        setattr(node, field, [item for place, item in enumerate(items) if place not in part])
        return True

    return change


def _is_small(node: Node) -> bool:
    return isinstance(node, (Literal, Name)) or not list(children(node))


def _smaller_child(field: str, place: int) -> Callable[[Node], bool]:
    def change(node: Node) -> bool:
        getattr(node, field)[place] = lit(None)
        return True

    return change


def _smaller_value(field: str, place: int) -> Callable[[Node], bool]:
    def change(node: Node) -> bool:
        pairs = getattr(node, field)
        pairs[place] = (pairs[place][0], lit(None))
        return True

    return change


def _shorter(node: Node) -> bool:
    assert isinstance(node, Literal)
    node.value = node.value[: len(node.value) // 2]
    return True
