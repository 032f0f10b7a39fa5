"""Judge the syntax tree of a template: each part by the rule for its kind."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import nodes

from weighbridge.checks.model_scan.documents.jinja import vocabulary
from weighbridge.checks.model_scan.documents.jinja.flow import Flow
from weighbridge.checks.model_scan.documents.jinja.values import Kind, Made, Number, Text, Value


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that a template breaks, or, without a rule, a place of it that cannot be decided."""

    rule: str | None
    message: str
    line: int


INTERNALS: Final = "unsafe-template"
COMPUTED: Final = "template-computed-name"
CALL: Final = "template-call"
FILE: Final = "template-other-file"


def problems(flow: Flow) -> Iterator[Problem]:
    """Yield what is wrong with a template.

    Raises:
        RecursionError: The tree is too deep.
    """
    whole = (flow.tree, *flow.tree.find_all(nodes.Node))
    called = {id(node.node) for node in whole if isinstance(node, nodes.Call)}
    asked = {
        id(node.node)
        for node in whole
        if isinstance(node, nodes.Test) and node.name in ("defined", "undefined", "none")
    }
    printed = {id(one) for node in whole if isinstance(node, nodes.Output) for one in node.nodes}
    for node in whole:
        if isinstance(node, vocabulary.OTHER_FILES):
            yield Problem(FILE, f"the template reads another file ({type(node).__name__.lower()})", node.lineno)
        elif not isinstance(node, (*vocabulary.STATEMENTS, nodes.Helper)):
            yield Problem(None, f"it holds a part that is not judged ({type(node).__name__})", node.lineno)
        yield from _identifiers(node)
        judge = _JUDGES.get(type(node))
        if judge is not None:
            yield from judge(flow, node)
        if isinstance(node, nodes.Getattr | nodes.Getitem) and id(node) not in called | printed:
            yield from _taken_format(flow, node)
        if isinstance(node, nodes.Name) and node.ctx == "load" and id(node) not in called | asked:
            yield from _name(flow, node)


def _identifiers(node: nodes.Node) -> Iterator[Problem]:
    """Find names that are others once Python has compiled the template: wide letters are plain ones to it (NFKC)."""
    if isinstance(node, nodes.Const | nodes.TemplateData):
        return
    for _, value in node.iter_fields():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str) and unicodedata.normalize("NFKC", one) != one:
                yield Problem(INTERNALS, f"the name {one!r} is another one to Python", node.lineno)


def _taken_format(flow: Flow, node: nodes.Getattr | nodes.Getitem) -> Iterator[Problem]:
    """Find the method ``format`` of a text that is taken as a value, to be called by a name that is not judged."""
    if not flow.value(node.node).textual:
        return
    named = [node.attr] if isinstance(node, nodes.Getattr) else _names(flow, node.arg)
    if "format" in named:
        yield Problem(INTERNALS, "the method format of a text is used as a value", node.lineno)


def _name(flow: Flow, node: nodes.Name) -> Iterator[Problem]:
    # A variable may go by the name of one of Jinja's functions; a subscript of it is still judged as one of a function.
    if Kind.CODE in flow.value(node).atoms and node.name not in flow.names:
        yield Problem(INTERNALS, f"{node.name} is a function and is used as a value", node.lineno)
    elif node.name.startswith("__") and node.name not in flow.names:
        yield Problem(INTERNALS, f"the name {node.name} leads out of plain values", node.lineno)


def _attribute_name(name: object, line: int) -> Iterator[Problem]:
    if isinstance(name, str):
        for part in name.split("."):
            if vocabulary.reaches_internals(part):
                yield Problem(INTERNALS, f"the attribute {part!r} leads out of plain values", line)


def _getattr(flow: Flow, node: nodes.Getattr) -> Iterator[Problem]:
    del flow
    if vocabulary.reaches_internals(node.attr):
        yield Problem(INTERNALS, f"the attribute {node.attr!r} leads out of plain values", node.lineno)


def _getitem(flow: Flow, node: nodes.Getitem) -> Iterator[Problem]:
    if isinstance(node.arg, nodes.Slice):
        return
    if Kind.CODE in flow.value(node.node).atoms:
        yield Problem(INTERNALS, "a function is looked into", node.lineno)
    yield from _key(flow.value(node.arg), node.lineno)


def _key(value: Value, line: int) -> Iterator[Problem]:
    # Jinja looks a subscript up as an attribute when the object has no such element.
    for atom in sorted(value.atoms, key=repr):
        if isinstance(atom, Text) and vocabulary.reaches_internals(atom.text):
            yield Problem(INTERNALS, f"the subscript {atom.text!r} leads out of plain values", line)
        elif isinstance(atom, Made) and vocabulary.may_reach_internals(atom.prefix):
            yield Problem(COMPUTED, "a subscript is text that the template puts together", line)
        elif atom is Kind.CODE:
            yield Problem(COMPUTED, "a subscript is a function", line)


def _call(flow: Flow, node: nodes.Call) -> Iterator[Problem]:
    callee = node.node
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield Problem(CALL, "a call takes its arguments from a container", node.lineno)
    if isinstance(callee, nodes.Name):
        known = callee.name in vocabulary.FUNCTIONS or callee.name in flow.macros or callee.name == "loop"
        if not known or callee.name in flow.names:
            yield Problem(
                CALL, f"{callee.name} is called and is no function of Jinja, Transformers or the template", node.lineno
            )
    elif isinstance(callee, nodes.Getattr):
        yield from _method(flow, node, callee.attr, callee.node)
    elif (
        isinstance(callee, nodes.Getitem) and isinstance(callee.arg, nodes.Const) and isinstance(callee.arg.value, str)
    ):
        yield from _method(flow, node, callee.arg.value, callee.node)
    else:
        yield Problem(CALL, "what is called has no name in the template", node.lineno)


def _method(flow: Flow, node: nodes.Call, name: str, base: nodes.Node) -> Iterator[Problem]:
    if name not in vocabulary.METHODS:
        yield Problem(CALL, f"the method {name!r} is none of plain values", node.lineno)
    elif name == "format":
        yield from _format(flow.value(base), vocabulary.format_problem, node.lineno)


def _format(value: Value, judge: Callable[[str], str | None], line: int) -> Iterator[Problem]:
    for atom in sorted(value.atoms, key=repr):
        wrong = judge(atom.text) if isinstance(atom, Text) else "is not written out in the template"
        if wrong is not None:
            yield Problem(INTERNALS, f"a text that is formatted {wrong}", line)


def _filter(flow: Flow, node: nodes.Filter) -> Iterator[Problem]:
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        yield Problem(CALL, "a filter takes its arguments from a container", node.lineno)
    yield from _judge_filter(flow, node, node.name, node.args)
    if node.name == "format" and node.node is not None:
        yield from _format(flow.value(node.node), vocabulary.percent_problem, node.lineno)


def _judge_filter(flow: Flow, node: nodes.Filter, name: str, given: list[nodes.Expr]) -> Iterator[Problem]:
    if name == "attr":
        yield Problem(INTERNALS, "the filter attr takes a value to any attribute", node.lineno)
    elif name not in vocabulary.FILTERS:
        yield Problem(None, f"the filter {name!r} is none of Jinja or Transformers", node.lineno)
    for keyword in node.kwargs:
        if keyword.key in ("attribute", "name"):
            yield from _attribute(flow, keyword.value)
    place = vocabulary.ATTRIBUTE_AT.get(name)
    if place is not None and len(given) > place:
        yield from _attribute(flow, given[place])
    tested = {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}.get(name)
    if tested is not None and len(given) > tested:
        yield from _test_name(flow, given[tested])
    if name == "map" and given:
        for inner in _names(flow, given[0]):
            if inner is None or inner == "format":
                yield Problem(COMPUTED, "the filter of a map is not written out", node.lineno)
            else:
                yield from _judge_filter(flow, node, inner, given[1:])


def _names(flow: Flow, node: nodes.Expr) -> list[str | None]:
    """Return what an argument names; None for a name that is not written in the template."""
    found = sorted(flow.value(node).atoms, key=repr)
    return [atom.text if isinstance(atom, Text) else None for atom in found if not isinstance(atom, Number)]


def _attribute(flow: Flow, node: nodes.Expr) -> Iterator[Problem]:
    for name in _names(flow, node):
        if name is not None and "format" in name.split("."):
            yield Problem(INTERNALS, "the method format of texts is used as a value", node.lineno)
        if name is None:
            yield Problem(COMPUTED, "the attribute that a filter takes is not written out", node.lineno)
        else:
            yield from _attribute_name(name, node.lineno)


def _test_name(flow: Flow, node: nodes.Expr) -> Iterator[Problem]:
    for name in _names(flow, node):
        if name not in vocabulary.TESTS:
            yield Problem(COMPUTED, f"{name or 'a text that is not written out'} is no test of Jinja", node.lineno)


def _test(flow: Flow, node: nodes.Test) -> Iterator[Problem]:
    del flow
    if node.name not in vocabulary.TESTS:
        yield Problem(None, f"the test {node.name!r} is none of Jinja", node.lineno)


def _nsref(flow: Flow, node: nodes.NSRef) -> Iterator[Problem]:
    del flow
    yield from _attribute_name(node.attr, node.lineno)


def _percent(flow: Flow, node: nodes.Mod) -> Iterator[Problem]:
    texts = Value(frozenset(atom for atom in flow.value(node.left).atoms if isinstance(atom, Text | Made)))
    yield from _format(texts, vocabulary.percent_problem, node.lineno)


_JUDGES: Final[dict[type[nodes.Node], Callable[[Flow, Any], Iterator[Problem]]]] = {
    nodes.Getattr: _getattr,
    nodes.Getitem: _getitem,
    nodes.Call: _call,
    nodes.Filter: _filter,
    nodes.Test: _test,
    nodes.NSRef: _nsref,
    nodes.Mod: _percent,
}
