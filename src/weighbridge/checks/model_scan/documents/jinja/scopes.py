"""Find the names that a template reads without having given them a value: whoever renders it gives them one.

Nothing is computed. Jinja's own ``meta.find_undeclared_variables`` compiles the template and folds its constants on the
way, and so takes as long as the template likes.
"""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import nodes

_LOOP = frozenset({"loop"})
_MACRO = frozenset({"varargs", "kwargs", "caller"})


def read_from_outside(tree: nodes.Template) -> frozenset[str]:
    """Return the names that are read at a place where the template has not surely given them a value.

    Raises:
        RecursionError: The tree is too deep.
    """
    outer: set[str] = set()
    _statements(tree.body, frozenset(), outer)
    return frozenset(outer)


def _statements(body: Iterable[nodes.Node], bound: frozenset[str], outer: set[str]) -> frozenset[str]:
    """Follow statements in order, and return the names that have a value behind the last one."""
    for node in body:
        bound = _statement(node, bound, outer)
    return bound


def _statement(node: nodes.Node, bound: frozenset[str], outer: set[str]) -> frozenset[str]:
    match node:
        case nodes.Assign():
            _expressions([node.node], bound, outer)
            return bound | _targets([node.target])
        case nodes.AssignBlock():
            _expressions([] if node.filter is None else [node.filter], bound, outer)
            _statements(node.body, bound, outer)
            return bound | _targets([node.target])
        case nodes.If():
            return _branches(node, bound, outer)
        case nodes.For():
            inside = bound | _targets([node.target]) | _LOOP
            _expressions([node.iter], bound, outer)
            _expressions([] if node.test is None else [node.test], inside, outer)
            _statements(node.body, inside, outer)
            _statements(node.else_, bound, outer)
        case nodes.Macro() | nodes.CallBlock():
            _expressions([*node.defaults, *([node.call] if isinstance(node, nodes.CallBlock) else [])], bound, outer)
            _statements(node.body, bound | _targets(node.args) | _MACRO, outer)
            return bound | {node.name} if isinstance(node, nodes.Macro) else bound
        case nodes.With():
            _expressions(node.values, bound, outer)
            _statements(node.body, bound | _targets(node.targets), outer)
        case nodes.FilterBlock():
            _expressions([node.filter], bound, outer)
            _statements(node.body, bound, outer)
        case nodes.Scope() | nodes.Block():
            _statements(node.body, bound, outer)
        case _:
            _expressions([node], bound, outer)
    return bound


def _branches(node: nodes.If, bound: frozenset[str], outer: set[str]) -> frozenset[str]:
    _expressions([node.test], bound, outer)
    ends = [_statements(node.body, bound, outer), _statements(node.else_, bound, outer)]
    for other in node.elif_:
        _expressions([other.test], bound, outer)
        ends.append(_statements(other.body, bound, outer))
    return ends[0].intersection(*ends[1:])


def _expressions(found: Iterable[nodes.Node], bound: frozenset[str], outer: set[str]) -> None:
    for one in found:
        names = [one] if isinstance(one, nodes.Name) else one.find_all(nodes.Name)
        outer.update(name.name for name in names if name.name not in bound)


def _targets(found: Iterable[nodes.Node]) -> frozenset[str]:
    """Return the names that are given a value; a field of a namespace is none."""
    return frozenset(
        name.name for one in found for name in ([one] if isinstance(one, nodes.Name) else one.find_all(nodes.Name))
    )
