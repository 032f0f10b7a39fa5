"""Recognise what a document is by its content: the keys that only a file of that role has.

None of these roles imports what a value names, but for the keys that its schema judges (``schemas.py``).
"""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.documents.tree import Array, Node, Object

_ANY_OF: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("Transformers configuration", frozenset({"model_type", "architectures", "transformers_version", "torch_dtype"})),
    ("tokenizer settings", frozenset({"tokenizer_class", "added_tokens_decoder", "model_max_length", "chat_template"})),
    ("processor settings", frozenset({"image_processor_type", "feature_extractor_type", "processor_class"})),
    ("PEFT adapter", frozenset({"peft_type"})),
    ("diffusers configuration", frozenset({"_diffusers_version", "_class_name"})),
    ("weight index", frozenset({"weight_map"})),
    ("spaCy metadata", frozenset({"spacy_version"})),
    ("sentence-transformers settings", frozenset({"similarity_fn_name", "word_embedding_dimension", "max_seq_length"})),
    ("CatBoost model", frozenset({"oblivious_trees"})),
    ("LightGBM model", frozenset({"tree_info"})),
    ("Keras metadata", frozenset({"keras_version"})),
    ("TensorFlow.js model", frozenset({"modelTopology", "weightsManifest"})),
    ("MLflow model", frozenset({"flavors", "mlflow_version"})),
)
_ALL_OF: Final[tuple[tuple[str, frozenset[str]], ...]] = (
    ("tokenizer", frozenset({"model", "added_tokens"})),
    ("tokenizer", frozenset({"model", "pre_tokenizer"})),
    ("XGBoost model", frozenset({"learner", "version"})),
    ("generation settings", frozenset({"eos_token_id", "bos_token_id"})),
    ("conda environment", frozenset({"channels", "dependencies"})),
    ("Python environment", frozenset({"python", "dependencies"})),
    ("skops schema", frozenset({"__class__", "__module__", "__loader__"})),
    ("Keras model", frozenset({"class_name", "config"})),
    ("sentence-transformers modules", frozenset({"idx", "name", "path", "type"})),
)


def role_of(document: Node) -> str | None:
    """Return the role of a document, or None when its content tells none."""
    first = document.items[0] if isinstance(document, Array) and document.items else document
    if not isinstance(first, Object):
        return None
    keys = first.keys()
    for role, needed in _ALL_OF:
        if needed <= keys:
            return role
    for role, telling in _ANY_OF:
        if telling & keys:
            return role
    if keys and all(key.endswith("_token") or key == "additional_special_tokens" for key in keys):
        return "special tokens"
    if first.count > len(first.members) or (keys and all(type(value) is int for _, value in first.members)):
        return "vocabulary"
    return None
