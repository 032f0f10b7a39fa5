"""Benign models, built on the spot: every scikit-learn estimator that fits quickly, and other formats."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

SLOW = {"RandomizedSearchCV", "GridSearchCV", "TSNE"}


def _inputs() -> Iterator[tuple[Any, Any]]:
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    x, y = x[::2], y[::2]
    positive = np.abs(x) + 0.1
    yield x, y
    yield positive, y
    yield x[:, 0], y
    yield positive, np.c_[y, y]
    yield ["red green", "blue green"] * 38, y[:76]
    yield [{"a": 1, "b": "x"}] * len(y), y
    yield x, y / 2.0
    yield x @ x.T, y
    yield [("a",)] * len(y), y
    yield np.ones((4, 5)), y[:4]
    yield x[:, 0].round(), None
    yield np.tile(x, (1, 30)), y


def _makers(kind: Any) -> Iterator[Callable[[], Any]]:
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    yield kind
    yield lambda: kind(LogisticRegression())
    yield lambda: kind(Ridge())
    yield lambda: kind([("a", LogisticRegression()), ("b", DecisionTreeClassifier())])
    yield lambda: kind([("a", Ridge()), ("b", Ridge())])
    yield lambda: kind([("a", StandardScaler())])
    yield lambda: kind(LogisticRegression(), {"C": [1, 2]})
    yield lambda: kind([("s", StandardScaler(), [0, 1])])
    yield lambda: kind(np.ones((2, 4)))


def fit(kind: Any) -> Any:
    """Fit an estimator class on the first input that it takes; None when none fits."""
    for make in _makers(kind):
        for x, y in _inputs():
            try:
                np.random.seed(0)
                estimator = make()
                if hasattr(estimator, "fit"):
                    estimator.fit(x) if y is None else estimator.fit(x, y)
                else:
                    estimator.partial_fit(x, y)
            except Exception:  # estimators reject in every way there is
                continue
            return estimator
    return None


def fitted_estimators(part: int, parts: int) -> Iterator[tuple[str, Any]]:
    """Yield name and fitted estimator of one part of all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sklearn.utils import all_estimators

        for name, kind in all_estimators()[part::parts]:
            if name not in SLOW and (estimator := fit(kind)) is not None:
                yield name, estimator


def joblib_bytes(value: Any, *, compress: Any = 0) -> bytes:
    """Return what ``joblib.dump`` writes."""
    import io

    import joblib

    stream = io.BytesIO()
    if compress == 0:
        joblib.dump(value, stream)
        return stream.getvalue()
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        joblib.dump(value, path, compress=compress)
        return path.read_bytes()


def _numpy_files() -> Iterator[tuple[str, bytes]]:
    import io

    arrays = {
        "floats": np.arange(12.0).reshape(3, 4),
        "fortran": np.asfortranarray(np.ones((3, 4), dtype="<f2")),
        "text": np.array(["a", "bcd"]),
        "empty-text": np.array(["", ""]),
        "bytes": np.array([b"a", b"bcd"]),
        "dates": np.array(["2026-01-01"], dtype="datetime64[D]"),
        "records": np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f8")]),
        "objects": np.array(["a", 1, None], dtype=object),
        "empty": np.zeros((0, 3)),
        "scalar": np.array(3),
    }
    for name, array in arrays.items():
        stream = io.BytesIO()
        np.save(stream, array)
        yield f"{name}.npy", stream.getvalue()
    for name, save in (("plain.npz", np.savez), ("deflated.npz", np.savez_compressed)):
        stream = io.BytesIO()
        save(stream, **arrays)  # type: ignore[arg-type]
        yield name, stream.getvalue()
        stream = io.BytesIO()
        save(stream, objects=arrays["objects"])
        yield f"objects-{name}", stream.getvalue()


def _python_values() -> Iterator[tuple[str, bytes]]:
    import collections
    import datetime
    import decimal
    import pickle
    import uuid

    value = {
        "text": "ä" * 3000,
        "bytes": b"\x00" * 3000,
        "numbers": [1, -1, 2**70, 1.5, True, None, 3 + 4j],
        "sets": {1, 2, (3, 4)},
        "frozen": frozenset({1}),
        "ordered": collections.OrderedDict(a=1),
        "default": collections.defaultdict(list, {"a": [1]}),
        "deque": collections.deque([1, 2]),
        "counter": collections.Counter("aab"),
        "time": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        "delta": datetime.timedelta(days=1),
        "decimal": decimal.Decimal("1.5"),
        "uuid": uuid.UUID(int=5),
        "slice": slice(1, 2),
        "array": np.arange(3),
        "generator": np.random.default_rng(3),
        "state": np.random.RandomState(3),
        "masked": np.ma.masked_array([1.0, 2.0], mask=[True, False]),
    }
    for protocol in range(6):
        yield f"values-{protocol}.pkl", pickle.dumps(value, protocol=protocol)
    for compress in (0, 3, ("gzip", 3), ("bz2", 3), ("xz", 1), ("lzma", 1)):
        yield f"values-{compress}.joblib", joblib_bytes(value, compress=compress)


def _sparse() -> Iterator[tuple[str, bytes]]:
    import pickle

    from scipy import sparse  # type: ignore[import-untyped]

    for kind in ("bsr", "coo", "csc", "csr", "dia", "dok", "lil"):
        matrix = sparse.random(5, 5, density=0.5, format=kind, random_state=0)
        yield f"{kind}.pkl", pickle.dumps(matrix)
        yield f"{kind}.joblib", joblib_bytes(matrix)


def _torch_files() -> Iterator[tuple[str, bytes]]:
    import pickle
    import struct

    from tests.attacks.model_containers import state_dict, torch_archive
    from weighbridge.checks.model_scan.torch_archive import MAGIC, PROTOCOL

    for name, kind, count, size in (
        ("f", "FloatStorage", 4, 16),
        ("h", "HalfStorage", 8, 16),
        ("b", "ByteStorage", 3, 3),
    ):
        data = state_dict(kind=kind, count=count)
        for suffix in (".pt", ".pth", ".bin", ".ckpt"):
            yield f"{name}{suffix}", torch_archive(data, storages={"0": bytes(size)})
        facts = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"short": 2}}
        parts = [pickle.dumps(part, protocol=2) for part in (MAGIC, PROTOCOL, facts)]
        legacy = b"".join(parts) + data + pickle.dumps(["0"], protocol=2) + struct.pack("<q", count) + bytes(size)
        yield f"{name}-legacy.pt", legacy


def _other_files() -> Iterator[tuple[str, bytes]]:
    import bz2
    import gzip
    import json
    import lzma
    import pickle

    from tests.attacks.model_containers import archive
    from tests.attacks.model_files import node, onnx, safetensors, tensor

    yield (
        "m.safetensors",
        safetensors({"__metadata__": {"format": "pt"}, "a": tensor(0, 4), "b": tensor(4, 9)}, bytes(9)),
    )
    yield "padded.safetensors", safetensors(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   ', bytes(8))
    yield "empty.safetensors", safetensors({}, b"")
    yield "m.onnx", onnx(node("Relu"), node("Scaler", domain="ai.onnx.ml"))
    yield "m.pkl.gz", gzip.compress(pickle.dumps([1, 2, 3]))
    yield "m.pkl.bz2", bz2.compress(pickle.dumps([1, 2, 3]))
    yield "m.pkl.xz", lzma.compress(pickle.dumps([1, 2, 3]))
    yield "m.zip", archive({"a.pkl": pickle.dumps([1]), "notes.txt": b"hello\n", "sub/config.json": b"{}"})
    yield "config.json", json.dumps({"architectures": ["BertModel"], "hidden_size": 768}).encode()
    yield (
        "tokenizer_config.json",
        json.dumps({"chat_template": "{% for m in messages %}{{ m['content'] }}{% endfor %}"}).encode(),
    )
    yield "model.safetensors.index.json", json.dumps({"weight_map": {"a": "model-00001.safetensors"}}).encode()
    yield "README.md", b"# A model\n\nIt classifies digits.\n"
    yield "LICENSE", b"Apache License\n"
    yield "vocab.txt", b"import\ncats\nthe\n(in\n.\n"
    yield "labels.csv", "name,count\nä,1\n".encode()


def _onnx_models() -> Iterator[tuple[str, bytes]]:
    import warnings

    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from skl2onnx import to_onnx

        x, y = load_iris(return_X_y=True)
        for model in (LogisticRegression(), RandomForestClassifier(5), MLPClassifier((8,), max_iter=20)):
            fitted = make_pipeline(StandardScaler(), model).fit(x, y)
            yield f"{type(model).__name__}.onnx", to_onnx(fitted, x[:1].astype("float32")).SerializeToString()


def estimator_files(part: int, parts: int) -> Iterator[tuple[str, bytes]]:
    """Yield the fitted estimators of one part in every protocol, and by joblib in every compression."""
    import pickle

    for name, estimator in fitted_estimators(part, parts):
        for protocol in range(6):
            yield f"{name}-{protocol}.pkl", pickle.dumps(estimator, protocol=protocol)
        for number, compress in enumerate((0, 3, ("gzip", 3), ("bz2", 3), ("xz", 1), ("lzma", 1))):
            yield f"{name}-{number}.joblib", joblib_bytes(estimator, compress=compress)


def other_files() -> Iterator[tuple[str, bytes]]:
    """Yield every benign file that is not an estimator."""
    for source in (_numpy_files, _python_values, _sparse, _torch_files, _other_files, _onnx_models):
        yield from source()
