"""Make the candidates for the allow lists from the installed libraries, and merge them with the reviewed tables.

Run ``python benchmarks/make_allow_lists.py`` to rewrite ``allow_lists/*.json``; read the difference before it is
committed, since a name that lands here may be used by any pickle. A name comes in by one of three ways: a fitted
estimator's own pickle names it (``observe``), it is a class of a module that was reviewed as a whole (``classes_of``:
estimators, kernels, losses, distances), or a person wrote it down below. Functions always come by hand.
"""

from __future__ import annotations

import importlib
import inspect
import io
import json
import pickle
import sys
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

VERSION = "2026-11-29.1"
TARGET = Path(__file__).parent.parent / "src/weighbridge/checks/model_scan/allow_lists"
Table = dict[str, dict[str, str]]

BUILTINS = {
    "object": "type", "int": "type", "float": "type", "str": "type", "bool": "type", "list": "list", "dict": "dict",
    "tuple": "tuple", "set": "set", "frozenset": "set", "complex": "complex", "slice": "slice", "range": "range",
    "bytes": "bytes", "bytearray": "bytes",
}  # fmt: skip
PYTHON: Table = {
    "builtins": BUILTINS,
    "__builtin__": BUILTINS | {"unicode": "type", "long": "type", "xrange": "range"},
    "copyreg": {"_reconstructor": "reconstructor", "__newobj__": "new-object"},
    "copy_reg": {"_reconstructor": "reconstructor", "__newobj__": "new-object"},
    "_codecs": {"encode": "encode"},
    "collections": {
        "OrderedDict": "ordered-dict", "defaultdict": "defaultdict", "deque": "list", "Counter": "counter",
    },
    "datetime": {
        "datetime": "date", "date": "date", "time": "date", "timedelta": "timedelta", "timezone": "timezone",
    },
    "decimal": {"Decimal": "decimal"},
    "fractions": {"Fraction": "fraction"},
    "uuid": {"UUID": "uuid", "SafeUUID": "uuid-safety"},
    "functools": {"partial": "partial"},
}  # fmt: skip

_MULTIARRAY = {"_reconstruct": "array", "scalar": "scalar"}
_FUNCTIONS = [
    "abs",
    "absolute",
    "add",
    "all",
    "any",
    "arccos",
    "arcsin",
    "arctan",
    "ceil",
    "clip",
    "cos",
    "cosh",
    "divide",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "isfinite",
    "isnan",
    "log",
    "log10",
    "log1p",
    "log2",
    "max",
    "maximum",
    "mean",
    "median",
    "min",
    "minimum",
    "multiply",
    "nan_to_num",
    "negative",
    "power",
    "prod",
    "reciprocal",
    "rint",
    "round",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "std",
    "subtract",
    "sum",
    "tan",
    "tanh",
    "var",
    "argmax",
    "argmin",
    "asarray",
    "array",
]
_REDUCING = {"all", "any", "clip", "max", "mean", "median", "min", "nan_to_num", "prod", "round", "std", "sum", "var"}
_ELEMENTWISE = [name for name in _FUNCTIONS if name not in _REDUCING | {"argmax", "argmin", "asarray", "array"}]
_SCALARS = [
    "bool_",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float16",
    "float32",
    "float64",
    "longdouble",
    "complex64",
    "complex128",
    "str_",
    "bytes_",
    "void",
    "datetime64",
    "timedelta64",
    "object_",
    "intp",
    "generic",
    "number",
    "floating",
    "integer",
]
_ARRAY_TYPES = ["ndarray", "matrix", "memmap", "recarray", "record"]
NUMPY: Table = {
    "numpy": {"dtype": "dtype"}
    | dict.fromkeys(_FUNCTIONS, "pure")
    | dict.fromkeys(_SCALARS, "type")
    | dict.fromkeys(_ARRAY_TYPES, "array-type"),
    # Where NumPy 1 says that its own functions on elements come from.
    "numpy.core._multiarray_umath": dict.fromkeys(_ELEMENTWISE, "pure"),
    "numpy._core._multiarray_umath": dict.fromkeys(_ELEMENTWISE, "pure"),
    "numpy.core.multiarray": _MULTIARRAY,
    "numpy._core.multiarray": _MULTIARRAY,
    "numpy.core.numeric": {"_frombuffer": "frombuffer"},
    "numpy._core.numeric": {"_frombuffer": "frombuffer"},
    "numpy.rec": {"recarray": "array-type", "record": "array-type"},
    "numpy.ma": {"MaskedArray": "array-type"},
    "numpy.ma.core": {"_mareconstruct": "masked-array", "MaskedArray": "array-type", "MaskedConstant": "array-type"},
    "numpy.matrixlib.defmatrix": {"matrix": "array-type"},
    "numpy.random._pickle": {
        "__bit_generator_ctor": "bit-generator", "__generator_ctor": "random-state",
        "__randomstate_ctor": "random-state",
    },
    "numpy.random._mt19937": {"MT19937": "bit-generator-type"},
    "numpy.random._pcg64": {"PCG64": "bit-generator-type", "PCG64DXSM": "bit-generator-type"},
    "numpy.random._philox": {"Philox": "bit-generator-type"},
    "numpy.random._sfc64": {"SFC64": "bit-generator-type"},
    "numpy.random.bit_generator": {"SeedSequence": "seed", "__pyx_unpickle_SeedSequence": "seed-unpickle"},
    "numpy.random._bit_generator": {"SeedSequence": "seed", "__pyx_unpickle_SeedSequence": "seed-unpickle"},
}  # fmt: skip
JOBLIB: Table = {"joblib.numpy_pickle": {"NumpyArrayWrapper": "array-wrapper"}}

_SPARSE = ("bsr", "coo", "csc", "csr", "dia", "dok", "lil")
SCIPY: Table = {
    **{f"scipy.sparse._{kind}": {f"{kind}_matrix": "sparse", f"{kind}_array": "sparse"} for kind in _SPARSE},
    **{f"scipy.sparse.{kind}": {f"{kind}_matrix": "sparse"} for kind in _SPARSE},
    "scipy.sparse._dok": {"dok_matrix": "dict-class", "dok_array": "dict-class"},
    "scipy.sparse.dok": {"dok_matrix": "dict-class"},
    # _BSpline is what BSpline delegates to since SciPy 1.18: a plain class without pickling methods of its own.
    "scipy.interpolate._bsplines": {"BSpline": "class", "_BSpline": "class"},
    "scipy.interpolate._interpolate": {"interp1d": "class", "PPoly": "class"},
    "scipy._lib.array_api_compat.numpy._aliases": {"asarray": "pure"},
}

_TORCH_STORAGES = [
    "Double",
    "Float",
    "Half",
    "Long",
    "Int",
    "Short",
    "Char",
    "Byte",
    "Bool",
    "BFloat16",
    "ComplexDouble",
    "ComplexFloat",
]
_TORCH_DTYPES = [
    "float16",
    "float32",
    "float64",
    "bfloat16",
    "complex64",
    "complex128",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
    "float8_e4m3fn",
    "float8_e5m2",
    "half",
    "double",
    "float",
    "int",
    "long",
    "short",
]
_TORCH_MODULES: dict[str, str] = {
    "activation": "ReLU ReLU6 Sigmoid Tanh GELU SiLU ELU SELU LeakyReLU PReLU Softmax LogSoftmax Softplus Hardswish "
    "Hardsigmoid Hardtanh Mish MultiheadAttention GLU CELU LogSigmoid Softsign Tanhshrink",
    "linear": "Linear Identity Bilinear NonDynamicallyQuantizableLinear",
    "conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d",
    "normalization": "LayerNorm GroupNorm RMSNorm LocalResponseNorm",
    "instancenorm": "InstanceNorm1d InstanceNorm2d InstanceNorm3d",
    "pooling": "MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d AdaptiveAvgPool1d AdaptiveAvgPool2d "
    "AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d",
    "dropout": "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout",
    "container": "Sequential ModuleList ModuleDict ParameterList ParameterDict",
    "sparse": "Embedding EmbeddingBag",
    "rnn": "RNN LSTM GRU RNNCell LSTMCell GRUCell",
    "flatten": "Flatten Unflatten",
    "padding": "ZeroPad2d ReflectionPad1d ReflectionPad2d ReplicationPad1d ReplicationPad2d ConstantPad1d "
    "ConstantPad2d",
    "upsampling": "Upsample UpsamplingNearest2d UpsamplingBilinear2d",
    "pixelshuffle": "PixelShuffle PixelUnshuffle",
    "transformer": "Transformer TransformerEncoder TransformerEncoderLayer TransformerDecoder TransformerDecoderLayer",
    "loss": "CrossEntropyLoss MSELoss L1Loss BCELoss BCEWithLogitsLoss NLLLoss SmoothL1Loss HuberLoss KLDivLoss",
}
TORCH: Table = {
    "torch": dict.fromkeys([f"{kind}Storage" for kind in _TORCH_STORAGES], "storage-type")
    | dict.fromkeys(_TORCH_DTYPES, "type")
    | {"Size": "size", "device": "device", "Tensor": "tensor-type"},
    "torch._utils": {
        "_rebuild_tensor": "tensor", "_rebuild_tensor_v2": "tensor", "_rebuild_parameter": "parameter",
    },
    "torch._tensor": {"_rebuild_from_type_v2": "typed-tensor"},
    "torch.nn.parameter": {"Parameter": "tensor-type"},
    "torch.storage": {
        "_load_from_bytes": "storage-bytes", "UntypedStorage": "storage-type", "TypedStorage": "storage-type",
    },
    "torch.serialization": {"_get_layout": "layout"},
    **{f"torch.nn.modules.{name}": dict.fromkeys(text.split(), "class") for name, text in _TORCH_MODULES.items()},
}  # fmt: skip

_INDEXES = {
    "base": "Index", "range": "RangeIndex", "multi": "MultiIndex", "category": "CategoricalIndex",
    "datetimes": "DatetimeIndex", "interval": "IntervalIndex", "timedeltas": "TimedeltaIndex", "period": "PeriodIndex",
    "numeric": "Int64Index Float64Index UInt64Index",
}  # fmt: skip
PANDAS: Table = {
    "pandas.core.frame": {"DataFrame": "class"},
    "pandas": {
        "DataFrame": "class", "Series": "class", "Index": "class", "RangeIndex": "class", "MultiIndex": "class",
        "CategoricalIndex": "class", "DatetimeIndex": "class", "Categorical": "array-class",
        "CategoricalDtype": "class", "StringDtype": "string-dtype",
    },
    "pandas.arrays": {"StringArray": "array-class", "DatetimeArray": "array-class", "TimedeltaArray": "array-class"},
    "pandas.core.arrays.datetimes": {"DatetimeArray": "array-class"},
    "pandas.core.series": {"Series": "class"},
    "pandas.core.internals.managers": {"BlockManager": "block-manager", "SingleBlockManager": "block-manager"},
    "pandas.core.internals.blocks": {"new_block": "block"},
    "pandas._libs.internals": {"_unpickle_block": "block", "BlockPlacement": "placement"},
    "pandas._libs.arrays": {"__pyx_unpickle_NDArrayBacked": "array-backed"},
    "pandas.core.arrays.string_": {"StringDtype": "string-dtype", "StringArray": "array-class"},
    "pandas.core.arrays.numpy_": {"NumpyExtensionArray": "array-class"},
    "pandas.core.arrays.categorical": {"Categorical": "array-class"},
    "pandas.core.dtypes.dtypes": {"CategoricalDtype": "class"},
    **{
        f"pandas.core.indexes.{module}": dict.fromkeys(text.split(), "class") for module, text in _INDEXES.items()
    },
}  # fmt: skip
PANDAS["pandas.core.indexes.base"]["_new_Index"] = "index"

XGBOOST: Table = {
    "xgboost.core": {"Booster": "class"},
    "xgboost.sklearn": dict.fromkeys(
        ["XGBClassifier", "XGBRegressor", "XGBRanker", "XGBRFClassifier", "XGBRFRegressor", "XGBModel"], "class"
    ),
}
LIGHTGBM: Table = {
    "lightgbm.basic": {"Booster": "class"},
    "lightgbm.sklearn": dict.fromkeys(["LGBMClassifier", "LGBMRegressor", "LGBMRanker", "LGBMModel"], "class"),
}

SKLEARN: Table = {
    "sklearn.tree._tree": {"Tree": "tree"},
    "sklearn.utils._bunch": {"Bunch": "dict-class"},
    "sklearn.utils": {"Bunch": "dict-class"},
    "sklearn.metrics._dist_metrics": {"newObj": "native-new"},
    "sklearn.neighbors._kd_tree": {
        "newObj": "native-new",
        "KDTree": "native",
        "KDTree64": "native",
        "KDTree32": "native",
    },
    "sklearn.neighbors._ball_tree": {"newObj": "native-new", "BallTree": "native", "BallTree64": "native"},
    "sklearn.feature_selection._univariate_selection": dict.fromkeys(
        ["f_classif", "f_regression", "chi2", "r_regression"], "pure"
    ),
    "sklearn.feature_selection._mutual_info": dict.fromkeys(["mutual_info_classif", "mutual_info_regression"], "pure"),
    "sklearn.metrics.pairwise": dict.fromkeys(
        ["rbf_kernel", "linear_kernel", "polynomial_kernel", "cosine_similarity", "euclidean_distances"], "pure"
    ),
    "sklearn.cluster._kmeans": {"_kmeans_single_lloyd": "pure", "_kmeans_single_elkan": "pure"},
    "sklearn.calibration": {"_SigmoidCalibration": "class", "_CalibratedClassifier": "class"},
    "sklearn.multiclass": {"_ConstantPredictor": "class"},
    "sklearn.isotonic": {"IsotonicRegression": "class"},
    "sklearn.metrics._scorer": {"_PassthroughScorer": "class"},
    "sklearn.linear_model._sgd_fast": dict.fromkeys(
        [
            "Hinge",
            "SquaredHinge",
            "Log",
            "ModifiedHuber",
            "SquaredLoss",
            "Huber",
            "EpsilonInsensitive",
            "SquaredEpsilonInsensitive",
        ],
        "loss",
    ),
}
REVIEWED_MODULES = (
    "sklearn.gaussian_process.kernels", "sklearn._loss.loss", "sklearn._loss.link", "sklearn._loss._loss",
    "sklearn.metrics._dist_metrics", "sklearn.linear_model._glm._newton_solver",
    "sklearn.neural_network._stochastic_optimizers",
    "sklearn.ensemble._hist_gradient_boosting.binning", "sklearn.ensemble._hist_gradient_boosting.predictor",
    "sklearn.model_selection._split",
)  # fmt: skip


def classes_of(module_name: str) -> dict[str, str]:
    """List the classes that a reviewed module defines, and Cython's helpers for pickling them."""
    module = importlib.import_module(module_name)
    found: dict[str, str] = {}
    for name, value in vars(module).items():
        if inspect.isclass(value) and value.__module__ == module_name:
            compiled = "native" if module_name.endswith("_dist_metrics") else "class"
            found[name] = "loss" if name.startswith("Cy") else compiled
        elif name.startswith("__pyx_unpickle_") and "Enum" not in name:
            found[name] = "native-unpickle"
    return found


class _Watch(pickle._Unpickler):
    seen: set[tuple[str, str]]

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        self.seen.add((module, name))
        return super().find_class(module, name)


def observe() -> set[tuple[str, str]]:
    """Pickle every estimator that can be fitted, in protocols 2 and 5, and collect the globals."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from tests.checks.model_scan.benign import fitted_estimators

    seen: set[tuple[str, str]] = set()
    for _, estimator in fitted_estimators(0, 1):
        for protocol in (2, 5):
            watch = _Watch(io.BytesIO(pickle.dumps(estimator, protocol=protocol)))
            watch.seen = seen
            watch.load()
    return seen


def add_sklearn() -> tuple[Table, list[str]]:
    """Return the sklearn table, and the observed names that only a person may decide on."""
    from sklearn.utils import all_estimators

    table: Table = defaultdict(dict)
    for _, kind in all_estimators():
        table[kind.__module__][kind.__name__] = "class"
    for module in REVIEWED_MODULES:
        table[module] |= classes_of(module)
    open_questions = []
    hand: Table = {}
    for source in (PYTHON, NUMPY, JOBLIB, SCIPY, SKLEARN):
        hand |= source
    for module, name in sorted(observe()):
        if name in hand.get(module, {}) or name in table.get(module, {}):
            continue
        value = getattr(importlib.import_module(module), name)
        if inspect.isclass(value) and module.startswith("sklearn.") and "_testing" not in module:
            table[module][name] = "class"
        else:
            open_questions.append(f"{module}.{name}")
    for module, names in SKLEARN.items():
        table[module] |= names
    return dict(table), open_questions


def write(name: str, verified: str, table: Table) -> None:
    """Write one list with sorted names."""
    ordered = {module: dict(sorted(names.items())) for module, names in sorted(table.items()) if names}
    content = {"name": name, "version": VERSION, "verified": verified, "globals": ordered}
    (TARGET / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


def write_operators() -> None:
    """Write the operators of ONNX's own domains, of every version."""
    import onnx
    from onnx.defs import get_all_schemas_with_history

    table: dict[str, set[str]] = defaultdict(set)
    for schema in get_all_schemas_with_history():
        table[schema.domain].add(schema.name)
    content = {
        "name": "onnx-operators",
        "version": VERSION,
        "verified": f"every schema of onnx {onnx.__version__}, with history",
        "operators": {domain: sorted(names) for domain, names in sorted(table.items())},
    }
    (TARGET / "onnx-operators.json").write_text(json.dumps(content, indent=1) + "\n")


def main() -> None:
    """Rewrite every list."""
    warnings.simplefilter("ignore")
    import numpy
    import scipy  # type: ignore[import-untyped]
    import sklearn

    table, questions = add_sklearn()
    write("sklearn", f"fitted estimators of scikit-learn {sklearn.__version__}, protocols 2 and 5", table)
    write("python", "by hand, CPython 3.11", PYTHON)
    write("numpy", f"by hand and from numpy {numpy.__version__}", NUMPY)
    write("joblib", "by hand, joblib 1.6", JOBLIB)
    write("scipy", f"by hand and from scipy {scipy.__version__}", SCIPY)
    write("torch", "by hand from the documented format; not run against an installed torch", TORCH)
    write("pandas", "pandas 3.1.1 for the names it writes; older names by hand", PANDAS)
    write("xgboost", "xgboost 3.2.0", XGBOOST)
    write("lightgbm", "lightgbm 4.7.0", LIGHTGBM)
    write_operators()
    print("not listed, decide by hand:", questions)


if __name__ == "__main__":
    main()
