"""Texts by name that a file of numbers brings along: metadata of safetensors and ONNX, judged as a document is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from weighbridge.checks.model_scan.documents import tree
from weighbridge.checks.model_scan.documents.json_walk import walk
from weighbridge.checks.model_scan.documents.judge import judge
from weighbridge.checks.model_scan.documents.template import looks_like_template
from weighbridge.checks.model_scan.documents.tree import LongText, Node, Object
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.scan import Scan

_RECORDED: Final = ("ss_", "sshs_", "modelspec.")
"""How names begin under which a trainer tells what it did; no loader takes what it loads from these."""


def judge_metadata(scan: Scan, metadata: Iterable[tuple[str, str]], location: str) -> None:
    """Judge texts by their names: templates, names of code, and documents in JSON, each at its name.

    A name that comes twice is judged twice.
    """
    whole = Object()
    inside: list[tuple[str, Node]] = []
    for key, text in metadata:
        shown = "record" if key.startswith(_RECORDED) else key
        document = _document(scan, text, f"{location}:/{key[:60]}")
        if document is not None:
            inside.append((key, document))
        else:
            node: Node = text if len(text) <= tree.MAX_TEXT else LongText(looks_like_template(text))
            whole.members.append((shown, node))
    whole.count = len(whole.members)
    judge(scan, whole, location)
    for key, document in inside:
        judge(scan, document, f"{location}:/{key[:60]}")


def _document(scan: Scan, text: str, location: str) -> Node:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return walk(text.encode("utf-8", "surrogatepass"))
    except RefusedError:
        return None  # a text that is no JSON
    except UndecidedError as error:
        scan.notes.error(error, location=location)
        return None
