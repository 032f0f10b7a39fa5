"""Read the YAML of policies and trust strictly, and keep the line of everything for error messages.

Anchors, aliases, tags, merge keys, duplicate keys and a second document are refused: none is needed, and each has
been a way to say one thing to a person and another to a program.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec
import yaml

from weighbridge._struct import ONE_AT_A_TIME
from weighbridge.errors import ParseError

MAX_YAML_BYTES: Final = 1024 * 1024
"""Largest YAML document that is parsed at all."""

MAX_YAML_DEPTH: Final = 24
"""Deepest nesting that is parsed."""

MAX_YAML_NODES: Final = 100_000
"""Most scalars, lists and mappings in one document."""

MAX_MANIFEST_BYTES: Final = 8 * 1024 * 1024
"""Largest file of manifests that is parsed at all."""

MAX_MANIFEST_DEPTH: Final = 64
"""Deepest nesting of a manifest; schemas nest deeper than policies."""

MAX_MANIFEST_NODES: Final = 400_000
"""Most scalars, lists and mappings in one file of manifests."""

T = TypeVar("T")

_STRING: Final = "tag:yaml.org,2002:str"
_SCALARS: Final = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp")
)
_DISGUISE: Final = re.compile(
    r"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
"""Control characters, ends of lines that few programs show, and marks of direction."""

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?")
"""Numbers that every reader of YAML takes for the same: 010, 1_000, 0x10 and 1:30 are not, and neither is 1.0e+400."""

_PATH_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


@dataclass(frozen=True, slots=True)
class Document:
    """Parsed YAML: plain values, and the line (from 1) at which each path starts.

    A path is a tuple of keys and indices; the empty path is the document.
    """

    name: str
    value: object
    lines: dict[tuple[str | int, ...], int]

    def line(self, *path: str | int) -> int:
        """Return the line of a path, or of the nearest enclosing one that has a line."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 1

    def require_kind(self, kind: str) -> None:
        """Return when the document says that it is of this kind.

        Raises:
            ParseError: When it is of another, which a mixed-up option usually means.
        """
        found = self.value.get("kind") if isinstance(self.value, dict) else None
        if found != kind:
            raise ParseError(
                f"{self.name}:{self.line('kind')}: this is {found or 'a document without a kind'}, expected {kind}",
                remedy=f"give a file of `kind: {kind}`",
            )

    def convert(self, into: type[T]) -> T:
        """Give the document its type.

        Raises:
            ParseError: With file and line, for an unknown field or a wrong type.
        """
        try:
            with ONE_AT_A_TIME:
                return msgspec.convert(self.value, into, strict=True)
        except msgspec.ValidationError as error:
            message, _, where = str(error).partition(" - at `")
            path = _steps(where.rstrip("`"))
            raise ParseError(f"{self.name}:{self.line(*path)}: {message}{_at(path)}") from None


def load(data: bytes, *, name: str) -> Document:
    """Parse one YAML document of plain strings, numbers, booleans, lists and mappings.

    Timestamps stay strings. ``name`` is the file's name for messages.

    Raises:
        ParseError: With file and line, for everything that is not accepted.
    """
    if len(data) > MAX_YAML_BYTES:
        raise ParseError(f"{name} has {len(data)} bytes; at most {MAX_YAML_BYTES} are read")
    try:
        text = data.decode("utf-8")
        _refuse_disguises(text, name)
        _refuse_aliases(text, name, max_depth=MAX_YAML_DEPTH, max_nodes=MAX_YAML_NODES)
        node = yaml.compose(text, Loader=_Loader)
    except (UnicodeDecodeError, yaml.YAMLError, ValueError, OverflowError) as error:
        raise _refusal(error, name) from None
    if node is None:
        raise ParseError(f"{name} is empty")
    lines: dict[tuple[str | int, ...], int] = {}
    return Document(name, _plain(node, (), name, lines, _scalar), lines)


def load_manifests(data: bytes, *, name: str) -> tuple[Document, ...]:
    """Parse a file of any number of YAML documents that are manifests of Kubernetes; empty ones are left out.

    What is refused in a policy is refused here, but for two things that manifests of others have: a number in another
    spelling than a plain decimal stays text, and text may hold what cannot be seen.

    Raises:
        ParseError: With file and line, for everything that is not accepted.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise ParseError(f"{name} has {len(data)} bytes; at most {MAX_MANIFEST_BYTES} are read")
    try:
        text = data.decode("utf-8")
        _refuse_aliases(text, name, max_depth=MAX_MANIFEST_DEPTH, max_nodes=MAX_MANIFEST_NODES)
        nodes = list(yaml.compose_all(text, Loader=_Loader))
    except (UnicodeDecodeError, yaml.YAMLError, ValueError, OverflowError) as error:
        raise _refusal(error, name) from None
    found: list[Document] = []
    for node in nodes:
        lines: dict[tuple[str | int, ...], int] = {}
        value = _plain(node, (), name, lines, _scalar_of_others)
        if value is not None:
            found.append(Document(name, value, lines))
    return tuple(found)


def _refusal(error: Exception, name: str) -> ParseError:
    if isinstance(error, UnicodeDecodeError):
        return ParseError(f"{name} is not UTF-8: {error.reason} at byte {error.start}")
    if isinstance(error, yaml.MarkedYAMLError):
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        return ParseError(f"{name}:{line}: not YAML that is accepted: {error.problem}")
    # The scanner itself fails on an escape such as "\\UFFFFFFFF" and on a version of thousands of digits.
    return ParseError(f"{name}: not YAML: {' '.join(str(error).split())}")


class _Loader(yaml.SafeLoader):
    """The safe loader; only its composer is used, never a constructor."""


def _refuse_aliases(text: str, name: str, *, max_depth: int, max_nodes: int) -> None:
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=_Loader)):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ParseError(f"{name}:{line}: anchors and aliases are not accepted", remedy="write the value out")
        if getattr(event, "tag", None) is not None:
            raise ParseError(f"{name}:{line}: tags are not accepted", remedy="remove the tag")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > max_depth:
            raise ParseError(f"{name}:{line}: nests deeper than {max_depth} levels")
        if count >= max_nodes:
            raise ParseError(f"{name}:{line}: has more than {max_nodes} values")


def _refuse_disguises(text: str, name: str) -> None:
    # In comments too: YAML ends one at signs that an editor shows as nothing, and what follows is a field; and what is
    # written from right to left may look like a comment and be none.
    found = _DISGUISE.search(text)
    if found is not None:
        raise ParseError(
            f"{name}:{text.count(chr(10), 0, found.start()) + 1}: there is {found[0]!a}, which ends a line, steers a "
            "terminal or turns the direction of the text unseen",
            remedy="take it out; lines end with LF or CRLF",
        )


def _plain(
    node: yaml.Node,
    path: tuple[str | int, ...],
    name: str,
    lines: dict[tuple[str | int, ...], int],
    scalar: Callable[[yaml.Node, str, int], object],
) -> object:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), name, lines, scalar) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        result: dict[str, object] = {}
        for key, value in node.value:
            key_line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag != _STRING:
                raise ParseError(f"{name}:{key_line}: a key must be a plain string")
            _visible(key.value, name, key_line)
            if key.value in result:
                raise ParseError(f"{name}:{key_line}: the key {key.value!r} appears twice")
            lines[(*path, key.value)] = key_line
            result[key.value] = _plain(value, (*path, key.value), name, lines, scalar)
        return result
    return scalar(node, name, line)


def _scalar(node: yaml.Node, name: str, line: int) -> object:
    text = str(node.value)
    if node.tag not in _SCALARS:
        raise ParseError(f"{name}:{line}: {text[:40]!r} is not a string, number or boolean")
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        if text in ("true", "false"):
            return text == "true"
        raise ParseError(f"{name}:{line}: write true or false instead of {text!r}, or quote it")
    if kind in ("int", "float"):
        if _NUMBER.fullmatch(text) is None:
            raise ParseError(f"{name}:{line}: {text[:40]!r} is not a plain decimal number; quote it if it is text")
        return int(text) if kind == "int" else float(text)
    return _visible(text, name, line)


def _scalar_of_others(node: yaml.Node, name: str, line: int) -> object:
    kind = node.tag.rpartition(":")[2]
    text = str(node.value)
    if node.tag in _SCALARS and (kind == "str" or (kind in ("int", "float") and _NUMBER.fullmatch(text) is None)):
        return text
    return _scalar(node, name, line)


def _visible(text: str, name: str, line: int) -> str:
    # Escapes such as "\\e" and "\\u202e" would steer the terminal of whoever reads this later, or hide text from them.
    if not text.replace("\n", "").replace("\t", "").isprintable():
        raise ParseError(f"{name}:{line}: the text {text[:40]!r} has characters that cannot be seen")
    return text


def _steps(where: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    for key, index in _PATH_STEP.findall(where.removeprefix("$")):
        if key:
            steps.append(key)
        elif index.isdigit():
            steps.append(int(index))
    return tuple(steps)


def _at(path: tuple[str | int, ...]) -> str:
    if not path:
        return ""
    return " (at " + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".") + ")"
