"""Names of libraries that a document may have: closed sets, and the library's own names by exact rules."""

from __future__ import annotations

import re
from typing import Final

from weighbridge.checks.model_scan.documents import names
from weighbridge.checks.model_scan.documents.listed import listed

TRANSFORMERS_MODULE: Final = re.compile(r"transformers\.models\.([a-z0-9_]+)\.modeling_[a-z0-9_]+")
"""Where Transformers has its model classes."""

SENTENCE_MODULE: Final = re.compile(
    r"sentence_transformers\.(?:(?:(?:sentence_transformer|cross_encoder|sparse_encoder|multi_vector_encoder|base)\.)?"
    r"(?:models|modules))\."
    r"(?:(?:asym|bow|clip_model|cnn|dense|dropout|input_module|layer_norm|logit_score|lstm|mlm_transformer|module|"
    r"multi_vector_mask|normalize|pooling|router|sparse_auto_encoder|sparse_static_embedding|splade_pooling|"
    r"static_embedding|token_pooling|transformer|weighted_layer_pooling|word_embeddings|word_weights|"
    r"Asym|BoW|CLIPModel|CNN|Dense|Dropout|LayerNorm|LSTM|Normalize|Pooling|StaticEmbedding|Transformer|"
    r"WeightedLayerPooling|WordEmbeddings|WordWeights|MLMTransformer|SpladePooling)\.)?"
    r"(?:Asym|BoW|CLIPModel|CNN|Dense|Dropout|IDF|LayerNorm|LogitScore|LSTM|MLMTransformer|MultiVectorMask|Normalize|"
    r"Pooling|Router|SparseAutoEncoder|SparseStaticEmbedding|SpladePooling|StaticEmbedding|T5|TokenPooling|"
    r"Transformer|WeightedLayerPooling|WKPooling|WordEmbeddings|WordWeights)"
)
"""The modules of which sentence-transformers builds a model."""

LANGCHAIN: Final = re.compile(
    r"langchain(?:_core)?\.(?:prompts|messages|schema|output_parsers|prompt_values|documents|outputs|load)(?:\.[a-z_]+)*\.[A-Z][A-Za-z]*"
)
"""Prompts and messages of LangChain, which hold text; not its tools, agents, chains and model clients."""

MLFLOW_LOADERS: Final = frozenset(
    f"mlflow.{flavor}"
    for flavor in [
        "catboost",
        "diviner",
        "fastai",
        "gluon",
        "h2o",
        "keras",
        "langchain",
        "lightgbm",
        "onnx",
        "paddle",
        "pmdarima",
        "prophet",
        "pyfunc.model",
        "pytorch",
        "sentence_transformers",
        "shap",
        "sklearn",
        "spacy",
        "statsmodels",
        "tensorflow",
        "transformers",
        "xgboost",
    ]
)
"""MLflow's own flavours."""

DIFFUSERS_PARTS: Final = listed(
    "diffusers transformers optimum stable_diffusion stable_diffusion_xl stable_diffusion_3 stable_diffusion_safe "
    "paint_by_example latent_diffusion deepfloyd_if wuerstchen stable_cascade kandinsky kandinsky2_2 kandinsky3 "
    "unclip unidiffuser audioldm2 musicldm shap_e blip_diffusion pixart_alpha flux ddpm versatile_diffusion "
    "alt_diffusion ip_adapter onnxruntime.training "
)
"""The library itself, Transformers, and the folders of its pipelines that have classes of their own."""

_CONFIGURED: Final = (
    re.compile(r"torch\.(?:nn|optim|optim\.lr_scheduler)\.[A-Z][A-Za-z0-9]*"),
    re.compile(r"(?:nemo|megatron\.bridge)\.(?:collections|core)(?:\.[a-z][a-z0-9_]*){1,6}\.[A-Z][A-Za-z0-9]*"),
    re.compile(r"(?:omegaconf\.)?(?:DictConfig|ListConfig)"),
)


def configured(path: str) -> bool:
    """Tell whether a path that a configuration instantiates is a class of torch's or NeMo's own layers."""
    parts = path.split(".")
    # The first two are written out in the forms; a module of Python's behind them is one that the library imported.
    if any(names.Reference(part).standard for part in parts[2:]):
        return False
    return any(form.fullmatch(path) for form in _CONFIGURED)
