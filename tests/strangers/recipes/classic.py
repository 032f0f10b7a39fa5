"""Write model folders with skops, XGBoost, LightGBM, CatBoost, dill, MLflow and gguf."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from sklearn_models import classifier, iris, place


def main(folder: Path) -> None:
    """Write every folder of this environment."""
    x, y, _ = iris()
    model = classifier(y)
    import skops.io

    skops.io.dump(model, place(folder, "sklearn-skops") / "model.skops")
    boosters(folder, x, y)

    import dill

    with open(place(folder, "dill-arrays") / "weights.pkl", "wb") as file:
        dill.dump({"coef": np.ones((3, 4)), "intercept": np.zeros(3)}, file)
    mlflow(folder, model, x)
    gguf(folder)


def boosters(folder: Path, x: np.ndarray, y: np.ndarray) -> None:
    """Write what boosters write."""
    import catboost
    import joblib
    import lightgbm
    import xgboost

    forest = xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(x, y)
    forest.save_model(place(folder, "xgboost-ubj") / "model.ubj")
    forest.save_model(place(folder, "xgboost-json") / "model.json")
    joblib.dump(forest, place(folder, "xgboost-joblib") / "model.joblib")
    gradient = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(x, y)
    gradient.booster_.save_model(place(folder, "lightgbm-text") / "model.txt")
    joblib.dump(gradient, place(folder, "lightgbm-joblib") / "model.joblib")
    cat = catboost.CatBoostClassifier(iterations=3, verbose=False, allow_writing_files=False).fit(x, y)
    cat.save_model(str(place(folder, "catboost-cbm") / "model.cbm"))
    cat.save_model(str(place(folder, "catboost-json") / "model.json"), format="json")


def mlflow(folder: Path, model: object, x: np.ndarray) -> None:
    """Write what MLflow writes: a scikit-learn model, one from code, and a hostile one."""
    import mlflow.sklearn

    mlflow.sklearn.save_model(model, str(folder / "mlflow-sklearn"), input_example=x[:2])
    mlflow.sklearn.save_model(model, str(folder / "mlflow-pickle"), serialization_format="cloudpickle")
    mlflow.sklearn.save_model(model, str(folder / "hostile-mlflow"))
    described = folder / "hostile-mlflow" / "MLmodel"
    described.write_text(described.read_text().replace("mlflow.sklearn", "subprocess"))
    code = folder / "agent.py"
    code.write_text(
        "import mlflow\nfrom mlflow.pyfunc import PythonModel\n\n\nclass Agent(PythonModel):\n"
        "    def predict(self, context, model_input, params=None):\n        return model_input\n\n\n"
        "mlflow.models.set_model(Agent())\n"
    )
    import mlflow.pyfunc

    mlflow.pyfunc.save_model(str(folder / "mlflow-from-code"), python_model=str(code))
    code.unlink()


def gguf(folder: Path) -> None:
    """Write a GGUF file."""
    import gguf as library

    writer = library.GGUFWriter(str(place(folder, "gguf") / "model.gguf"), "llama")
    writer.add_name("tiny")
    writer.add_tensor("weight", np.zeros((2, 4), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
