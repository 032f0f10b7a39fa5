"""YAML files: plain values without tags, judged by the same rules as JSON."""

from __future__ import annotations

import re
from typing import Final

import yaml

from weighbridge.checks.model_scan.documents import tree
from weighbridge.checks.model_scan.documents.json_file import read_text
from weighbridge.checks.model_scan.documents.judge import judge
from weighbridge.checks.model_scan.documents.text_file import scan_text
from weighbridge.checks.model_scan.documents.tree import Array, Kept, LongText, Node, Object
from weighbridge.checks.model_scan.report import UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source

MAX_YAML: Final = 1024**2
"""Largest YAML file that is read; its parser takes seconds for each megabyte."""

MAX_EXPANDED: Final = 1_000_000
"""Most values that a file may have once every alias is written out."""

_PLAIN_TAGS: Final = re.compile(
    r"tag:yaml\.org,2002:(?:str|int|float|bool|null|seq|map|binary|timestamp|set|omap|pairs)|!"
)
_TRUE: Final = frozenset({"true", "yes", "on"})
_FALSE: Final = frozenset({"false", "no", "off"})
_NUMBER: Final = re.compile(
    r"[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?|0[xo][\da-fA-F_]+|[-+]?\.(?:inf|nan)", re.IGNORECASE
)


def scan_yaml(scan: Scan, source: Source, location: str) -> None:
    """Scan a YAML file: text, no tag that makes an object, and nothing that names code.

    Raises:
        RefusedError: It is not plain text.
        UndecidedError: It is too large or too deep, or not YAML.
    """
    scan_text(scan, source, location)
    text = bytes(read_text(source, limit=MAX_YAML)).decode("utf-8")
    judge_yaml(scan, text, location)


def judge_yaml(scan: Scan, text: str, location: str) -> None:
    """Judge every document of a text; nothing is noted of one that cannot be read to its end.

    Raises:
        UndecidedError: It is not YAML, or too large or deep.
    """
    reader = _Reader()
    documents = reader.documents(text)
    for tag, line in reader.tags:
        scan.notes.finding(
            "yaml-tag",
            f"the tag {tag[:100]!r} makes a loader build an object of it",
            location=f"{location}:line {line}",
            remedy="write plain values without tags",
        )
    for document in documents:
        judge(scan, document, location)


class _Reader:
    def __init__(self) -> None:
        self.tags: list[tuple[str, int]] = []
        self._kept = Kept()
        self._anchors: dict[str, Node] = {}
        self._sizes: dict[int, int] = {}

    def documents(self, text: str) -> list[Node]:
        """Return every document.

        Raises:
            UndecidedError: It is not YAML, or too much of it.
        """
        found: list[Node] = []
        open_: list[tuple[Object | Array, list[Node]]] = []
        try:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                if isinstance(event, yaml.DocumentStartEvent):
                    self._anchors.clear()
                elif isinstance(event, yaml.CollectionStartEvent):
                    self._tag(event)
                    node: Object | Array = Object() if isinstance(event, yaml.MappingStartEvent) else Array()
                    open_.append((node, []))
                    self._name(event, node)
                    if len(open_) > tree.MAX_DEPTH:
                        raise UndecidedError("nests-too-deep", f"the YAML nests deeper than {tree.MAX_DEPTH} levels")
                elif isinstance(event, yaml.CollectionEndEvent):
                    closed, parts = open_.pop()
                    self._close(closed, parts)
                    (open_[-1][1] if open_ else found).append(closed)
                elif isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
                    (open_[-1][1] if open_ else found).append(self._leaf(event))
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            raise UndecidedError(
                "not-yaml", f"the file is not YAML that is read (line {mark.line + 1 if mark else '?'})"
            ) from None
        except (ValueError, OverflowError) as error:
            # The scanner itself fails on an escape such as "\\UFFFFFFFF".
            raise UndecidedError("not-yaml", f"the file is not YAML that is read ({error})") from None
        return found

    def _leaf(self, event: yaml.ScalarEvent | yaml.AliasEvent) -> Node:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise UndecidedError(
                    "not-yaml",
                    f"the file is not YAML that is read (the alias {str(event.anchor)[:60]!r} names nothing)",
                )
            return self._anchors[event.anchor]
        self._tag(event)
        text = str(event.value)
        node: Node = _scalar(text) if event.style is None and event.tag is None else text
        if isinstance(node, str) and len(node) > tree.MAX_TEXT:
            node = LongText("{{" in node or "{%" in node)
        self._kept.more(1, len(text) if isinstance(node, str) else 0)
        self._name(event, node)
        return node

    def _name(self, event: yaml.NodeEvent, node: Node) -> None:
        if event.anchor is not None:
            self._anchors[event.anchor] = node

    def _tag(self, event: yaml.NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and _PLAIN_TAGS.fullmatch(tag) is None:
            self.tags.append((tag, event.start_mark.line + 1 if event.start_mark else 1))

    def _close(self, node: Object | Array, parts: list[Node]) -> None:
        size = 1 + sum(self._sizes.get(id(part), 1) for part in parts)
        if size > MAX_EXPANDED:
            raise UndecidedError(
                "document-too-large", f"the aliases of the YAML stand for more than {MAX_EXPANDED} values"
            )
        self._sizes[id(node)] = size
        self._kept.more(1, 0)
        if isinstance(node, Array):
            node.items, node.count = parts, len(parts)
            return
        for key, value in zip(parts[::2], parts[1::2], strict=True):
            self._member(node, key, value)
        node.count = len(node.members)

    def _member(self, node: Object, key: Node, value: Node) -> None:
        if key == "<<":
            for merged in value.items if isinstance(value, Array) else [value]:
                if isinstance(merged, Object):
                    self._kept.more(len(merged.members), 0)
                    node.members = [*merged.members, *node.members]
        elif isinstance(key, Object | Array):
            node.members += [("?", key), ("?", value)]
        else:
            node.members.append((key if isinstance(key, str) else str(key).lower(), value))


def _scalar(text: str) -> Node:
    """Return what a plain scalar is; one that a reader takes for a date or anything else stays text."""
    lower = text.lower()
    if lower in ("", "~", "null"):
        return None
    if lower in _TRUE or lower in _FALSE:
        return lower in _TRUE
    if _NUMBER.fullmatch(text):
        return int(any(digit in "123456789" for digit in text) or "." in text)
    return text
