"""Bind inputs in the text of a policy: the lines of the roles that change are written anew, all others stay."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from weighbridge import _json, _yaml
from weighbridge.errors import PolicyError
from weighbridge.evidence.measurements import InputRole
from weighbridge.policy.document import PolicyDocument
from weighbridge.policy.inputs import AUDITED, UNBOUND, AdvisoriesBinding, Binding, DataBinding, binding_of

_INDENT: Final = re.compile(r" *")
_WORD: Final = re.compile(r"[a-zA-Z][a-zA-Z-]*")
_NO_TEXT: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


@dataclass(frozen=True, slots=True)
class NewBinding:
    """What is to bind a role, and what the line says about it for people."""

    binding: Binding
    comment: str = ""


def bind(data: bytes, *, bindings: Mapping[InputRole, NewBinding], name: str) -> bytes:
    """Return a policy in which these roles are bound like this; everything beside their entries stays as it is.

    Minimum numbers, sources and ages that a role has already are kept. What is audited and is named for the first time
    takes the place of what was ``unbound`` there: else that would have to be given too, whatever it is.

    Raises:
        ParseError: When the policy is not what it must be.
        PolicyError: When ``spec`` or ``inputs`` is not written as a block, so that lines do not tell roles apart.
    """
    before = _read(data, name)[1].spec.inputs
    for role, new in bindings.items():
        data = _bind_one(data, role, new, name)
    if any(role in bindings and binding_of(before, role) is None for role in AUDITED):
        for role in AUDITED:
            if role not in bindings and binding_of(before, role) == UNBOUND:
                data = _let_go(data, role, name)
    return data


def _read(data: bytes, name: str) -> tuple[_yaml.Document, PolicyDocument]:
    document = _yaml.load(data, name=name)
    document.require_kind("ModelPolicy")
    return document, document.convert(PolicyDocument)


def _let_go(data: bytes, role: InputRole, name: str) -> bytes:
    document, before = _read(data, name)
    lines = data.decode().splitlines(keepends=True)
    start = document.lines["spec", "inputs", role.value] - 1
    del lines[start : _end(lines, start)]
    changed = "".join(lines).encode()
    _require_same_otherwise(before, changed, role, None, name)
    return changed


def _bind_one(data: bytes, role: InputRole, new: NewBinding, name: str) -> bytes:
    document, before = _read(data, name)
    kept = _with_limits(new.binding, binding_of(before.spec.inputs, role))
    lines = data.decode().splitlines(keepends=True)
    first = min(_lines_below(document, ("spec",)), default=0)
    if first <= document.lines["spec",]:
        raise _flow(name, "spec")
    indent = _indent(lines[first - 1])
    path: tuple[str | int, ...] = ("spec", "inputs", role.value)
    if ("spec", "inputs") not in document.lines:
        lines[first - 1 : first - 1] = [f"{' ' * indent}inputs:\n", _entry(indent + 2, role, kept, new.comment)]
    elif path in document.lines:
        start = document.lines[path] - 1
        if start == document.lines["spec", "inputs"] - 1:
            raise _flow(name, "inputs")
        lines[start : _end(lines, start)] = [_entry(_indent(lines[start]), role, kept, new.comment)]
    else:
        start = document.lines["spec", "inputs"] - 1
        entries = _lines_below(document, ("spec", "inputs"))
        if not entries or min(entries) - 1 == start:
            raise _flow(name, "inputs")
        lines[start + 1 : start + 1] = [_entry(_indent(lines[min(entries) - 1]), role, kept, new.comment)]
    text = "".join(lines)
    # In a file with the line ends of Windows the new line has them too.
    changed = (text.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in text else text).encode()
    _require_same_otherwise(before, changed, role, kept, name)
    return changed


def _with_limits(new: Binding, old: Binding) -> Binding:
    if isinstance(new, DataBinding) and isinstance(old, DataBinding):
        return msgspec.structs.replace(
            old, sha256=new.sha256, signers=new.signers, supplied_by=new.supplied_by, about=new.about
        )
    if isinstance(new, AdvisoriesBinding) and isinstance(old, AdvisoriesBinding):
        aged = new if new.max_age is not None else old
        return msgspec.structs.replace(
            new, sources=old.sources, at_least=old.at_least, max_age=aged.max_age, accepted=aged.accepted
        )
    return new


def _entry(indent: int, role: InputRole, binding: Binding, comment: str) -> str:
    value = binding if isinstance(binding, str) else _flow_text(msgspec.to_builtins(binding))
    return f"{' ' * indent}{role.value}: {value}{f'  # {comment}' if comment else ''}\n"


def _flow_text(value: object) -> str:
    """Write plain values as one line of YAML; texts are quoted as JSON, which YAML reads alike.

    A word stays bare, except those that YAML 1.1 takes for truth values or nothing.
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow_text(item) for item in value) + "]"
    if isinstance(value, str) and _WORD.fullmatch(value) and value.lower() not in _NO_TEXT:
        return value
    return _json.dumps(value).decode()


def _lines_below(document: _yaml.Document, path: tuple[str | int, ...]) -> list[int]:
    """Return the line of each key directly below a path."""
    depth = len(path) + 1
    return [line for found, line in document.lines.items() if len(found) == depth and found[:-1] == path]


def _indent(line: str) -> int:
    found = _INDENT.match(line)
    return found.end() if found else 0


def _end(lines: list[str], start: int) -> int:
    """Return the line behind an entry: what follows is not indented further, and blank lines before it stay."""
    indent = _indent(lines[start])
    below = range(start + 1, len(lines))
    place = next((place for place in below if lines[place].strip() and _indent(lines[place]) <= indent), len(lines))
    while not lines[place - 1].strip():
        place -= 1
    return place


def _require_same_otherwise(
    before: PolicyDocument, changed: bytes, role: InputRole, binding: Binding, name: str
) -> None:
    # The text was edited by lines; what came out is read again, so that no edit can change anything else.
    after = _yaml.load(changed, name=name).convert(PolicyDocument)
    found = binding_of(after.spec.inputs, role)
    inputs = msgspec.structs.replace(before.spec.inputs, **{_attribute(role): found})
    expected = msgspec.structs.replace(before, spec=msgspec.structs.replace(before.spec, inputs=inputs))
    if found != binding or after != expected:
        raise _flow(name, "inputs")


def _attribute(role: InputRole) -> str:
    return "non_members" if role is InputRole.NON_MEMBERS else role.value


def _flow(name: str, what: str) -> PolicyError:
    return PolicyError(
        f"{name}: `{what}` is not written as a block of one line a key, so it cannot be edited",
        remedy=f"write `{what}:` with each of its keys on a line of its own below it, indented by two spaces",
    )
