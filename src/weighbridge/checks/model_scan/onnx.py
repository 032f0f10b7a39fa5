"""ONNX: a walk over the protobuf wire format that reads operators and references and skips all numbers.

Field numbers after ``onnx/onnx.proto``. Nothing is imported or built from the file. An operator outside ONNX's own
domains is undecided: what it does is in a library that the loader would have to load.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from weighbridge.checks.model_scan.allow import load_lists
from weighbridge.checks.model_scan.documents import judge_metadata
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import RefusedError, TooManyNotesError, UndecidedError
from weighbridge.checks.model_scan.scan import Reference, Scan
from weighbridge.checks.model_scan.source import Memory, Source

MAX_NESTING: Final = 32
"""Deepest nesting of messages, such as graphs inside attributes of nodes inside graphs."""

MAX_FIELDS: Final = 5_000_000
"""Most protobuf fields of one file."""

MAX_NAME: Final = 4096
"""Longest operator, domain or file name."""

# What each message holds: field number -> the message inside, "text" for a name, "words" for any text that is read.
_SHAPES: Final[Mapping[str, Mapping[int, str]]] = {
    "model": {7: "graph", 8: "opset", 14: "property", 20: "training", 25: "function", 26: "configuration"},
    "property": {1: "words", 2: "words"},
    "configuration": {},
    "opset": {1: "text"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "node": {4: "text", 5: "attribute", 7: "text"},
    "function": {1: "text", 7: "node", 9: "opset", 10: "text", 11: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "tensor": {13: "entry"},
    "entry": {1: "text", 2: "text"},
}
_FIELDS: Final[Mapping[str, frozenset[int]]] = {
    "graph": frozenset({1, 2, 5, 10, 11, 12, 13, 14, 15, 16}),
    "node": frozenset(range(1, 11)),
    "function": frozenset(range(1, 15)),
    "attribute": frozenset({*range(1, 12), 13, 14, 15, 20, 21, 22, 23}),
    "tensor": frozenset({*range(1, 15), 16}),
    "opset": frozenset({1, 2}),
    "property": frozenset({1, 2}),
    "entry": frozenset({1, 2}),
    "training": frozenset({1, 2, 3, 4}),
    "sparse": frozenset({1, 2, 3}),
}
"""The fields that a message has; a reader of protobuf passes over any other, and another program may not."""

_MODEL_WIRE: Final = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""The fields of a model, and how each is written."""

_EXTERNAL_KEYS: Final = frozenset({"location", "offset", "length", "checksum"})
"""What external data may say of itself, by the IR's description ("External Tensor Data"). Readers made attributes of
any other key (CVE-2026-34445)."""

_SHA1: Final = re.compile(r"[0-9a-fA-F]{40}")
_STANDARD: Final = frozenset({"", "ai.onnx"})
_RUNTIMES: Final = re.compile(r"(?:ai\.onnx|com\.microsoft|com\.ms)(?:\..*)?|")
"""Domains of operators that a runtime has code for; it may take its own for a function of the model's."""

_PYTHON_OPERATORS: Final = re.compile(r"ai\.onnx\.contrib:Py.*|com\.microsoft(?:\..*)?:(?:PyOp|PythonOp.*)")
"""Operators of ONNX Runtime, its training build and its extensions that call Python by a name in the model."""

MAX_WORDS: Final = 1024**2
"""Longest metadata that is read."""


@dataclass(slots=True)
class _Walk:
    reader: Reader
    scan: Scan
    location: str
    fields: int = 0
    calls: set[tuple[str, str]] = field(default_factory=set)
    functions: set[tuple[str, str]] = field(default_factory=set)
    unknown: set[tuple[str, int]] = field(default_factory=set)
    properties: list[tuple[str, str]] = field(default_factory=list)


def scan_onnx(scan: Scan, source: Source, location: str) -> None:
    """Scan an ONNX model.

    Raises:
        RefusedError: It is not the wire format of an ONNX model.
        UndecidedError: It has too many fields.
    """
    walk = _Walk(Reader(source), scan, location)
    seen: set[int] = set()
    while not walk.reader.at_end():
        seen.add(_field(walk, "model", {}, 0))
    if not {1, 7} <= seen or not seen <= _MODEL_WIRE.keys():
        raise RefusedError(
            "malformed-onnx", "the file is no ONNX model: it lacks its version or graph, or has others' fields"
        )
    _judge_operators(walk)
    for kind, number in sorted(walk.unknown):
        scan.notes.cannot_decide(
            "unknown-onnx-field", f"a {kind} has the field {number}, which ONNX does not have", location=location
        )
    judge_metadata(scan, walk.properties, f"{location}!metadata_props")


def is_onnx(source: Source) -> bool:
    """Tell whether bytes are, to the last one, fields of a protobuf message of which all that ONNX knows fit ONNX."""
    reader = Reader(source)
    seen: set[int] = set()
    try:
        for _ in range(MAX_FIELDS):
            if reader.at_end():
                break
            key = _varint(reader)
            number, wire = key >> 3, key & 7
            if number == 0 or _MODEL_WIRE.get(number, wire) != wire:
                return False
            seen.add(number)
            _skip(reader, wire)
    except RefusedError:
        return False
    return {1, 7} <= seen


def external_locations(content: bytes, *, name: str) -> tuple[str, ...]:
    """Return the files beside an ONNX model that it names as holding its numbers, each once.

    Raises:
        RefusedError: It names a file that cannot be inside the model, or is not the wire format of an ONNX model.
        UndecidedError: It has too many fields.
    """
    if b"location" not in content:
        return ()
    scan = Scan.start()
    # Too many operators that are not known are no concern here, and are counted after all references are found.
    with contextlib.suppress(TooManyNotesError):
        scan_onnx(scan, Memory(content), name)
    if scan.notes.findings:
        raise RefusedError("outside-reference", scan.notes.findings[0].message)
    return tuple(dict.fromkeys(reference.path for reference in scan.references))


def _judge_operators(walk: _Walk) -> None:
    operators = load_lists().operators
    own = {one for one in walk.functions if not _RUNTIMES.fullmatch(one[0])}
    for domain, name in sorted(walk.calls - own):
        if _PYTHON_OPERATORS.fullmatch(f"{domain}:{name}"):
            walk.scan.notes.finding(
                "operator-runs-python", f"the operator {name!r} of {domain!r} runs Python", location=walk.location
            )
            continue
        if not _RUNTIMES.fullmatch(domain):
            walk.scan.notes.finding(
                "foreign-operator",
                f"the operator {name!r} is of the domain {domain!r}, whose code comes from somewhere else",
                location=walk.location,
                about=f"{domain}:{name}",
            )
            continue
        listed = operators.get("" if domain in _STANDARD else domain)
        if listed is None:
            reason = f"the operator {name!r} is of the domain {domain!r}, whose code is not part of ONNX"
        elif name not in listed:
            reason = f"ONNX has no operator {name!r} in its domain {domain!r}"
        else:
            continue
        walk.scan.notes.cannot_decide("unknown-operator", reason, location=walk.location)


def _varint(reader: Reader) -> int:
    value = shift = 0
    while True:
        byte = reader.byte()
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004
            return value
        shift += 7
        if shift > 63:  # noqa: PLR2004
            raise RefusedError("malformed-onnx", "a number has more than ten bytes", offset=reader.tell())


def _field(walk: _Walk, kind: str, texts: dict[int, list[str]], depth: int) -> int:
    reader = walk.reader
    walk.fields += 1
    if walk.fields > MAX_FIELDS:
        raise UndecidedError("onnx-too-large", f"the file has more than {MAX_FIELDS} fields", offset=reader.tell())
    key = _varint(reader)
    number, wire = key >> 3, key & 7
    inside = _SHAPES[kind].get(number)
    if number not in _FIELDS.get(kind, {number}):
        walk.unknown.add((kind, number))
    if wire == 2:  # noqa: PLR2004
        length = _varint(reader)
        if inside == "text":
            texts.setdefault(number, []).append(_text(reader, length))
        elif inside == "words":
            texts.setdefault(number, []).append(_words(walk, length))
        elif inside is None:
            reader.skip(length)
        else:
            _message(walk, inside, reader.tell() + length, depth + 1)
    elif inside is not None or number == 0:
        raise RefusedError("malformed-onnx", f"field {number} of a {kind} has a wrong wire type", offset=reader.tell())
    else:
        _skip(reader, wire)
    return number


def _text(reader: Reader, length: int) -> str:
    if length > MAX_NAME:
        raise RefusedError("malformed-onnx", f"a name has {length} bytes", offset=reader.tell())
    try:
        return reader.read(length).decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError("malformed-onnx", "a name is not UTF-8", offset=reader.tell()) from None


def _words(walk: _Walk, length: int) -> str:
    if length > MAX_WORDS:
        walk.scan.notes.cannot_decide(
            "metadata-too-long", f"metadata of {length} bytes is not read", location=walk.location
        )
        walk.reader.skip(length)
        return ""
    return walk.reader.read(length).decode("utf-8", "replace")


def _message(walk: _Walk, kind: str, end: int, depth: int) -> dict[int, list[str]]:
    if depth > MAX_NESTING:
        raise RefusedError("malformed-onnx", f"messages nest deeper than {MAX_NESTING}", offset=walk.reader.tell())
    texts: dict[int, list[str]] = {}
    if kind == "tensor":
        _tensor(walk, end, depth)
        return texts
    while walk.reader.tell() < end:
        _field(walk, kind, texts, depth)
    if walk.reader.tell() != end:
        raise RefusedError("malformed-onnx", f"a {kind} is longer than it says", offset=walk.reader.tell())
    # A field that appears twice counts as its last value (protobuf); every value is judged all the same.
    if kind == "node":
        for name in texts.get(4, [""]):
            for domain in texts.get(7, [""]):
                walk.calls.add((domain, name))
    elif kind == "property":
        walk.properties += [(key, text) for key in texts.get(1, [""]) for text in texts.get(2, [])]
    elif kind == "function":
        walk.functions.add((texts.get(10, [""])[-1], texts.get(1, [""])[-1]))
    return texts


def _tensor(walk: _Walk, end: int, depth: int) -> None:
    entries: dict[str, str] = {}
    reader = walk.reader
    while reader.tell() < end:
        start = reader.tell()
        key = _varint(reader)
        if key != (13 << 3 | 2):
            if key >> 3 not in _FIELDS["tensor"]:
                walk.unknown.add(("tensor", key >> 3))
            _skip_field(walk, key)
            continue
        texts = _message(walk, "entry", _varint(reader) + reader.tell(), depth + 1)
        name = texts.get(1, [""])[-1]
        if name in entries:
            raise RefusedError("malformed-onnx", f"a tensor has {name!r} twice", offset=start)
        entries[name] = texts.get(2, [""])[-1]
    if reader.tell() != end:
        raise RefusedError("malformed-onnx", "a tensor is longer than it says", offset=reader.tell())
    if entries:
        _external(walk, entries)


def _skip_field(walk: _Walk, key: int) -> None:
    walk.fields += 1
    if walk.fields > MAX_FIELDS:
        raise UndecidedError("onnx-too-large", f"the file has more than {MAX_FIELDS} fields", offset=walk.reader.tell())
    _skip(walk.reader, key & 7)


def _skip(reader: Reader, wire: int) -> None:
    if wire == 0:
        _varint(reader)
    elif wire in (1, 5):
        reader.skip(8 if wire == 1 else 4)
    elif wire == 2:  # noqa: PLR2004
        length = _varint(reader)
        reader.skip(length)
    else:
        raise RefusedError("malformed-onnx", f"wire type {wire} is not known", offset=reader.tell())


def _external(walk: _Walk, entries: dict[str, str]) -> None:
    if unknown := sorted(entries.keys() - _EXTERNAL_KEYS):
        walk.scan.notes.finding(
            "external-data-key",
            f"a tensor's external data has {', '.join(map(repr, unknown[:5]))}; only "
            f"{', '.join(sorted(_EXTERNAL_KEYS))} mean something, and some readers set any attribute named there",
            location=walk.location,
            severity="critical",
            remedy="remove these keys, or save the model again with onnx.save_model(..., save_as_external_data=True)",
        )
    if "checksum" in entries and _SHA1.fullmatch(entries["checksum"]) is None:
        raise RefusedError("malformed-onnx", "the checksum of a tensor's external data is no SHA-1")
    location = entries.get("location", "")
    numbers = [entries.get("offset", "0"), entries.get("length", "0")]
    parts = location.split("/")
    inside = bool(location) and location.isprintable() and "\\" not in location and ":" not in location
    if not inside or not {"", "..", "."}.isdisjoint(parts):
        walk.scan.notes.finding(
            "outside-reference",
            f"a tensor's numbers lie in {location!r}, which is not inside the model",
            location=walk.location,
            severity="critical",
            remedy="keep external data beside the ONNX file, under a plain relative name",
        )
    elif not all(number.isascii() and number.isdigit() and len(number) < 16 for number in numbers):  # noqa: PLR2004
        raise RefusedError("malformed-onnx", "a tensor's external data has a wrong offset or length")
    else:
        walk.scan.references.append(Reference(location, int(numbers[0]) + int(numbers[1]), walk.location))
