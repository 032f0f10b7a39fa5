"""The configuration of a model in a Triton repository: which library runs it, and what it has that library load.

Fields are those of ``model_config.proto`` of triton-inference-server/common. Any other message is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from weighbridge.checks.model_scan.documents import names
from weighbridge.checks.model_scan.documents.json_file import read_text
from weighbridge.checks.model_scan.documents.judge import judge
from weighbridge.checks.model_scan.documents.listed import listed
from weighbridge.checks.model_scan.documents.protobuf_text import read_message
from weighbridge.checks.model_scan.documents.said import CODE, OUTSIDE, Said, outside, show
from weighbridge.checks.model_scan.documents.text_file import scan_text
from weighbridge.checks.model_scan.documents.tree import Node, Object
from weighbridge.checks.model_scan.report import UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source

MAX_MESSAGE: Final = 1024**2
"""Largest configuration that is read."""

_FIELDS: Final = listed(
    "name platform backend runtime version_policy max_batch_size input output batch_input batch_output optimization "
    "dynamic_batching sequence_batching ensemble_scheduling instance_group default_model_filename cc_model_filenames "
    "metric_tags parameters model_warmup model_operations model_transaction_policy model_repository_agents "
    "response_cache model_metrics "
)
_BACKENDS: Final = listed("onnxruntime tensorrt pytorch tensorflow openvino fil ")
_PLATFORMS: Final = listed(
    "onnxruntime_onnx tensorrt_plan pytorch_libtorch tensorflow_graphdef tensorflow_savedmodel ensemble "
)
_ACCELERATORS: Final = listed("tensorrt openvino auto_mixed_precision gpu_io cudagraph ")
_LOADED: Final = frozenset({"EXECUTION_ENV_PATH", "CPU_EXTENSION_PATH"})
_TELLING: Final = frozenset({"path", "paths", "lib", "libs", "library", "libraries", "plugin", "plugins", "env"})
_FILES: Final = frozenset({"default_model_filename", "input_data_file"})
_IN_OTHERS: Final = 'serve it by a backend that reads data only: backend "onnxruntime" with model.onnx'


def scan_triton(scan: Scan, source: Source, location: str) -> None:
    """Scan a protobuf text: the configuration of a Triton model, or undecided.

    Raises:
        RefusedError: It is not plain text.
        UndecidedError: It is another message, or cannot be read.
    """
    scan_text(scan, source, location)
    message = read_message(bytes(read_text(source, limit=MAX_MESSAGE)).decode("utf-8"))
    foreign = sorted(message.keys() - _FIELDS)
    if foreign or not message.members:
        what = f"the field {foreign[0][:60]!r}" if foreign else "no field"
        raise UndecidedError(
            "no-parser-settings", f"recognised as protobuf text, and with {what} it is no configuration of Triton's"
        )
    for said in _judged(message):
        if said.rule is None:
            scan.notes.cannot_decide(said.code, said.message, location=f"{location}:/{said.key}", remedy=said.remedy)
        else:
            scan.notes.finding(said.rule, said.message, location=f"{location}:/{said.key}", remedy=said.remedy)
    judge(scan, message, location)


def _judged(message: Object) -> Iterator[Said]:
    for key, value in message.members:
        if key == "backend":
            yield from _backend(value)
        elif key == "platform" and value not in _PLATFORMS:
            yield Said(key, f"the platform {show(value)} is not known", None, code="unknown-backend")
        elif key == "runtime":
            yield Said(key, f"runtime has Triton load {show(value)} as the program of the backend", remedy=_IN_OTHERS)
        elif key == "model_repository_agents":
            yield from _agents(value)
    for outer, key, value in _members(message, ""):
        if key == "op_library_filename":
            yield Said(key, f"op_library_filename has Triton load {show(value)}, a library of machine code", CODE)
        elif key in _FILES or outer == "cc_model_filenames":
            yield from _file(key, value)
        elif key == "parameters":
            yield from _parameter(value)
        elif outer.endswith("execution_accelerator") and key == "name" and value not in _ACCELERATORS:
            yield Said(key, f"the accelerator {show(value)} is not known", None, code="unknown-backend")


def _members(message: Object, outer: str) -> Iterator[tuple[str, str, Node]]:
    for key, value in message.members:
        yield outer, key, value
        if isinstance(value, Object):
            yield from _members(value, key)


def _backend(value: Node) -> Iterator[Said]:
    if value == "python":
        told = "the Python backend of Triton imports model.py, which lies beside the model, and runs it"
        yield Said("backend", told, CODE, remedy=_IN_OTHERS)
    elif value not in _BACKENDS and value != "":
        yield Said("backend", f"the backend {show(value)} is not known", None, code="unknown-backend")


def _agents(value: Node) -> Iterator[Said]:
    agents = value.members if isinstance(value, Object) else [("agents", value)]
    for _, agent in agents:
        name = agent.get("name") if isinstance(agent, Object) else agent
        if name != "checksum":
            yield Said("model_repository_agents", f"Triton loads the agent {show(name)}, a library, to fetch the model")


def _file(key: str, value: Node) -> Iterator[Said]:
    if isinstance(value, str) and outside(value):
        yield Said(key, f"{key} names {show(value)}, outside the model", OUTSIDE)
    elif isinstance(value, str) and names.code_text(value):
        yield Said(key, f"{key} names {show(value)}, a program", CODE)


def _parameter(value: Node) -> Iterator[Said]:
    key = value.get("key") if isinstance(value, Object) else None
    if not isinstance(key, str):
        return
    if key.upper() in _LOADED:
        told = f"the parameter {key[:60]} has Triton unpack and run what lies at a path"
        yield Said("parameters", told, CODE, remedy=_IN_OTHERS)
    elif set(names.words(key)) & _TELLING:
        told = f"the parameter {key[:60]!r} gives the backend a path or a library"
        yield Said("parameters", told, None, remedy="leave the parameter out, or set it where the server is started")
