"""What is right for each folder: the answer of the scan, and the rule or word by which it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

State = Literal["passed", "failed", "undecided"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What is right for one folder.

    ``said`` is a rule, a reason or a word that must stand in the answer of what does not pass; ``later`` names the
    format that no parser reads yet.
    """

    folder: str
    state: State
    said: str = ""
    later: str = ""
    inside: str = ""


EXPECTED: Final = (
    Expected("sklearn-joblib", "passed"),
    Expected("sklearn-joblib-compressed", "passed"),
    Expected("sklearn-without-ending", "passed"),
    Expected("sklearn-pickle", "passed"),
    Expected("sklearn-text-labels", "passed"),
    Expected("sklearn-skops", "passed"),
    Expected("xgboost-ubj", "passed"),
    Expected("xgboost-json", "passed"),
    Expected("xgboost-joblib", "passed"),
    Expected("lightgbm-text", "passed"),
    Expected("lightgbm-joblib", "passed"),
    Expected("catboost-json", "passed"),
    Expected("catboost-cbm", "undecided", later="CatBoost's own format"),
    Expected("torch-state-dict", "passed"),
    Expected("torch-module", "passed"),
    # A class of one's own is code that is not in the file: right to stop, with its name.
    Expected("torch-own-class", "failed", said="__main__.Net"),
    Expected("torchscript", "failed", said="__torch__", later="TorchScript"),
    Expected("onnx-external-data", "passed"),
    Expected("keras", "undecided", said="hdf5", later="HDF5"),
    Expected("keras-h5", "undecided", said="hdf5", later="HDF5"),
    Expected("saved-model", "undecided", later="SavedModel"),
    Expected("gguf", "undecided", said="gguf", later="GGUF"),
    Expected("hugging-face", "passed"),
    Expected("hub-cache", "passed", inside="models--acme--tiny/snapshots/0123456789abcdef0123456789abcdef01234567"),
    Expected("lora", "passed"),
    Expected("trainer", "passed"),
    Expected("mlflow-sklearn", "passed"),
    Expected("mlflow-pickle", "passed"),
    Expected("mlflow-from-code", "failed", said="code"),
    Expected("triton", "passed"),
    Expected("dill-arrays", "passed"),
    Expected("with-a-virtual-environment", "undecided", said="virtual environment"),
    Expected("hostile-sklearn-pickle", "failed", said="forbidden-global"),
    Expected("hostile-joblib", "failed", said="forbidden-global"),
    Expected("hostile-torch", "failed", said="forbidden-global"),
    Expected("hostile-hugging-face", "failed", said="unsafe-template"),
    Expected("hostile-mlflow", "failed", said="remote-code"),
    Expected("hostile-keras", "failed", said="keras-custom-object"),
    Expected("hostile-triton", "failed", said="code-in-model"),
)
"""Every folder; what is hostile begins so."""
