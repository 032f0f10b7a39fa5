"""Plain text and JSON: harmless only when they really are, and JSON only when it names no code."""

from __future__ import annotations

import codecs
import io
import pickletools
import re
from typing import Final

from weighbridge import _json
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source, head
from weighbridge.errors import ParseError

MAX_JSON: Final = 32 * 1024**2
"""Largest JSON file that is parsed."""

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")
_IMPORTING: Final = frozenset({"STACK_GLOBAL", "EXT1", "EXT2", "EXT4"})
_CALLING: Final = frozenset({"REDUCE", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_NAMES: Final = re.compile(r"[\w.]+ [\w.]+")
_CODE_KEYS: Final = frozenset({"auto_map", "custom_generate", "custom_pipelines", "loader_module", "code_revision"})
_TRUE_KEYS: Final = frozenset({"trust_remote_code"})
_TEMPLATE_KEYS: Final = frozenset({"chat_template", "template"})
_UNSAFE_TEMPLATE: Final = re.compile(r"__|\|\s*attr\b|\battr\s*\(|\.mro\b|\\x5f|\\u005f", re.IGNORECASE)
_MAX_PICKLE_HEAD: Final = 1 << 18
_MAX_PICKLE_WALK: Final = 1 << 16


def scan_text(scan: Scan, source: Source, location: str) -> None:
    """Scan a text file: UTF-8, no control characters, and no pickle of protocol 0 in disguise.

    Raises:
        RefusedError: It is not plain text.
    """
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
    refuse_hidden_pickle(scan, source, location)


def refuse_hidden_pickle(scan: Scan, source: Source, location: str) -> None:
    """Refuse bytes that a pickle reader would follow into a call.

    Raises:
        RefusedError: They are such a pickle.
        UndecidedError: They are opcodes for so long that no text would be.
    """
    del scan, location
    data = head(source, _MAX_PICKLE_HEAD)
    place: int | None = 0
    imports = calls = marks = False
    try:
        # Only syntax is walked here; the head is short and text leaves the walk within a few bytes.
        for opcode, argument, at in pickletools.genops(io.BytesIO(data)):
            place = at
            named = isinstance(argument, str) and _NAMES.fullmatch(argument) is not None
            marks = marks or opcode.name == "MARK"
            imports = imports or opcode.name in _IMPORTING or (opcode.name == "GLOBAL" and named)
            calls = calls or (imports and opcode.name in _CALLING) or (opcode.name == "INST" and marks and named)
            if calls:
                break
    except (ValueError, EOFError, IndexError, OverflowError, UnicodeDecodeError, MemoryError):
        pass
    if calls:
        raise RefusedError("format-mismatch", "the text is a pickle that calls something", severity="critical")
    if place is not None and place > _MAX_PICKLE_WALK:
        raise UndecidedError("the text could be a pickle", offset=place)


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
