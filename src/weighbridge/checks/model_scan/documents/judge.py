"""Judge a document: by the schemas that fit its objects, and by general rules for what no schema explains."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weighbridge.checks.model_scan.documents import names, roles, schemas, texts
from weighbridge.checks.model_scan.documents.said import CODE, REMOTE, Said
from weighbridge.checks.model_scan.documents.template import judge_template, looks_like_template, note_verdict
from weighbridge.checks.model_scan.documents.tree import Array, LongText, Node, Object
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Memory

_MODULES: Final = frozenset({"module", "package", "library", "import", "namespace"})
_ATTRIBUTES: Final = (names.PICKING - {"module", "library"}) | {"attr", "attribute", "qualname"}
_NAMED: Final = frozenset({"name", "object", "type"})
_MAX_PATH: Final = 12


@dataclass(frozen=True, slots=True)
class _Place:
    node: Node
    path: tuple[str, ...]
    outer: str


def judge(scan: Scan, document: Node, location: str) -> None:
    """Judge a document and note what was found, each at its JSON pointer."""
    _Judge(scan, location, roles.role_of(document)).run(document)


class _Judge:
    def __init__(self, scan: Scan, location: str, role: str | None) -> None:
        self._scan = scan
        self._location = location
        self._role = role

    def run(self, document: Node) -> None:
        # An alias of YAML is the node that it names, so a node can be met twice and inside itself.
        seen: set[int] = set()
        waiting = [_Place(document, (), "")]
        while waiting:
            place = waiting.pop()
            node = place.node
            if isinstance(node, Object | Array):
                if id(node) in seen:
                    continue
                seen.add(id(node))
            if isinstance(node, Object):
                self._object(node, place.path)
                below = node.members
            elif isinstance(node, Array):
                self._array(node, place)
                below = [(str(index), item) for index, item in enumerate(node.items)]
            else:
                self._content(node, place.path, place.outer)
                continue
            for key, inner in reversed(below):
                outer = key if isinstance(node, Object) else place.outer
                waiting.append(_Place(inner, (*place.path, key), outer))

    def _object(self, node: Object, path: tuple[str, ...]) -> None:
        judged: set[str] = set()
        for reading in schemas.readings(node):
            judged |= reading.judged
            for said in reading.said:
                self._say(said, (*path, said.key))
        keys = node.keys()
        for key, value in node.members:
            if key in judged:
                continue
            for text in [value] if isinstance(value, str) else _texts(key, value):
                for said in self._member(node, key, text, keys):
                    self._say(said, (*path, key))
        if not judged & {"class_name", "_class_name", "parent_library", "__class__"}:
            for said in self._pair(node, judged):
                self._say(said, (*path, said.key))

    def _member(self, node: Object, key: str, text: str, keys: frozenset[str]) -> Iterator[Said]:
        found = names.reference(text)
        if names.native(text) and isinstance(node.get(key), str):
            yield Said(key, f"{key} names a library of machine code, {text[:100]!r}")
        elif names.selector(key) in ("import", "imports") and names.Reference(text).standard:
            yield Said(key, f"{key} names {text[:100]!r}, a module of Python's own library")
        elif names.selects_only(key) and names.runs_text(text):
            yield Said(key, f"{key} names {text!r}, which runs text as code")
        elif names.selects(key):
            if found is not None and (found.standard or names.selects_only(key) or names.gives(keys - {key})):
                yield Said(key, f"{key} names {text[:100]!r}, which a library would import", self._rule(found.standard))
            elif found is not None and names.selector(key) == "type" and found.a_class:
                yield Said(key, f"{key} names {text[:100]!r}, a class that a library could import", None)
            elif found is None and names.code_text(text):
                yield Said(key, f"{key} holds code or the name of a file of it", self._rule(False))
        elif found is not None and found.standard and not key.isdigit() and isinstance(node.get(key), str):
            if names.gives(keys - {key}):
                yield Said(key, f"{key} names {text[:100]!r} beside what it would be called with")
            elif self._role is None and node.count == len(node.members):
                yield Said(key, f"{key} names {text[:100]!r}, and nothing tells what reads it", None)

    def _rule(self, standard: bool) -> str | None:
        return CODE if standard or self._role is not None else None

    def _pair(self, node: Object, judged: set[str]) -> Iterator[Said]:
        """A module under one key and a name in it under another."""
        for key, module in node.members:
            if key in judged or names.selector(key) not in _MODULES or not isinstance(module, str):
                continue
            path = names.reference(module) or (names.Reference(module) if names.identifier(module) else None)
            if path is None:
                continue
            beside = {names.selector(other) for other, value in node.members if names.identifier(value)}
            picked = bool(beside & _ATTRIBUTES) or (bool(beside & _NAMED) and names.gives(node.keys()))
            if picked or (path.standard and beside & _NAMED):
                rule = self._rule(path.standard) if picked else None
                yield Said(key, f"{key} and what stands beside it name something in {module[:100]!r}", rule)

    def _array(self, node: Array, place: _Place) -> None:
        """A path in pieces, as in ``["os", "system"]``, under a key that selects code."""
        pieces = [item for item in node.items if isinstance(item, str) and names.identifier(item)]
        whole = 1 < len(pieces) == node.count <= 4  # noqa: PLR2004
        if whole and names.selects(place.outer) and names.Reference(pieces[0]).standard:
            self._say(
                Said(place.outer, f"{place.outer} names {'.'.join(pieces)!r}, which a library would import"), place.path
            )

    def _content(self, node: Node, path: tuple[str, ...], key: str) -> None:
        if isinstance(node, LongText):
            if node.template:
                self._say(Said(key, "a text that may be a template is too long to be judged", None), path)
        elif isinstance(node, str):
            if looks_like_template(node):
                self._template(node, path, key)
            if names.pickled(node):
                self._pickled(node, path)
            for rule, message in texts.problems(node, key):
                self._say(Said(key, message, self._rule(False) if rule == texts.BY_ROLE else rule), path)

    def _template(self, text: str, path: tuple[str, ...], key: str) -> None:
        verdict = judge_template(text)
        meant = any(names.words(one)[-1:] in (["template"], ["templates"]) for one in (key, *path[-2:]))
        # Braces stand in much text that nobody renders: what Jinja cannot parse is one only where one is meant.
        if verdict.parsed or meant:
            note_verdict(self._scan, verdict, self._at(path))

    def _pickled(self, text: str, path: tuple[str, ...]) -> None:
        from weighbridge.checks.model_scan.pickle_scan import scan_pickle

        if text.startswith("4w"):
            self._say(Said("", "a text holds compiled code of Python", rule="embedded-pickle"), path)
            return
        try:
            data = base64.b64decode("".join(text.split()).replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            return
        if data.endswith(b"."):
            inner = self._scan.deeper()
            inner.guard(scan_pickle, Memory(data), f"{self._at(path)}!base64")

    def _say(self, said: Said, path: tuple[str, ...]) -> None:
        place = self._at(path)
        if said.rule is None:
            unknown = "; the role of this file is not known" if said.code == "unknown-role" else ""
            self._scan.notes.cannot_decide(said.code, f"{said.message}{unknown}", location=place, remedy=said.remedy)
            return
        severity = "critical" if said.rule == REMOTE else "high"
        self._scan.notes.finding(
            said.rule, said.message, location=place, severity=severity, remedy=said.remedy, about=said.about
        )

    def _at(self, path: tuple[str, ...]) -> str:
        shown = path if len(path) <= _MAX_PATH else ("...", *path[-_MAX_PATH:])
        return f"{self._location}:/{'/'.join(one[:60] for one in shown)}"


def _texts(key: str, value: Node) -> list[str]:
    """Return what of an array names something by itself: import paths of Python's own library, or any to be called."""
    if not isinstance(value, Array):
        return []
    texts = [item for item in value.items if isinstance(item, str)]
    called = names.selects_only(key) and names.selector(key) not in ("module", "modules", "class", "classes")
    return [text for text in texts if (found := names.reference(text)) is not None and (found.standard or called)]
