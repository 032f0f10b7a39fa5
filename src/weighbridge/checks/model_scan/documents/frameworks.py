"""Schemas of frameworks that build their parts from a document: what each may name, or that it may name nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from weighbridge.checks.model_scan.documents import libraries, names
from weighbridge.checks.model_scan.documents.listed import listed
from weighbridge.checks.model_scan.documents.said import OUTSIDE, REMOTE, Reading, Said, outside, show
from weighbridge.checks.model_scan.documents.tree import Array, Node, Object

_HAYSTACK: Final = re.compile(
    r"haystack(?:\.(?:components|document_stores|dataclasses)(?:\.[a-z][a-z0-9_]*)+)\.[A-Z]\w*"
)
_AUTOGEN: Final = re.compile(r"autogen_(?:agentchat|core|ext\.models)(?:\.[a-z_]+)*\.[A-Z]\w*")
_MLSERVER: Final = re.compile(r"mlserver_(?:sklearn|xgboost|lightgbm|catboost|onnx)\.[A-Z]\w*")
_SPACY_REGISTRIES: Final = listed(
    "architectures augmenters batchers callbacks cli initializers layers layers_ loggers lookups losses misc models "
    "ops optimizers readers schedules scorers tokenizers vectors llm_models llm_tasks "
)
_SPACY: Final = re.compile(
    r"(?:spacy|spacy-legacy|spacy-transformers|spacy-curated-transformers|thinc)\.[\w-]+\.v\d+|[A-Z]\w*\.v\d+"
)


def _haystack(node: Object) -> Reading | None:
    """A component: ``type`` is imported and called with ``init_parameters``."""
    if not node.has("type", "init_parameters"):
        return None
    kind, given = node.text("type"), node.get("init_parameters")
    said = []
    if kind is None or not _HAYSTACK.fullmatch(kind):
        said.append(Said("type", f"Haystack imports and calls {show(kind)}, which is none of its own components"))
    if isinstance(given, Object) and given.get("unsafe") not in (None, False, 0):
        said.append(Said("init_parameters", "unsafe has Haystack render templates without a sandbox"))
    return Reading(frozenset({"type"}), tuple(said))


def _openmmlab(node: Object) -> Reading | None:
    said = []
    if node.has("custom_imports") and node.get("custom_imports") is not None:
        said.append(Said("custom_imports", "custom_imports has OpenMMLab's libraries import what it names", REMOTE))
    base = node.get("_base_")
    for one in base.items if isinstance(base, Array) else [base]:
        if isinstance(one, str) and outside(one):
            said.append(Said("_base_", f"the configuration goes on in {show(one)}, outside the model", OUTSIDE))
        elif isinstance(one, str) and one.endswith(".py"):
            said.append(Said("_base_", f"the configuration goes on in {show(one)}, which is run"))
    return Reading(frozenset({one.key for one in said}), tuple(said)) if said else None


def _router(node: Object) -> Reading | None:
    """The router of sentence-transformers, which imports the class of each of its parts."""
    kinds = node.get("types")
    if not (node.has("types", "structure") and isinstance(kinds, Object)):
        return None
    said = [
        Said("types", f"{show(kind)} is no module of sentence-transformers")
        for _, kind in kinds.members
        if not (isinstance(kind, str) and libraries.SENTENCE_MODULE.fullmatch(kind))
    ]
    return Reading(frozenset({"types"}), tuple(said))


def _modular_diffusers(node: Object) -> Reading | None:
    """A part of a modular pipeline: the library and the class that are imported for it."""
    hint = node.get("type_hint")
    if not isinstance(hint, Array):
        return None
    pair = hint.items
    if len(pair) == 2 and pair[0] in libraries.DIFFUSERS_PARTS and names.identifier(pair[1]):  # noqa: PLR2004
        return Reading(frozenset({"type_hint"}))
    library = pair[0] if pair else None
    return Reading(frozenset({"type_hint"}), (Said("type_hint", f"the part is imported from {show(library)}"),))


def _autogen(node: Object) -> Reading | None:
    """A component of AutoGen: ``provider`` is imported, and makes itself of ``config``."""
    provider = node.text("provider")
    if provider is None or names.reference(provider) is None or not (node.has("config") or node.has("component_type")):
        return None
    judged = frozenset({"provider"})
    if _AUTOGEN.fullmatch(provider) and not any(names.Reference(part).standard for part in provider.split(".")[1:]):
        return Reading(judged)
    return Reading(judged, (Said("provider", f"AutoGen imports {show(provider)}, which is none of its own"),))


def _mlserver(node: Object) -> Reading | None:
    """A model of MLServer, whose ``implementation`` is imported."""
    kind = node.text("implementation")
    if kind is None or not node.has("name"):
        return None
    judged = frozenset({"implementation"})
    if _MLSERVER.fullmatch(kind):
        return Reading(judged)
    return Reading(judged, (Said("implementation", f"MLServer imports {show(kind)}, which is none of its own"),))


def _rasa(node: Object) -> Reading | None:
    said = [
        Said(key, f"Rasa imports {show(part)}, which is none of its own components")
        for key in ("pipeline", "policies")
        for part in _named(node.get(key))
        if node.has("language") and names.reference(part) is not None and not part.startswith("rasa.")
    ]
    return Reading(frozenset(), tuple(said)) if said else None


def _named(value: Node) -> list[str]:
    parts = value.items if isinstance(value, Array) else []
    return [name for part in parts if isinstance(part, Object) and (name := part.text("name")) is not None]


def _bento(node: Object) -> Reading | None:
    service = node.text("service")
    if service is None or ":" not in service or names.reference(service) is None:
        return None
    return Reading(frozenset({"service"}), (Said("service", f"BentoML imports {show(service)}", None),))


def _generative_onnx(node: Object) -> Reading | None:
    """A part of a model for onnxruntime-genai, whose ``filename`` lies beside the configuration."""
    path = node.text("filename")
    if path is None or not path.endswith(".onnx") or not outside(path):
        return None
    return Reading(frozenset(), (Said("filename", f"the part is read from {show(path)}, outside the model", OUTSIDE),))


def _dataset_of_ultralytics(node: Object) -> Reading | None:
    """A data set, whose ``download`` is run when it is no address."""
    text = node.text("download")
    if text is None or not node.has("train", "val") or re.fullmatch(r"https?://[^\s'\"]+|False|None|", text):
        return None
    return Reading(frozenset({"download"}), (Said("download", "download is Python or a command, which is run"),))


_QUIET_HANDLERS: Final = frozenset({"logging.StreamHandler", "logging.NullHandler"})
_FILE_HANDLERS: Final = frozenset(
    {"logging.FileHandler", "logging.handlers.RotatingFileHandler", "logging.handlers.TimedRotatingFileHandler"}
)
_LOG: Final = re.compile(r"(?:\$\{hydra[.:][\w.]+\}/)?(?:[\w-]|\$\{hydra[.:][\w.]+\})+\.log")


def _logging(node: Object) -> Reading | None:
    """What ``logging.config`` makes: handlers that print, or write a log beside whoever runs."""
    kind, path = node.text("class"), node.text("filename")
    if node.has("()"):
        return Reading(frozenset({"()"}), (Said("()", f"logging imports and calls {show(node.get('()'))}"),))
    if kind in _QUIET_HANDLERS or (kind in _FILE_HANDLERS and path is not None and _LOG.fullmatch(path)):
        return Reading(frozenset({"class"}))
    return None


def _registered(node: Object) -> Reading | None:
    """A part of spaCy: ``@architectures`` and the like call a function that is registered under the name."""
    found = [key for key, _ in node.members if key.startswith("@") and key[1:] in _SPACY_REGISTRIES]
    said = []
    for key in found:
        name = node.text(key)
        path = node.text("path")
        if name is None or not _SPACY.fullmatch(name):
            said.append(Said(key, f"{key} has spaCy call {show(name)}, which is none of its own", None))
        if path is not None and outside(path):
            said.append(Said("path", f"{key} reads {show(path)}, outside the model", OUTSIDE))
    return Reading(frozenset(found), tuple(said)) if found else None


SCHEMAS: Final[tuple[Callable[[Object], Reading | None], ...]] = (
    _haystack, _openmmlab, _router, _modular_diffusers, _autogen, _mlserver, _rasa, _bento, _generative_onnx,
    _dataset_of_ultralytics, _logging, _registered,
)  # fmt: skip
"""What each makes of an object that is one of its framework's, as in ``schemas.py``."""
