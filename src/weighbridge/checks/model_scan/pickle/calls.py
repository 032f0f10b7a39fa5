"""Hold calls and states to the rule of the name that is called."""

from __future__ import annotations

from typing import Literal

from weighbridge.checks.model_scan.pickle.context import Context
from weighbridge.checks.model_scan.pickle.rules.settings import is_sealed
from weighbridge.checks.model_scan.pickle.values import Blob, Collection, Global, Group, Instance, Value
from weighbridge.checks.model_scan.source import Memory, Part

How = Literal["reduce", "new"]


def judge(callee: Global, args: Group, *, how: How) -> str | None:
    """Tell what is wrong with a call, or None. ``new`` is ``cls.__new__(cls, ...)``."""
    rule = callee.rule
    judged = None if rule is None else rule.new if how == "new" else rule.call
    if judged is None:
        return "may not be called" if how == "reduce" else "is no class that a pickle makes objects of"
    # An argument list that is so long that it was cut has been judged in part only.
    if args.cut or not judged(args.items):
        return "is called with arguments that its pickles never have"
    return None


def judge_state(target: Value, state: Value, context: Context) -> str | None:
    """Tell what is wrong with giving ``target`` this state, or None."""
    if type(target) is not Instance:
        return "state is given to something that is not an object of a listed class"
    maker, rule = target.maker, target.maker.rule
    if target.built:
        # The first state could plant what the second one calls; no pickler gives an object two.
        return f"an object of {maker.path} is given a second state"
    if rule is None or rule.state is None:
        return f"state is given to the result of {maker.path}, which has none"
    if type(state) is Group and state.cut:
        return f"the state of {maker.path} is a tuple that is longer than any"
    problem = rule.state(target, state, context.attributes)
    return None if problem is None else f"the state of {maker.path} {problem}"


def seal(value: Value) -> None:
    """Let nobody change what was just judged: whatever a call or a state is made of."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if type(one) is Group:
            if one.is_open:
                waiting += one.items
        elif type(one) is Collection and not one.sealed:
            one.sealed = True
            waiting += one.entries.values()
        elif type(one) is Instance:
            one.sealed = True


def seal_attributes(state: Value) -> None:
    """Let nobody change the attributes of an object, nor what was found empty; deeper data may point back to it."""
    for part in state.items if type(state) is Group else [state]:
        if type(part) is Collection:
            part.sealed = True
            for name, value in part.entries.items():
                if is_sealed(name):
                    seal(value)


def follow(callee: Global, args: Group, context: Context, *, offset: int) -> None:
    """Scan what a loader is given: the bytes that ``_load_from_bytes`` would unpickle."""
    if callee.name != "_load_from_bytes":
        return
    content = args.items[0]
    if context.nested is None:
        context.notes.cannot_decide(
            "nested-pickle", "a pickle inside a pickle", location=f"{context.location}:{offset}"
        )
    elif type(content) is Blob:
        context.nested(context, Part(context.source, start=content.offset, length=content.length))
    elif type(content) is bytes:
        # A short literal is kept whole.
        context.nested(context, Memory(content))
