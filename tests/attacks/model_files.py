"""Hostile files of other formats, and files under a name that is not theirs."""

from __future__ import annotations

import json
import struct
from typing import Any

from tests.attacks.model_containers import NUMPY, archive, torch_archive
from tests.attacks.model_pickles import OPCODES, SYSTEM
from tests.attacks.models import Case

ELF = b"\x7fELF\x02\x01\x01" + bytes(64)


def safetensors(header: dict[str, Any] | bytes, data: bytes) -> bytes:
    """Write a safetensors file with any header."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def tensor(begin: int, end: int, **changes: Any) -> dict[str, Any]:
    """Describe one tensor of bytes."""
    return {"dtype": "U8", "shape": [end - begin], "data_offsets": [begin, end]} | changes


_SAFETENSORS: dict[str, bytes] = {
    "hole": safetensors({"a": tensor(0, 2), "b": tensor(3, 5)}, bytes(5)),
    "overlap": safetensors({"a": tensor(0, 3), "b": tensor(2, 5)}, bytes(5)),
    "trailing": safetensors({"a": tensor(0, 2)}, bytes(2) + SYSTEM),
    "short": safetensors({"a": tensor(0, 9)}, bytes(2)),
    "duplicate-key": safetensors(b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":null}', bytes(1)),
    "metadata-object": safetensors({"__metadata__": {"a": {"b": 1}}, "a": tensor(0, 1)}, bytes(1)),
    "metadata-is-list": safetensors({"__metadata__": [], "a": tensor(0, 1)}, bytes(1)),
    "unknown-type": safetensors({"a": tensor(0, 1, dtype="PICKLE")}, bytes(1)),
    "unknown-key": safetensors({"a": tensor(0, 1, code="x")}, bytes(1)),
    "shape-differs": safetensors({"a": tensor(0, 4, shape=[3])}, bytes(4)),
    "negative": safetensors({"a": tensor(0, 1, data_offsets=[-1, 0])}, bytes(1)),
    "header-cut": safetensors({"a": tensor(0, 1)}, b"")[:20],
    "header-huge": struct.pack("<Q", 1 << 31) + b"{}",
    "header-no-json": safetensors(b"{nope", b""),
    "is-pickle": SYSTEM,
}


METADATA: dict[str, tuple[str, dict[str, str]]] = {
    "template": ("unsafe-template", {"chat_template": "{{ ''.__class__ }}"}),
    "template-under-any-key": ("unsafe-template", {"description": "x {{ ''.__class__ }}"}),
    "name": ("code-reference", {"_target_": "os.system"}),
    "document": ("code-reference", {"config": '{"model": {"_target_": "os.system"}}'}),
    "document-remote": ("remote-code", {"config": ' {"auto_map": {"AutoModel": "m.Evil"}}'}),
    "record-that-is-a-template": ("unsafe-template", {"ss_comment": "{{ ''.__class__ }}"}),
}
"""Metadata of safetensors and of ONNX, with the rule that finds it."""


def field(number: int, content: bytes | str | int) -> bytes:
    """Write one protobuf field."""
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    raw = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def node(operator: str, *, domain: str = "", extra: bytes = b"") -> bytes:
    """Write a node."""
    return field(1, "x") + field(2, "y") + field(4, operator) + (field(7, domain) if domain else b"") + extra


def external(location: str, *, offset: str = "0", length: str = "4") -> bytes:
    """Write a tensor whose numbers lie in another file."""
    entries = {"location": location, "offset": offset, "length": length}
    body = field(1, 1) + field(2, 1) + field(8, "w")
    return body + b"".join(field(13, field(1, key) + field(2, value)) for key, value in entries.items()) + field(14, 1)


def onnx(*nodes: bytes, tensors: tuple[bytes, ...] = (), extra: bytes = b"") -> bytes:
    """Write a model."""
    graph = b"".join(field(1, one) for one in nodes) + field(2, "g") + b"".join(field(5, one) for one in tensors)
    return field(1, 8) + field(8, field(2, 17)) + field(7, graph) + extra


def metadata(texts: dict[str, str]) -> bytes:
    """Write metadata of a model."""
    return b"".join(field(14, field(1, key) + field(2, text)) for key, text in texts.items())


def with_metadata() -> list[tuple[Case, str]]:
    """Return files of numbers whose metadata is hostile, each with the rule that has to find it."""
    found = []
    for name, (rule, texts) in METADATA.items():
        data = safetensors({"__metadata__": texts, "a": tensor(0, 2)}, bytes(2))
        found.append((Case("safetensors", f"metadata-{name}", "m.safetensors", data), rule))
        model = onnx(node("Relu"), extra=metadata(texts))
        found.append((Case("onnx", f"metadata-{name}", "m.onnx", model), rule))
    return found


def _nested_graphs(depth: int) -> bytes:
    graph = field(1, node("Relu"))
    for _ in range(depth):
        graph = field(1, node("If", extra=field(5, field(1, "then_branch") + field(6, graph))))
    return graph


_ONNX: dict[str, bytes] = {
    "custom-domain": onnx(node("Run", domain="evil.ops")),
    "unknown-operator": onnx(node("Exec")),
    "microsoft-python-op": onnx(node("PyCustom", domain="ai.onnx.contrib")),
    "microsoft-training-op": onnx(node("PythonOp", domain="com.microsoft")),
    "custom-in-subgraph": onnx(node("If", extra=field(5, field(6, field(1, node("Run", domain="evil")))))),
    "custom-in-function": onnx(
        node("Relu"), extra=field(25, field(1, "F") + field(10, "f") + field(7, node("R", domain="e")))
    ),
    "external-parent": onnx(tensors=(external("../../etc/passwd"),)),
    "external-absolute": onnx(tensors=(external("/etc/passwd"),)),
    "external-backslash": onnx(tensors=(external("..\\..\\x"),)),
    "external-drive": onnx(tensors=(external("c:/x"),)),
    "external-empty": onnx(tensors=(external(""),)),
    "external-dot": onnx(tensors=(external("./w"),)),
    "external-offset": onnx(tensors=(external("w", offset="-5"),)),
    "external-in-attribute": onnx(
        node("Constant", extra=field(5, field(1, "value") + field(5, external("/etc/passwd"))))
    ),
    "external-second-location": onnx(tensors=(external("w") + field(13, field(1, "location") + field(2, "/etc/x")),)),
    "deep": field(1, 8) + field(7, _nested_graphs(40)),
    "cut": onnx(node("Relu"))[:-3],
    "unknown-field": onnx(node("Relu"), extra=field(99, "x")),
    "unknown-field-of-graph": field(1, 8) + field(7, field(1, node("Relu")) + field(99, "x")),
    "unknown-field-of-node": onnx(node("Relu", extra=field(77, "x"))),
    "unknown-field-of-tensor": onnx(tensors=(field(1, 1) + field(2, 1) + field(99, "x"),)),
    "function-for-operator-of-a-runtime": onnx(
        node("PyOp", domain="ai.onnx.contrib"),
        extra=field(25, field(1, "PyOp") + field(10, "ai.onnx.contrib") + field(7, node("Relu"))),
    ),
    "group-wire-type": onnx(node("Relu"), extra=_varint(2 << 3 | 3)),
    "endless-varint": b"\xff" * 20,
    "graph-missing": field(1, 8),
    "node-longer-than-graph": field(1, 8) + b"\x3a\x04\x0a\x7f\x0a\x00" + bytes(8),
    "is-pickle": SYSTEM,
}

_JSON: dict[str, Any] = {
    "auto-map": {"auto_map": {"AutoModel": "modeling.Evil"}},
    "auto-map-nested": {"a": [{"auto_map": {"AutoModel": "x--y.Z"}}]},
    "custom-generate": {"custom_generate": "generate.py"},
    "trust-remote-code": {"trust_remote_code": True},
    "chat-template": {"chat_template": "{{ ''.__class__.__mro__[1].__subclasses__() }}"},
    "chat-template-attr": {"chat_template": "{{ x|attr('y') }}"},
    "weight-map-outside": {"weight_map": {"w": "../../x.safetensors"}},
    "weight-map-absolute": {"weight_map": {"w": "/etc/passwd"}},
}

_PLAIN: dict[str, tuple[str, bytes]] = {
    "python": ("modeling.py", b"import os\n"),
    "python-upper-case": ("modeling.PY", b"import os\n"),
    "shell": ("run.sh", b"echo\n"),
    "notebook": ("a.ipynb", b"{}"),
    "elf": ("m.so", ELF),
    "elf-as-text": ("readme.txt", ELF),
    "elf-as-pickle": ("m.pkl", ELF),
    "elf-without-extension": ("m", ELF),
    "python-code": ("m", b"\xa7\r\r\n" + bytes(12) + b"\xe3" + bytes(40)),
    "web-assembly": ("m", b"\0asm\x01\0\0\0" + bytes(20)),
    "android": ("m", b"dex\n035\0" + bytes(40)),
    "bit-code": ("m", b"BC\xc0\xde" + bytes(40)),
    "windows-link": ("m", b"L\0\0\0\x01\x14\x02\0" + bytes(40)),
    "universal-binary": ("m", b"\xca\xfe\xba\xbf" + bytes(40)),
    "text-of-an-empty-mark": ("m", b"\xff\xfe\0\0"),
    "json-5": ("config.json", b"{_target_:'os.system'}"),
    "json-5-with-comments": ("config.json", b"{// x\n_target_: 'os.system',}"),
    "pe": ("m.bin", b"MZ" + bytes(80)),
    "script-as-text": ("notes.txt", b"#!/bin/sh\ntrue\n"),
    "script-as-readme": ("README", b"#!/bin/sh\ntrue\n"),
    "text-with-nul": ("notes.txt", b"a\x00b"),
    "text-not-utf8": ("notes.txt", b"\xff\xfe"),
    "text-is-pickle-0": ("notes.txt", SYSTEM),
    "text-is-pickle-inst": ("notes.md", OPCODES["inst"]),
    "text-is-pickle-without-stop": ("vocab.txt", SYSTEM[:-1] + b"hello"),
    "json-is-pickle": ("config.json", SYSTEM),
    "json-deep": ("config.json", b"[" * 100_000),
    "json-trailing": ("config.json", b"{} {}"),
    "yaml": ("conda.yaml", b"a: !!python/object/apply:os.system ['true']\n"),
    "mlmodel": ("MLmodel", b"flavors:\n  python_function:\n    loader_module: evil\n"),
    "gguf": ("m.gguf", b"GGUF" + bytes(40)),
    "hdf5": ("m.h5", b"\x89HDF\r\n\x1a\n" + bytes(40)),
    "keras": ("m.keras", archive({"config.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n" + bytes(40)})),
    "saved-model": ("saved_model.pb", b"\x08\x01\x12\x00"),
    "tar": ("m.tar", bytes(257) + b"ustar" + bytes(250)),
    "seven-zip": ("m.7z", b"7z\xbc\xaf\x27\x1c" + bytes(30)),
    "lz4": ("m.pkl.lz4", b"\x04\x22\x4d\x18" + bytes(30)),
    "zstd": ("m.pkl.zst", b"\x28\xb5\x2f\xfd" + bytes(30)),
    "dill": ("m.dill", SYSTEM),
    "no-extension": ("weights", bytes(100)),
    "dot-name": (".pkl", SYSTEM),
    "trailing-dot": ("m.pkl.", SYSTEM),
    "double-extension": ("m.pkl.txt", SYSTEM),
}

_RENAMED_TO = (
    ".pkl", ".pt", ".bin", ".npy", ".npz", ".zip", ".safetensors", ".onnx", ".json", ".txt", ".md", ".gz", ".css", "",
)  # fmt: skip


def cases() -> list[Case]:
    """Return all of them."""
    found = [Case("safetensors", name, "m.safetensors", data) for name, data in _SAFETENSORS.items()]
    found += [Case("onnx", name, "m.onnx", data) for name, data in _ONNX.items()]
    found += [Case("folders", name, "config.json", json.dumps(data).encode()) for name, data in _JSON.items()]
    found += [Case("files", name, filename, data) for name, (filename, data) in _PLAIN.items()]
    found += [case for case, _ in with_metadata()]
    originals = {
        "pickle-0": SYSTEM,
        "pickle-4": OPCODES["stack-global"],
        "torch": torch_archive(SYSTEM),
        "npy": NUMPY["object-payload"],
    }
    for name, data in originals.items():
        found += [Case("renamed", f"{name}-to-{suffix or 'none'}", f"m{suffix}", data) for suffix in _RENAMED_TO]
    return found
