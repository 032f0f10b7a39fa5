"""Whether a template can do so much work, or make so much text, that rendering it does not come to an end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from jinja2 import nodes

from weighbridge.checks.model_scan.documents.jinja.flow import Flow
from weighbridge.checks.model_scan.documents.jinja.judge import Problem

ENDLESS: Final = "template-work"

MAX_TEXT: Final = 10_000_000
"""Longest text that a template may make of its own; what messages hold counts as one letter."""

MAX_STEPS: Final = 2_000_000
"""Most turns of loops inside one another, a loop over what messages hold counted as one turn."""

MAX_ARGUMENT: Final = 100_000
"""Largest number that may be given to a function, method or filter."""

_GROWING: Final = (nodes.Add, nodes.Concat, nodes.Mul)


def unbounded_work(flow: Flow) -> Iterator[Problem]:
    """Yield everything whose work is not bounded.

    Raises:
        RecursionError: The tree is too deep.
    """
    for line, reason in (*_large_values(flow), *_growth(flow), *_turns(flow)):
        yield Problem(ENDLESS, reason, line)


def _turns(flow: Flow) -> Iterator[tuple[int, str]]:
    """Yield loops that turn too often, and macros and loops that call themselves without end."""
    looped = frozenset(name for loop in flow.tree.find_all(nodes.For) for name in _targets(loop.target))
    for node in flow.tree.find_all(nodes.Assign):
        if any(True for _ in nodes.Output([node.node]).find_all((nodes.Getattr, nodes.Getitem))):
            looped |= frozenset(_targets(node.target))
    counting = _Counting(flow, looped)
    steps = counting.cost(flow.tree.body)
    if steps > MAX_STEPS:
        yield 1, f"its loops can turn {steps if steps < 1 << 60 else 'endlessly many'} times"
    for line in counting.endless:
        yield line, "a macro or loop calls itself again with what may be no smaller"


def _large_values(flow: Flow) -> Iterator[tuple[int, str]]:
    for node in flow.tree.find_all((*_GROWING, nodes.Call, nodes.Filter)):
        if flow.value(node).size > MAX_TEXT:
            yield node.lineno, "it can make text of tens of millions of letters"
    for call in flow.tree.find_all((nodes.Call, nodes.Filter)):
        if isinstance(call, nodes.Call | nodes.Filter) and any(one.most > MAX_ARGUMENT for one in flow.arguments(call)):
            yield call.lineno, f"a number over {MAX_ARGUMENT} is given to a function"
    for power in flow.tree.find_all(nodes.Pow):
        if flow.value(power).most > MAX_TEXT:
            yield power.lineno, "a power can become too large"


def _growth(flow: Flow) -> Iterator[tuple[int, str]]:
    """Yield what grows by more than a piece in each turn of a loop: text added to itself, a list put into itself."""
    grown: dict[str, set[str]] = {}
    steps: list[tuple[nodes.Node, str, list[str]]] = []
    for place in flow.tree.find_all((nodes.For, nodes.Macro)):
        for node in place.find_all(nodes.Assign):
            for target in _targets(node.target):
                used = [name for grow in _topmost(node.node) for name in _mentioned(grow)]
                multiplied = [name for one in node.node.find_all(nodes.Mul) for name in _mentioned(one)]
                multiplied += _mentioned(node.node) if isinstance(node.node, nodes.Mul) else []
                grown.setdefault(target, set()).update(used)
                steps.append((node, target, used + multiplied))
        looped = _mentioned(place.iter) if isinstance(place, nodes.For) else []
        for call in place.find_all(nodes.Call):
            if isinstance(call.node, nodes.Getattr) and call.node.attr in ("append", "extend", "update", "insert"):
                given = [name for one in call.args for name in _mentioned(one)]
                if not {*given, *looped}.isdisjoint(_mentioned(call.node.node)):
                    yield call.lineno, "a container is put into itself in a loop"
    reached: dict[str, set[str]] = {}
    for step, target, used in steps:
        for name in used:
            if name not in reached:
                reached[name] = _reached(grown, name)
        circle = {name for name in used if name == target or target in reached[name]}
        if sum(1 for name in used if name in circle) > 1:
            yield step.lineno, f"{target} grows by itself in a loop"


def _reached(edges: dict[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in edges.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def _targets(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.NSRef):
        return [f".{node.attr}"]
    if isinstance(node, nodes.Name):
        return [node.name]
    return [name for one in node.iter_child_nodes() for name in _targets(one)]


def _topmost(node: nodes.Node) -> list[nodes.Node]:
    if isinstance(node, _GROWING):
        return [node]
    return [found for child in node.iter_child_nodes() for found in _topmost(child)]


def _mentioned(node: nodes.Node) -> list[str]:
    """Return the names whose text goes into a value, but not those it is only asked about."""
    if isinstance(node, nodes.Name | nodes.Getattr):
        return [node.name if isinstance(node, nodes.Name) else f".{node.attr}"]
    if isinstance(node, nodes.Getitem):
        return [] if not isinstance(node.arg, nodes.Slice) else _mentioned(node.node)
    if isinstance(node, nodes.CondExpr):
        both = [_mentioned(node.expr1), _mentioned(node.expr2) if node.expr2 is not None else []]
        return max(both, key=len)
    if isinstance(node, nodes.Test | nodes.Compare) or (
        isinstance(node, nodes.Filter) and node.name in ("length", "count")
    ):
        return []
    children = list(node.iter_child_nodes())
    if isinstance(node, nodes.Call):
        children = [*([node.node.node] if isinstance(node.node, nodes.Getattr) else []), *node.args]
    return [name for child in children for name in _mentioned(child)]


@dataclass(slots=True)
class _Counting:
    flow: Flow
    looped: frozenset[str]
    endless: list[int] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def cost(self, body: list[nodes.Node]) -> int:
        total = 1
        for node in body:
            total += self._cost(node)
        return total

    def _cost(self, node: nodes.Node) -> int:
        if isinstance(node, nodes.Macro):
            return 0
        total = 0
        for child in node.iter_child_nodes():
            total += self._cost(child)
        if isinstance(node, nodes.For):
            value = self.flow.value(node.iter)
            return min(1 << 62, max(1, value.count) * (total + 1))
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            total += self._called(node, node.node.name)
        return min(1 << 62, total)

    def _called(self, node: nodes.Call, name: str) -> int:
        if name == "loop" and not _smaller(node, self.looped):
            self.endless.append(node.lineno)
        if name not in self.flow.macros:
            return 0
        if name in self._open:
            if not _smaller(node, self.looped):
                self.endless.append(node.lineno)
            return 0
        if name not in self._known:
            self._open.append(name)
            self._known[name] = sum(self.cost(macro.body) for macro in self.flow.macros[name])
            self._open.pop()
        return self._known[name]


def _smaller(node: nodes.Call, looped: frozenset[str]) -> bool:
    """Tell whether a call is given a part of something, so that calling again comes to an end with the data."""
    parts = (nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Name)
    return any(
        given is not node.node and (not isinstance(given, nodes.Name) or given.name in looped)
        for given in node.find_all(parts)
    )
