"""What a role's schema says about the members that name code: a closed set, or the library's own names exactly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from weighbridge.checks.model_scan.documents import frameworks, keras, libraries, names
from weighbridge.checks.model_scan.documents.listed import listed
from weighbridge.checks.model_scan.documents.said import OUTSIDE, REMOTE, Reading, Said, outside, show
from weighbridge.checks.model_scan.documents.skops import NODE, read_skops
from weighbridge.checks.model_scan.documents.tree import Array, Node, Object

_CLASS: Final = re.compile(r"[A-Z][A-Za-z0-9_]*")
_DATA_OF_JSONPICKLE: Final = frozenset({"py/tuple", "py/set", "py/b64", "py/b85", "py/id"})


def readings(node: Object) -> Iterator[Reading]:
    """Yield what every schema that fits makes of an object."""
    for schema in (*_SCHEMAS, *frameworks.SCHEMAS):
        found = schema(node)
        if found is not None:
            yield found


def _loaders(node: Object) -> Reading | None:
    """Keys that have one meaning only: a library imports what comes with the model."""
    said = [
        Said(key, f"{key} makes a library import Python code that comes with the model", REMOTE)
        for key, value in node.members
        if key in ("auto_map", "custom_generate", "custom_pipelines", "custom_pipeline", "code_revision")
        and _given(value)
    ]
    said += [
        Said(key, f"{key} is switched on", REMOTE)
        for key, value in node.members
        if key == "trust_remote_code" and value is not None and value is not False and value != 0
    ]
    said += [
        Said(key, f"{key} names a kernel that is fetched and run", REMOTE)
        for key, value in node.members
        if key.strip("_") in _KERNELS and isinstance(value, str) and "/" in value
    ]
    return Reading(frozenset(one.key for one in said) | {"auto_map"}, tuple(said))


_KERNELS: Final = frozenset({"attn_implementation", "experts_implementation"})


def _given(value: Node) -> bool:
    if isinstance(value, Object | Array):
        return value.count > 0
    return value not in (None, False, 0, "")


def _transformers(node: Object) -> Reading | None:
    keys = node.keys()
    if not keys & {"architectures", "model_type", "tokenizer_class", "image_processor_type", "processor_class"}:
        return None
    named = [(key, value) for key, value in node.members if key in _HF_CLASSES]
    said: list[Said] = []
    for key, value in named:
        named_here = value.items if isinstance(value, Array) else [value]
        said += [
            Said(key, f"{show(one)} is no class of the library")
            for one in named_here
            if isinstance(one, str) and not names.identifier(one.replace("-", "_"))
        ]
    return Reading(frozenset(key for key, _ in named), tuple(said))


_HF_CLASSES: Final = listed(
    "architectures model_type tokenizer_class image_processor_type feature_extractor_type video_processor_type "
    "processor_class image_processor_class feature_extractor_class slow_tokenizer_class fast_tokenizer_class "
    "config_class "
)


def _peft(node: Object) -> Reading | None:
    if not node.has("peft_type"):
        return None
    said = []
    for key, value in node.members:
        if key == "auto_mapping" and isinstance(value, Object):
            library, model = value.get("parent_library"), value.get("base_model_class")
            if not (isinstance(library, str) and libraries.TRANSFORMERS_MODULE.fullmatch(library)) or not _is_class(
                model
            ):
                said.append(Said(key, f"auto_mapping has PEFT import {show(model)} from {show(library)}"))
        elif key == "megatron_core" and value not in (None, "megatron.core"):
            said.append(Said(key, f"megatron_core has PEFT import {show(value)}"))
    judged = {"auto_mapping", "megatron_core", "target_modules", "modules_to_save", "exclude_modules", "peft_type"}
    return Reading(frozenset(judged), tuple(said))


def _auto_mapping(node: Object) -> Reading | None:
    if not node.has("parent_library"):
        return None
    library = node.get("parent_library")
    if isinstance(library, str) and libraries.TRANSFORMERS_MODULE.fullmatch(library):
        return Reading(frozenset({"parent_library", "base_model_class"}))
    said = Said("parent_library", f"parent_library has a library import {show(library)}")
    return Reading(frozenset({"parent_library", "base_model_class"}), (said,))


def _diffusers(node: Object) -> Reading | None:
    named = node.get("_class_name")
    if named is None:
        return None
    said, judged = [], {"_class_name"}
    if not _is_class(named):
        said.append(Said("_class_name", f"{show(named)} is no class of diffusers"))
    for key, value in node.members:
        part = _part(value)
        # Only a pipeline has parts; a model of diffusers may have lists of two texts, which name its blocks.
        if part is None or not ("Pipeline" in str(named) or names.Reference(part[0]).standard):
            continue
        judged.add(key)
        if part[0] not in libraries.DIFFUSERS_PARTS or not _is_class(part[1]):
            said.append(Said(key, f"the part {key} is imported from {part[0][:100]!r}, which is none of diffusers"))
    return Reading(frozenset(judged), tuple(said))


def _part(value: Node) -> tuple[str, str] | None:
    """Return library and class of a part of a pipeline; one that was left out has neither."""
    pair = value.items if isinstance(value, Array) else []
    texts = [one for one in pair if isinstance(one, str)]
    return (texts[0], texts[1]) if len(texts) == len(pair) == 2 else None  # noqa: PLR2004


def _sentence_transformers(node: Object) -> Reading | None:
    if not node.has("idx", "name", "path", "type"):
        return None
    kind, path = node.get("type"), node.text("path") or ""
    if outside(path):
        return Reading(
            frozenset({"type"}), (Said("path", f"the part lies in {show(path)}, outside the model", OUTSIDE),)
        )
    if isinstance(kind, str) and libraries.SENTENCE_MODULE.fullmatch(kind):
        return Reading(frozenset({"type"}))
    return Reading(frozenset({"type"}), (Said("type", f"{show(kind)} is no module of sentence-transformers"),))


def _langchain(node: Object) -> Reading | None:
    if not node.has("lc", "type"):
        return None
    kind, path = node.get("type"), node.get("id")
    parts = path.items if isinstance(path, Array) else []
    dotted = ".".join(one for one in parts if isinstance(one, str))
    judged = frozenset({"lc", "type", "id"})
    if kind == "not_implemented" or (kind == "constructor" and libraries.LANGCHAIN.fullmatch(dotted)):
        return Reading(judged)
    return Reading(judged, (Said("id", f"LangChain makes {show(dotted or kind)} when it loads this ({show(kind)})"),))


def _langchain_by_type(node: Object) -> Reading | None:
    """LangChain's older files, where a word picks a prompt, a chain, an agent or a tool."""
    kind = node.text("_type")
    if kind is None:
        return None
    judged = frozenset({"_type"})
    if kind in ("prompt", "few_shot", "chat", "default"):
        said = [
            Said(key, f"{key} has LangChain read {show(value)}, outside the model", OUTSIDE)
            for key, value in node.members
            if isinstance(value, str) and (key.endswith("_path") or key == "examples") and outside(value)
        ]
        return Reading(judged, tuple(said))
    if node.has("_data") and _is_class(kind):
        return Reading(judged)  # a setting of torchao, which is looked up in torchao itself
    return Reading(judged, (Said("_type", f"_type picks {show(kind)}, which is no prompt", None),))


def _jsonpickle(node: Object) -> Reading | None:
    found = [key for key, _ in node.members if key.startswith("py/") and key not in _DATA_OF_JSONPICKLE]
    found = [key for key in found if isinstance(node.get(key), str | Object | Array)]
    if not found:
        return None
    return Reading(
        frozenset(found), tuple(Said(key, f"{key} has jsonpickle import and call what it names") for key in found)
    )


def _instantiated(node: Object) -> Reading | None:
    """Hydra's ``_target_``, Lightning's ``class_path``, the ``target`` of latent diffusion and NeMo."""
    if node.has(*NODE):
        return None
    said, judged = [], set()
    for key, value in node.members:
        wrapped = key.startswith("_") and key.endswith("_") and names.selects(key)
        if not (wrapped or key == "class_path" or (key == "target" and isinstance(value, str))):
            continue
        if key == "target" and (not isinstance(value, str) or names.reference(value) is None):
            continue
        if wrapped and not isinstance(value, str | Object | Array):
            continue
        judged.add(key)
        if not (isinstance(value, str) and libraries.configured(value)):
            said.append(Said(key, f"{key} has a library import and call {show(value)}"))
    return Reading(frozenset(judged), tuple(said)) if judged else None


_FROM_CODE: Final = "mlflow.pyfunc.loaders.code_model"
CODE_IS_THE_MODEL: Final = (
    "do not remove it, since without it there is no model: this kind of model is code, and people judge code; gate it "
    "by the digest of what they reviewed, or log the estimator by its own flavour (mlflow.sklearn, mlflow.onnx …), "
    "whose file holds no code"
)
_INSTALL_IT: Final = (
    "log the model without code_paths, and install the code as a reviewed package where the model is served "
    "(extra_pip_requirements)"
)


def _mlflow(node: Object) -> Reading | None:
    if not node.has("loader_module"):
        return None
    module = node.get("loader_module")
    judged = frozenset({"loader_module", "python_model", "code", "model_code_path"})
    said = []
    from_code = module == _FROM_CODE or _given(node.get("model_code_path"))
    if from_code:
        path = node.text("model_code_path") or "its code"
        path = path.replace("\\", "/").rpartition("/")[2]
        told = f"this model is Python code: MLflow runs {path[:100]!r} to load it (models from code)"
        said.append(Said("loader_module", told, REMOTE, remedy=CODE_IS_THE_MODEL, about=path))
    elif not (isinstance(module, str) and module in libraries.MLFLOW_LOADERS):
        said.append(Said("loader_module", f"loader_module has MLflow import {show(module)}", REMOTE))
    if _given(node.get("code")):
        told = f"MLflow puts the folder {show(node.get('code'))} in front of Python's path and imports from it"
        said.append(Said("code", told, REMOTE, remedy=_INSTALL_IT))
    python_model = node.get("python_model")
    if isinstance(python_model, str) and names.code_text(python_model):
        said.append(Said("python_model", "python_model is a file of code", REMOTE, remedy=CODE_IS_THE_MODEL))
    return Reading(judged, tuple(said))


def _weight_index(node: Object) -> Reading | None:
    weights = node.get("weight_map")
    if not isinstance(weights, Object):
        return None
    elsewhere = sorted({value for _, value in weights.members if not _beside(value)}, key=str)
    return Reading(
        frozenset({"weight_map"}),
        tuple(
            Said("weight_map", f"the weight index names {show(one)}, which is not a file beside it", OUTSIDE)
            for one in elsewhere
        ),
    )


def _beside(value: Node) -> bool:
    return isinstance(value, str) and not ("/" in value or "\\" in value or value.startswith("."))


def _weights_manifest(node: Object) -> Reading | None:
    manifest = node.get("weightsManifest")
    if not isinstance(manifest, Array):
        return None
    paths = [
        path
        for group in manifest.items
        if isinstance(group, Object) and isinstance(listed := group.get("paths"), Array)
        for path in listed.items
    ]
    said = [
        Said("weightsManifest", f"the weights are read from {show(path)}, outside the model", OUTSIDE)
        for path in paths
        if not isinstance(path, str) or ".." in path.split("/") or path.startswith(("/", "\\")) or ":" in path
    ]
    return Reading(frozenset({"weightsManifest"}), tuple(said))


def _keras(node: Object) -> Reading | None:
    found = keras.problems(node)
    if found is None:
        return None
    said = tuple(Said(key, message, rule="keras-custom-object") for key, message in found)
    return Reading(keras.JUDGED, said)


def _is_class(value: Node) -> bool:
    return isinstance(value, str) and _CLASS.fullmatch(value) is not None


_SCHEMAS: Final[tuple[Callable[[Object], Reading | None], ...]] = (
    _loaders, _transformers, _peft, _auto_mapping, _diffusers, _sentence_transformers, _langchain, _langchain_by_type,
    _jsonpickle, _instantiated, _mlflow, read_skops, _weight_index, _weights_manifest, _keras,
)  # fmt: skip
