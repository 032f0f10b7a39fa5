"""Follow what each name of a template can hold, over the whole template at once and regardless of order.

A name holds what any statement gives it. That is more than what is true at one place, never less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2 import nodes

from weighbridge.checks.model_scan.documents.jinja import operations, values
from weighbridge.checks.model_scan.documents.jinja.scopes import read_from_outside
from weighbridge.checks.model_scan.documents.jinja.values import CODE, DATA, MADE, NOTHING, NUMBER, Value
from weighbridge.checks.model_scan.documents.jinja.vocabulary import ATTRIBUTE_AT, FUNCTIONS, MUTATING, VARIABLES
from weighbridge.checks.model_scan.report import UndecidedError

EXACT_ROUNDS: Final = 4
"""Rounds before a value that still changes is taken as anything that more rounds could make of it."""

MAX_ROUNDS: Final = 16
"""Rounds after which the values are given up."""

MAX_STEPS: Final = 100_000
"""Most expressions that are looked at, all rounds together; a real template needs some ten thousand. Takes a second."""

ELEMENTS: Final = "elements of loops"
FIELDS: Final = "fields of namespaces"

_FROM_THE_MODEL: Final = ("_token", "_tokens")
"""How the names end of texts that come from the model's own files, which whoever wrote the template chose too."""


@dataclass(slots=True)
class Flow:
    """What names, fields of namespaces and arguments of macros can hold."""

    tree: nodes.Template
    names: dict[str, Value] = field(default_factory=dict)
    given: dict[str, Value] = field(default_factory=dict)
    fields: dict[str, Value] = field(default_factory=dict)
    added: Value = NOTHING
    added_to_data: Value = NOTHING
    macros: dict[str, list[nodes.Macro]] = field(default_factory=dict)
    outer: frozenset[str] = frozenset()
    _seen: dict[int, Value] = field(default_factory=dict)
    _wide: list[None] = field(default_factory=list)
    _steps: int = 0
    _changed: list[None] = field(default_factory=list)

    @classmethod
    def of(cls, tree: nodes.Template) -> Flow:
        """Follow a template until nothing changes.

        Raises:
            UndecidedError: It does not come to an end.
            RecursionError: The tree is too deep.
        """
        flow = cls(tree, outer=read_from_outside(tree) - VARIABLES)
        for macro in tree.find_all(nodes.Macro):
            flow.macros.setdefault(macro.name, []).append(macro)
        steps = list(_in_order(tree))
        for turn in range(MAX_ROUNDS):
            flow._seen.clear()
            flow._changed.clear()
            if turn == EXACT_ROUNDS:
                flow._wide.append(None)
            for node in steps:
                _STEPS[type(node)](flow, node)
            if not flow._changed:
                flow._seen.clear()
                return flow
        raise UndecidedError(
            "template-not-followed", "what the names of the template hold cannot be followed to an end"
        )

    def value(self, node: nodes.Node) -> Value:
        """Return what an expression can be."""
        found = self._seen.get(id(node))
        if found is None:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise UndecidedError("template-not-followed", "the template has too many expressions to be followed")
            evaluate = _EXPRESSIONS.get(type(node))
            found = evaluate(self, node) if evaluate else DATA
            self._seen[id(node)] = found
        return found

    def arguments(self, node: nodes.Call | nodes.Filter | nodes.Test) -> list[Value]:
        """Return what a call is given, by place and by name."""
        return [self.value(one) for one in node.args] + [self.value(one.value) for one in node.kwargs]

    def element(self, value: Value) -> Value:
        """Return an element of a value, with all that is ever put into containers."""
        return self._with_added(value, value.element())

    def member(self, value: Value) -> Value:
        """Return what a lookup in a value gives, likewise."""
        return self._with_added(value, value.member())

    def named(self, value: Value) -> Value:
        """Return what a lookup by a written name gives, likewise."""
        return self._with_added(value, value.named()) if value.looked_up is not None else value.named()

    def _with_added(self, value: Value, inner: Value) -> Value:
        if values.Kind.LIST in value.atoms:
            return inner | self.added
        return inner | self.added_to_data if values.Kind.DATA in value.atoms else inner

    def hold(self, table: dict[str, Value], name: str, value: Value) -> None:
        """Note that a name can also hold a value."""
        table[name] = self._more(table.get(name, NOTHING), value)

    def hold_field(self, name: str, value: Value) -> None:
        """Note that a field of a namespace can also hold a value."""
        self.hold(self.fields, name, value)
        self.hold(self.given, FIELDS, value)

    def put(self, given: list[Value], into: Value) -> None:
        """Note that values are put into a container, which may go by other names too."""
        for one in given:
            # What is given may be one element, or a container of them.
            content = values.container(values.anywhere(one) | one.element()).items or NOTHING
            if values.Kind.LIST in into.atoms:
                self.added = self._more(self.added, content)
            else:
                self.added_to_data = self._more(self.added_to_data, content)

    def _more(self, old: Value, value: Value) -> Value:
        new = old | value
        if new != old and (self._wide or len(new.atoms) > values.MAX_TEXTS**2):
            new = values.widened(new)
        if new != old:
            self._changed.append(None)
        return new

    def assign(self, target: nodes.Node, value: Value) -> None:
        """Give a value to a name, to a field of a namespace, or its elements to several."""
        if isinstance(target, nodes.Name):
            self.hold(self.names, target.name, value)
        elif isinstance(target, nodes.NSRef):
            self.hold_field(target.attr, value)
        elif isinstance(target, nodes.Tuple | nodes.List):
            for one in target.items:
                self.assign(one, self.element(value))


def _in_order(node: nodes.Node) -> Iterator[nodes.Node]:
    # In the order of the text, so that one round follows a row of assignments to its end.
    if type(node) in _STEPS:
        yield node
    for child in node.iter_child_nodes():
        yield from _in_order(child)


def _step_assign(flow: Flow, node: nodes.Assign) -> None:
    flow.assign(node.target, flow.value(node.node))


def _step_block(flow: Flow, node: nodes.AssignBlock) -> None:
    flow.assign(node.target, output_of(flow, node.body) if node.filter is None else MADE)


def _step_for(flow: Flow, node: nodes.For) -> None:
    element = flow.element(flow.value(node.iter))
    flow.hold(flow.given, ELEMENTS, element)
    flow.assign(node.target, element)
    again = flow.given.get("loop/0")
    if node.recursive and again is not None:
        flow.assign(node.target, flow.element(again))


def _step_with(flow: Flow, node: nodes.With) -> None:
    for target, value in zip(node.targets, node.values, strict=True):
        flow.assign(target, flow.value(value))


def _step_macro(flow: Flow, node: nodes.Macro | nodes.CallBlock) -> None:
    for target, default in zip(node.args[len(node.args) - len(node.defaults) :], node.defaults, strict=True):
        flow.assign(target, flow.value(default))
    name = node.name if isinstance(node, nodes.Macro) else "caller"
    for place, target in enumerate(node.args):
        given = flow.given.get(f"{name}/{place}")
        if given is not None:
            flow.assign(target, given)


def _step_call(flow: Flow, node: nodes.Call) -> None:
    callee = node.node
    if isinstance(callee, nodes.Name) and (callee.name in flow.macros or callee.name in ("caller", "loop")):
        _give(flow, callee.name, node)
    elif isinstance(callee, nodes.Name) and callee.name == "namespace":
        for one in node.kwargs:
            flow.hold_field(one.key, flow.value(one.value))
        flow.put([flow.value(given) for given in node.args], values.mapping())
    elif (isinstance(callee, nodes.Getattr) and callee.attr in MUTATING) or isinstance(callee, nodes.Getitem):
        flow.put([*flow.arguments(node), _keywords(node)], flow.value(callee.node))


def _give(flow: Flow, name: str, node: nodes.Call) -> None:
    """Note what a macro, the body of a call block or a recursive loop is given; each takes it from there."""
    for place, one in enumerate(node.args):
        flow.hold(flow.given, f"{name}/{place}", flow.value(one))
    for keyword in node.kwargs:
        flow.hold(flow.names, keyword.key, flow.value(keyword.value))
    flow.hold(flow.names, "varargs", values.container(*flow.arguments(node)))
    flow.hold(flow.names, "kwargs", values.mapping(*flow.arguments(node), keys=_keywords(node).keys))


def _keywords(node: nodes.Call) -> Value:
    """Return a mapping with the names of a call's arguments as keys, as a call makes one of them."""
    return values.mapping(keys=frozenset(atom for one in node.kwargs for atom in values.text(one.key).atoms))


_STEPS: Final[dict[type[nodes.Node], Callable[[Flow, Any], None]]] = {
    nodes.Assign: _step_assign,
    nodes.AssignBlock: _step_block,
    nodes.For: _step_for,
    nodes.With: _step_with,
    nodes.Macro: _step_macro,
    nodes.CallBlock: _step_macro,
    nodes.Call: _step_call,
}


def output_of(flow: Flow, body: list[nodes.Node]) -> Value:
    """Return the text that statements print."""
    parts: list[Value] = []
    for node in body:
        if not isinstance(node, nodes.Output):
            return MADE
        parts += [
            values.text(one.data) if isinstance(one, nodes.TemplateData) else flow.value(one) for one in node.nodes
        ]
    return values.joined(parts)


def _name(flow: Flow, node: nodes.Name) -> Value:
    name = node.name
    held = flow.names.get(name)
    if name in flow.macros or name == "self":
        return CODE
    if name in FUNCTIONS:
        return CODE if held is None else held | CODE
    if name == "loop":
        # A loop is a row of its elements, each beside the loop itself.
        inner = values.anywhere(flow.given.get(ELEMENTS, NOTHING))
        row = Value(inner.atoms | {values.Kind.LIST, values.Kind.DATA})
        return row if held is None else held | row
    known = DATA if held is None else held | DATA
    # Whoever made the model may have chosen it: each of its ``extra_special_tokens`` is a variable.
    return known | MADE if name.endswith(_FROM_THE_MODEL) or name in flow.outer else known


def _const(_: Flow, node: nodes.Const) -> Value:
    if isinstance(node.value, str):
        return values.text(node.value)
    if isinstance(node.value, int | float):
        return values.number(int(min(abs(node.value), values.MOST)))
    return DATA


def _list(flow: Flow, node: nodes.List | nodes.Tuple) -> Value:
    return values.container(*(flow.value(one) for one in node.items))


def _dict(flow: Flow, node: nodes.Dict) -> Value:
    keys = frozenset(atom for pair in node.items for atom in flow.value(pair.key).atoms)
    return values.mapping(*(flow.value(pair.value) for pair in node.items), keys=keys)


def _either(flow: Flow, node: nodes.BinExpr) -> Value:
    return flow.value(node.left) | flow.value(node.right)


def _condition(flow: Flow, node: nodes.CondExpr) -> Value:
    other = flow.value(node.expr2) if node.expr2 is not None else DATA
    return flow.value(node.expr1) | other


def _truth(_: Flow, node: nodes.Expr) -> Value:
    del node
    return values.number(1)


def _negative(flow: Flow, node: nodes.UnaryExpr) -> Value:
    return values.number(flow.value(node.node).most)


def _concat(flow: Flow, node: nodes.Concat) -> Value:
    return values.joined([flow.value(one) for one in node.nodes])


def _arithmetic(flow: Flow, node: nodes.BinExpr) -> Value:
    return operations.ARITHMETIC[type(node)](flow.value(node.left), flow.value(node.right))


def _attribute(flow: Flow, node: nodes.Getattr) -> Value:
    base = flow.value(node.node)
    if isinstance(node.node, nodes.Name) and node.node.name == "loop" and node.attr in _LOOP_NUMBERS:
        return NUMBER
    return _member(flow, base, node.attr)


def _member(flow: Flow, base: Value, name: str) -> Value:
    inner = flow.named(base) | DATA
    held = flow.fields.get(name) if values.Kind.SPACE in base.atoms else None
    if name in ("previtem", "nextitem"):
        inner = inner | flow.given.get(ELEMENTS, NOTHING)
    return inner if held is None else inner | held


def _subscript(flow: Flow, node: nodes.Getitem) -> Value:
    base = flow.value(node.node)
    if isinstance(node.arg, nodes.Slice):
        made = {values.Made() if isinstance(atom, values.Text | values.Made) else atom for atom in base.atoms}
        return Value(frozenset(made), base.items, base.mapped, base.keys, base.size)
    if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return _member(flow, base, node.arg.value)
    found = flow.member(base) | (MADE if base.textual else NOTHING)
    return found | flow.given.get(FIELDS, NOTHING) if values.Kind.SPACE in base.atoms else found


_LOOP_NUMBERS: Final = frozenset({"index", "index0", "revindex", "revindex0", "length", "depth", "depth0"})


def _filter(flow: Flow, node: nodes.Filter) -> Value:
    base = DATA if node.node is None else flow.value(node.node)
    return filtered(flow, node.name, base, node)


def filtered(flow: Flow, name: str, base: Value, node: nodes.Filter) -> Value:
    """Return what a filter makes of a value."""
    if name == "map":
        return _mapped(flow, base, node)
    given = flow.arguments(node)
    if name in ATTRIBUTE_AT and name not in ("join", "sum", "max", "min"):
        given = []
    return operations.by_filter(name, base, given, flow.element(base))


def _mapped(flow: Flow, base: Value, node: nodes.Filter) -> Value:
    inner = flow.element(base)
    given = flow.arguments(node)
    if node.args and isinstance(node.args[0], nodes.Const) and isinstance(node.args[0].value, str):
        name = node.args[0].value
        # A map inside a map gives containers of what is already smashed.
        if name != "map":
            inner = operations.by_filter(name, inner, given[1:], flow.element(inner))
    else:
        inner = values.anywhere(inner) | DATA
        for one in given[1:]:
            inner = inner | one
    return values.container(inner) | DATA


def _call(flow: Flow, node: nodes.Call) -> Value:
    callee = node.node
    given = flow.arguments(node)
    if isinstance(callee, nodes.Name):
        if callee.name in flow.macros:
            return MADE
        return operations.by_function(callee.name, given, keys=_keywords(node).keys)
    if isinstance(callee, nodes.Getattr):
        base = flow.value(callee.node)
        return operations.by_method(callee.attr, base, given, flow.element(base))
    if isinstance(callee, nodes.Getitem):
        return flow.element(flow.value(callee.node)) | MADE
    return MADE


_EXPRESSIONS: Final[dict[type[nodes.Node], Callable[[Flow, Any], Value]]] = {
    nodes.Name: _name,
    nodes.Const: _const,
    nodes.List: _list,
    nodes.Tuple: _list,
    nodes.Dict: _dict,
    nodes.And: _either,
    nodes.Or: _either,
    nodes.CondExpr: _condition,
    nodes.Not: _truth,
    nodes.Test: _truth,
    nodes.Compare: _truth,
    nodes.Neg: _negative,
    nodes.Pos: _negative,
    nodes.Concat: _concat,
    nodes.Getattr: _attribute,
    nodes.Getitem: _subscript,
    nodes.Filter: _filter,
    nodes.Call: _call,
    **dict.fromkeys(operations.ARITHMETIC, _arithmetic),
}
