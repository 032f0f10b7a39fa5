"""The file to run is found by its bytes: the same ones are found alike, whatever they are called."""

from __future__ import annotations

import io
import pickle
import sys
from pathlib import Path

import joblib
import pytest
from sklearn.linear_model import LogisticRegression
from tests.attacks.model_files import node, onnx
from tests.attacks.model_pickles import SYSTEM, name4
from tests.attacks.model_readings import siblings

from weighbridge.checks.interface import ModelFile
from weighbridge.checks.runners.entries import Safeguards, find_entries, load
from weighbridge.checks.runners.interface import RunnerError
from weighbridge.checks.runners.kinds import Kind, kind_of
from weighbridge.checks.runners.unpickle import load_pickle

NAMES = ["model", "model.pkl", "weights.bin", "model.txt", "m.onnx", "m.joblib", "sub/model.v2"]


def listed(folder: Path, **contents: bytes) -> tuple[ModelFile, ...]:
    found = []
    for name, content in contents.items():
        path = folder / name.replace("/", "_")
        path.write_bytes(content)
        found.append(ModelFile(name=name, size=len(content), path=str(path)))
    return tuple(found)


def fitted(compress: int = 0) -> bytes:
    stream = io.BytesIO()
    joblib.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), stream, compress=compress)
    return stream.getvalue()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pickle.dumps({"a": 1}), Kind.PICKLE),
        (fitted(), Kind.PICKLE),
        (fitted(compress=3), Kind.PACKED),
        (onnx(node("Relu")), Kind.ONNX),
    ],
    ids=["pickle", "joblib", "compressed", "onnx"],
)
def test_the_same_bytes_are_found_alike(tmp_path: Path, name: str, content: bytes, kind: Kind) -> None:
    (file,) = listed(tmp_path, **{name: content})
    assert kind_of(file) is kind
    (entry,) = find_entries((file,))
    assert entry.name == name


def test_bookkeeping_is_no_model(tmp_path: Path) -> None:
    contents = {case.filename: case.content for case in siblings() if case.filename != "m.pkl"}
    contents |= {"README.md": b"# A model\n", "config.json": b"{}", "a.lock": b"", "raw": bytes(range(256)) * 9}
    contents |= {"model": fitted()}
    assert [entry.name for entry in find_entries(listed(tmp_path, **contents))] == ["model"]


def test_several_models_are_all_named(tmp_path: Path) -> None:
    found = find_entries(listed(tmp_path, b=fitted(), a=onnx(node("Relu")), c=fitted(compress=3)))
    assert [entry.name for entry in found] == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["m.pkl", "m.onnx", "m.joblib"])
def test_a_damaged_file_is_what_its_name_says(tmp_path: Path, name: str) -> None:
    (file,) = listed(tmp_path, **{name: b"\x00\x01damaged"})
    assert kind_of(file) is not Kind.NOTHING
    missing = ModelFile(name=name, size=3, path=str(tmp_path / "gone"))
    assert kind_of(missing) is not Kind.NOTHING


def guards() -> Safeguards:
    return Safeguards(confined=lambda: True, is_clean=lambda _name, _content: True, allowed=frozenset)


def test_a_compressed_file_is_named_with_a_step_that_works(tmp_path: Path) -> None:
    (entry,) = find_entries(listed(tmp_path, model=fitted(compress=3)))
    with pytest.raises(RunnerError, match="model is a compressed pickle") as raised:
        load(entry, features=1, threads=1, safeguards=guards())
    assert "joblib.dump(joblib.load(FILE), OUT)" in raised.value.remedy
    joblib.dump(joblib.load(tmp_path / "model"), tmp_path / "out")
    (mended,) = listed(tmp_path, out=(tmp_path / "out").read_bytes())
    assert kind_of(mended) is Kind.PICKLE


def test_text_that_is_a_pickle_gives_a_step(tmp_path: Path) -> None:
    (entry,) = find_entries(listed(tmp_path, **{"m.pkl": SYSTEM}))
    with pytest.raises(RunnerError, match="expected of its name") as raised:
        load(entry, features=1, threads=1, safeguards=guards())
    assert "Save it again" in raised.value.remedy


@pytest.mark.parametrize(("module", "package"), [("xgboost.sklearn", "xgboost"), ("sklearn.gone", "scikit-learn")])
def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, module: str, package: str) -> None:
    monkeypatch.setitem(sys.modules, module.partition(".")[0], None)
    content = b"\x80\x04" + name4(module, "Model") + b")\x81."
    with pytest.raises(RunnerError, match=f"needs {package}, which is not installed") as raised:
        load_pickle(content, allowed=frozenset({(module, "Model")}))
    assert f"pip install {package}" in raised.value.remedy
    assert "image" in raised.value.remedy
