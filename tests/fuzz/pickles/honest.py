"""What the libraries of an environment write themselves, and what they consist of. Runs inside the environment."""

from __future__ import annotations

import base64
import collections
import contextlib
import datetime
import decimal
import fractions
import functools
import importlib
import importlib.metadata
import inspect
import io
import pickle
import sys
import uuid
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final

ROOTS: Final = frozenset(
    {
        "numpy",
        "scipy",
        "sklearn",
        "pandas",
        "joblib",
        "torch",
        "xgboost",
        "lightgbm",
        "threadpoolctl",
        "dateutil",
        "encodings",
    }
)
"""Packages that may import more of themselves while an object is used; it is imported before the next batch."""

PACKAGES: Final = ("numpy", "pandas", "scipy", "scikit-learn", "joblib", "torch", "xgboost", "xgboost-cpu", "lightgbm")

MAX_SEED: Final = 24_000
"""Largest honest pickle that becomes a seed."""


def versions() -> dict[str, str]:
    """Return the versions of what is installed here."""
    found = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def import_all(modules: set[str]) -> list[str]:
    """Import every listed module that exists here, and return the others."""
    missing = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in sorted(modules | {"encodings.latin_1", "encodings.utf_8", "encodings.ascii"}):
            try:
                importlib.import_module(name)
            except Exception:  # a missing library, or a module of another version
                missing.append(name)
    return missing


def describe(listed: frozenset[tuple[str, str]], missing: list[str], *, few: bool) -> dict[str, Any]:
    """Return versions, the methods of every listed class, and honest pickles, in base64."""
    methods: dict[str, list[str]] = {}
    parameters: dict[str, list[str]] = {}
    for module, name in sorted(listed):
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type):
            methods[f"{module} {name}"] = _methods(kind)
        if callable(kind):
            parameters[f"{module} {name}"] = _parameters(kind)
    seeds = []
    for value in objects(few=few):
        for protocol in (2, 4):
            with contextlib.suppress(Exception):
                data = pickle.dumps(value, protocol=protocol)
                if len(data) <= MAX_SEED:
                    seeds.append(base64.b64encode(data).decode())
    return {
        "versions": versions(),
        "missing": missing,
        "methods": methods,
        "parameters": parameters,
        "seeds": sorted(set(seeds), key=len),
        "torch": [base64.b64encode(data).decode() for data in torch_files()],
    }


def _methods(kind: type) -> list[str]:
    names = []
    for name in dir(kind):
        with contextlib.suppress(Exception):
            if callable(inspect.getattr_static(kind, name)) or name == "__dict__":
                names.append(name)
    return names


def _parameters(kind: Callable[..., Any]) -> list[str]:
    for target in (kind, getattr(kind, "__new__", None), getattr(kind, "__init__", None)):
        try:
            names = list(inspect.signature(target).parameters)  # type: ignore[arg-type]
        except Exception:  # built-in, or no function
            continue
        names = [name for name in names if name not in ("self", "cls", "subtype", "args", "kwargs", "kwds")]
        if names:
            return names
    return []


def warm(*, few: bool) -> None:
    """Use honest objects once, so that what libraries import late is there before anything is watched."""
    from tests.fuzz.pickles import use

    for value in objects(few=few):
        with contextlib.suppress(Exception):
            found = use.parts(pickle.loads(pickle.dumps(value)))
            use.look(found, lambda kind, detail: None)
            use.call(found)


@functools.cache
def _all_objects(few: bool) -> list[Any]:
    found: list[Any] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for source in (_python, _numpy, _pandas, _scipy, lambda: _sklearn(few=few), _boosters, _torch):
            with contextlib.suppress(ImportError):
                found += source()
    return found


def objects(*, few: bool) -> list[Any]:
    """Return honest objects of every library here; ``few`` for a run of seconds."""
    return _all_objects(few)


def _python() -> Iterator[Any]:
    yield {
        "a": [1, 2.5, "x", None, True],
        "b": (1, (2, 3)),
        "c": {1, 2},
        "d": frozenset({"q"}),
        "e": b"raw",
        "f": 2**70,
    }
    yield collections.OrderedDict(a=1, b=[2])
    yield collections.defaultdict(list, {"a": [1]})
    yield collections.defaultdict(collections.OrderedDict)
    yield collections.deque([1, 2], 4)
    yield collections.Counter("aab")
    yield [1 + 2j, slice(1, 2, None), range(3), bytearray(b"xy")]
    yield datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    yield [datetime.date(2026, 1, 1), datetime.time(1, 2), datetime.timedelta(days=1)]
    yield [decimal.Decimal("1.5"), fractions.Fraction(1, 3), uuid.UUID(int=5), uuid.SafeUUID.safe]


def _numpy() -> Iterator[Any]:
    import numpy as np

    yield from (np.arange(3), np.arange(6.0).reshape(2, 3), np.asfortranarray(np.ones((2, 3), "f4")), np.array(3))
    yield from (np.array(["a", "bcd"]), np.array([b"a", b"bcd"]), np.array(["a", 1, None, (2,)], dtype=object))
    yield from (np.array(["2026-01-01"], "datetime64[D]"), np.array([3], "timedelta64[s]"), np.zeros((0, 2)))
    yield np.array([(1, 2.0, "x")], dtype=[("a", "<i4"), ("b", "<f8"), ("c", "U2")])
    yield np.array([(1, None)], dtype=[("a", "<i4"), ("o", "O")])
    yield np.zeros(2, dtype=np.dtype([("a", "<i4", (2,))]))
    yield from (
        np.float64(1.5),
        np.int32(3),
        np.bool_(True),
        np.str_("x"),
        np.datetime64("2026-01-01"),
        np.complex64(1),
    )
    yield from (np.dtype("f8"), np.dtype("O"), np.dtype([("a", "u1")]), np.dtype({"names": ["a"], "formats": ["O"]}))
    yield from (np.ma.masked_array([1.0, 2.0], mask=[True, False]), np.ma.masked, np.matrix([[1, 2]]))
    yield from (np.random.default_rng(3), np.random.RandomState(3), np.random.Generator(np.random.Philox(1)))
    yield from (np.random.SeedSequence(4), np.random.MT19937(1), np.random.SFC64(2), np.float64, np.log1p)
    yield from (functools.partial(np.sum, axis=0), functools.partial(np.clip, a_min=0, a_max=1))


def _pandas() -> Iterator[Any]:
    import pandas as pd  # type: ignore[import-untyped]

    frame = pd.DataFrame({"a": [1, 2], "b": [1.5, None], "c": ["x", "y"]}, index=["p", "q"])
    yield from (frame, frame.a, frame.index, frame.columns, pd.RangeIndex(3), pd.Index([1, 2]), pd.Index([1.5]))
    yield from (frame.assign(d=frame.c.astype("category")), frame.c.astype("category"), pd.Categorical(["a", "b"]))
    yield from (pd.date_range("2026-01-01", periods=2), pd.Series(pd.date_range("2026-01-01", periods=2)))
    yield from (
        pd.MultiIndex.from_product([["a"], [1, 2]]),
        pd.CategoricalIndex(["a"]),
        pd.Series(["a"], dtype="string"),
    )
    yield from (pd.TimedeltaIndex(["1s"]), pd.interval_range(0, 2), pd.period_range("2026", periods=2, freq="Y"))
    yield from (pd.StringDtype(), pd.CategoricalDtype(["a"]), pd.Series([1, None], dtype="object"), pd.Series([True]))


def _scipy() -> Iterator[Any]:
    import numpy as np
    from scipy import interpolate, sparse  # type: ignore[import-untyped]

    for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil"):
        yield sparse.random(4, 4, density=0.4, format=kind, random_state=0)
        yield sparse.random_array((4, 4), density=0.4, format=kind, rng=np.random.default_rng(0))
    x = np.arange(6.0)
    yield interpolate.make_interp_spline(x, x**2)
    yield interpolate.interp1d(x, x)
    yield interpolate.PPoly(np.ones((2, 5)), x)


def _fit(kind: Any) -> Any:
    import numpy as np
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler

    rng = np.random.RandomState(0)
    x = np.abs(rng.randn(12, 4)) + 0.1
    y = np.array([0, 1, 2] * 4)
    makers: list[Callable[[], Any]] = [
        kind,
        lambda: kind(n_components=2),
        lambda: kind(LogisticRegression()),
        lambda: kind(Ridge()),
        lambda: kind([("a", LogisticRegression()), ("b", LogisticRegression(C=2))]),
        lambda: kind([("a", Ridge()), ("b", Ridge())]),
        lambda: kind([("a", StandardScaler())]),
        lambda: kind([("s", StandardScaler(), [0, 1])]),
        lambda: kind(np.ones((2, 4))),
    ]
    inputs: list[tuple[Any, Any]] = [(x, y), (x, y / 2.0), (x[:, 0], y), (["red", "blue red"] * 6, y), (x @ x.T, y)]
    inputs += [([{"a": 1, "b": "x"}] * 12, y), (x, np.c_[y, y]), ([("a",)] * 12, y), (x[:, 0].round(), None)]
    for make in makers:
        for x_try, y_try in inputs:
            try:
                np.random.seed(0)
                model = make()
                for name, value in (("n_estimators", 2), ("max_iter", 20), ("random_state", 0), ("n_neighbors", 2)):
                    if name in model.get_params() and not isinstance(model.get_params()[name], str):
                        model.set_params(**{name: value})
                model.fit(x_try) if y_try is None else model.fit(x_try, y_try)
            except Exception:  # estimators reject in every way there is
                continue
            return model
    return None


FEW: Final = (
    "LogisticRegression", "DecisionTreeClassifier", "KNeighborsClassifier", "StandardScaler", "SVC", "KMeans",
    "CountVectorizer", "Pipeline", "ColumnTransformer", "GaussianProcessRegressor", "MLPClassifier",
    "HistGradientBoostingClassifier", "FunctionTransformer", "OneHotEncoder", "IsotonicRegression", "KernelDensity",
)  # fmt: skip
"""Estimators that stand for the others in a short run."""


def _sklearn(*, few: bool) -> Iterator[Any]:
    from sklearn.utils import all_estimators

    for name, kind in all_estimators():
        if name in ("TSNE", "GridSearchCV", "RandomizedSearchCV") or (few and name not in FEW):
            continue
        model = _fit(kind)
        if model is not None:
            yield model
        with contextlib.suppress(Exception):
            yield kind()


def _boosters() -> Iterator[Any]:
    import numpy as np

    x, y = np.arange(40.0).reshape(10, 4), np.array([0, 1] * 5)
    with contextlib.suppress(ImportError):
        import xgboost

        yield xgboost.XGBClassifier(n_estimators=1, max_depth=1).fit(x, y)
    with contextlib.suppress(ImportError):
        import lightgbm

        yield lightgbm.LGBMClassifier(n_estimators=1, num_leaves=2, verbose=-1).fit(x, y)


def _torch() -> Iterator[Any]:
    import torch
    from torch import nn

    torch.manual_seed(0)
    yield from (torch.Size([1, 2]), torch.float32, torch.device("cpu"))
    for kind in (torch.float32, torch.int64, torch.bool, torch.float16, torch.bfloat16):
        yield torch.zeros(3, dtype=kind)
    yield nn.Linear(2, 2).state_dict()
    yield from torch_modules()


def torch_modules() -> Iterator[Any]:
    """Yield a module of every kind that is quickly made."""
    from torch import nn

    yield nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Dropout(), nn.LayerNorm(3), nn.Softmax(dim=1))
    yield nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 2))
    yield from (nn.LSTM(4, 3), nn.GRU(4, 3), nn.Embedding(5, 2), nn.MultiheadAttention(4, 2), nn.Bilinear(2, 2, 2))
    yield from (nn.ModuleList([nn.Linear(2, 2)]), nn.ModuleDict({"a": nn.Linear(2, 2)}), nn.CrossEntropyLoss())
    yield from (nn.ParameterList([nn.Linear(1, 1).weight]), nn.GELU(), nn.TransformerEncoderLayer(4, 2, 8))


def torch_files() -> Iterator[bytes]:
    """Yield archives that torch writes, as files."""
    try:
        import torch
    except ImportError:
        return
    for value in (torch.nn.Linear(2, 2).state_dict(), torch.zeros(2, 3), {"a": torch.arange(3)}, *torch_modules()):
        stream = io.BytesIO()
        with contextlib.suppress(Exception):
            torch.save(value, stream)
            if len(stream.getvalue()) <= MAX_SEED:
                yield stream.getvalue()
