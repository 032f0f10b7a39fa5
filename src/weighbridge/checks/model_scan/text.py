"""Plain text and JSON: harmless only when they really are, and JSON only when it names no code."""

from __future__ import annotations

import codecs
import re
from typing import Final

from weighbridge import _json
from weighbridge.checks.model_scan.pickle_walk import Reading, read_as_pickle
from weighbridge.checks.model_scan.readings import RULE
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source, head
from weighbridge.errors import ParseError

MAX_JSON: Final = 32 * 1024**2
"""Largest JSON file that is parsed."""

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_CODE_KEYS: Final = frozenset({"auto_map", "custom_generate", "custom_pipelines", "loader_module", "code_revision"})
_TRUE_KEYS: Final = frozenset({"trust_remote_code"})
_TEMPLATE_KEYS: Final = frozenset({"chat_template", "template"})
_UNSAFE_TEMPLATE: Final = re.compile(r"__|\|\s*attr\b|\battr\s*\(|\.mro\b|\\x5f|\\u005f", re.IGNORECASE)


def scan_text(scan: Scan, source: Source, location: str) -> None:
    """Scan a text file: UTF-8 without control characters. What else a reader may take it for was asked before.

    Raises:
        RefusedError: It is not plain text.
    """
    del scan, location
    decoder = codecs.getincrementaldecoder("utf-8")()
    place = 0
    try:
        for chunk in source.chunks():
            if _CONTROL.search(decoder.decode(chunk)):
                raise RefusedError("format-mismatch", "a text file holds control characters", offset=place)
            place += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise RefusedError("format-mismatch", "a text file is not UTF-8", offset=place) from None


def refuse_hidden_pickle(scan: Scan, source: Source, location: str) -> None:
    """Refuse bytes that a pickle reader would follow into an import or a call, however far that is.

    Raises:
        RefusedError: They are such a pickle.
        UndecidedError: They are opcodes for so long that no text would be.
    """
    del location
    if read_as_pickle(source, scan.budget) in (Reading.IMPORTS, Reading.CALLS):
        raise RefusedError(RULE, "the bytes are a pickle too, which imports something", severity="critical")


def scan_json(scan: Scan, source: Source, location: str) -> None:
    """Scan a JSON file: strict JSON, and no key that makes a library load code.

    Raises:
        RefusedError: It is not strict JSON.
        UndecidedError: It is too large.
    """
    data = head(source, MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise UndecidedError(f"a JSON file has more than {MAX_JSON} bytes")
    try:
        content = _json.loads(data, what="the file")
    except ParseError as error:
        raise RefusedError("format-mismatch", error.message) from None
    _walk(scan, content, location)


def _walk(scan: Scan, content: object, location: str) -> None:
    waiting: list[tuple[object, str]] = [(content, "")]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                _judge(scan, str(key), inner, location=location)
                waiting.append((inner, f"{path}/{key}"))
            if path == "/weight_map":
                _judge_weight_map(scan, value, location=location)
        elif isinstance(value, list):
            waiting.extend((inner, f"{path}[]") for inner in value if isinstance(inner, dict | list))


def _judge(scan: Scan, key: str, value: object, *, location: str) -> None:
    if key in _CODE_KEYS and value not in (None, {}, [], ""):
        scan.notes.finding(
            "remote-code",
            f"{key} makes a library import Python code that comes with the model",
            location=location,
            severity="critical",
            remedy=f"remove {key} and use a model class of the library itself",
        )
    if key in _TRUE_KEYS and value is not False and value is not None:
        scan.notes.finding("remote-code", f"{key} is switched on", location=location, remedy=f"remove {key}")
    if key in _TEMPLATE_KEYS and isinstance(value, str) and _UNSAFE_TEMPLATE.search(value):
        scan.notes.finding(
            "unsafe-template",
            f"{key} reaches for attributes by which a template leaves its sandbox",
            location=location,
            remedy="use a template without double underscores and without the attr filter",
        )


def _judge_weight_map(scan: Scan, weights: dict[str, object], *, location: str) -> None:
    for name in sorted({str(name) for name in weights.values()}):
        if "/" in name or "\\" in name or name.startswith("."):
            scan.notes.finding(
                "outside-reference",
                f"the weight index names {name!r}, which is not a file beside it",
                location=location,
                remedy="keep all weight files beside their index",
            )
