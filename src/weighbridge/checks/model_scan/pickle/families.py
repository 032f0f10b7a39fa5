"""What helps with a name that is not listed, where it is known what writes such names."""

from __future__ import annotations

from typing import Final

_CODE: Final = (
    "the file holds Python code by value: functions or classes of a notebook or script; put them into a package that "
    "is reviewed and installed where the model is served, and save what is left, arrays and estimators, with joblib"
)
_MLFLOW: Final = (
    "the file is a Python object of MLflow's pyfunc, code and all; log the estimator by its own flavour "
    "(mlflow.sklearn, mlflow.xgboost, mlflow.onnx), whose file is read, and keep what surrounds it in a package"
)
_TRAINING: Final = (
    "these are arguments of a training; nothing that loads the model reads them, so delete the file if it is "
    "training_args.bin or the like"
)
_TORCH: Final = (
    "the file holds a whole module of torch; save torch.save(model.state_dict(), FILE), or "
    "safetensors.torch.save_file(model.state_dict(), FILE), and make the module from its source where it is loaded"
)
_FAMILIES: Final = (
    ("cloudpickle", "", _CODE),
    ("dill", "", _CODE),
    ("mlflow", "", _MLFLOW),
    ("transformers", "Arguments", _TRAINING),
    ("trl", "Arguments", _TRAINING),
    ("trl", "Config", _TRAINING),
    ("accelerate", "", _TRAINING),
    ("torch.nn", "", _TORCH),
    ("torchvision", "", _TORCH),
    ("__torch__", "", _TORCH),
)


def remedy_for(module: str, name: str) -> str:
    """Return what to do about an import that is not listed; nothing where the rule's own step is the best."""
    path = f"{module}."
    return next((remedy for top, end, remedy in _FAMILIES if path.startswith(f"{top}.") and name.endswith(end)), "")
