"""Every format gives the same rows, labels and bounds; what it is called makes no difference."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from tests.checks.data import formats
from tests.checks.data.formats import NAMES, WRITERS, X

from weighbridge.checks.data.examples import read_examples
from weighbridge.checks.data.limits import DataError
from weighbridge.checks.data.raw import Choice
from weighbridge.checks.data.source import bytes_to_bind, digest_of
from weighbridge.evidence.measurements import BoundsFrom
from weighbridge.model.digest import hash_model


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_examples(tmp_path: Path, name: str) -> None:
    examples = read_examples(WRITERS[name](tmp_path / "data"))
    assert np.allclose(examples.x, X, atol=1e-6)
    assert [examples.y.names[each] for each in examples.y.numbers] == NAMES
    assert examples.shape == (3,)
    assert examples.bounds == (0.5, 9.5)
    assert examples.source.bounds_from is BoundsFrom.ROWS
    assert examples.source.rows == 4
    assert examples.source.label == ("y" if name in ("npz", "npy_folder") else "label")


@pytest.mark.parametrize("name", WRITERS)
def test_the_digest_before_a_check_is_that_of_the_bytes_that_it_reads(tmp_path: Path, name: str) -> None:
    path = WRITERS[name](tmp_path / "data")
    digest = read_examples(path).source.sha256
    assert digest == digest_of(path) == hashlib.sha256(bytes_to_bind(path)).hexdigest()
    if path.is_dir():
        assert digest == hash_model(path).hex
    else:
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("label", ["species", "3", "-1"])
def test_the_label_is_named_or_counted(tmp_path: Path, label: str) -> None:
    (tmp_path / "d").write_text(formats.csv_text(names=("a", "b", "c", "species")))
    assert read_examples(tmp_path / "d", choice=Choice(label)).source.label == "species"


def test_a_name_comes_before_a_position(tmp_path: Path) -> None:
    (tmp_path / "d").write_text("1,0,label\n0.5,4,7\n0.25,5,7\n")
    assert read_examples(tmp_path / "d", choice=Choice("0")).y.numbers.tolist() == [4, 5]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("a", "b", "c", "species"), "its columns are a, b, c, species"),
        (("a", "y", "c", "label"), "y, label are both usual"),
        ((), "columns 0 to 3, which have no names"),
    ],
)
def test_a_label_that_is_not_clear_is_never_guessed(tmp_path: Path, names: tuple[str, ...], said: str) -> None:
    (tmp_path / "d").write_text(formats.csv_text(names=names))
    with pytest.raises(DataError, match=said) as refused:
        read_examples(tmp_path / "d")
    assert "--label NAME" in refused.value.remedy


def test_a_table_without_names_is_read_by_position(tmp_path: Path) -> None:
    (tmp_path / "d").write_text(formats.csv_text(names=()))
    examples = read_examples(tmp_path / "d", choice=Choice("-1"))
    assert np.allclose(examples.x, X)
    assert examples.source.label == "3"


def test_names_that_count_the_columns_are_names(tmp_path: Path) -> None:
    (tmp_path / "d").write_text(formats.csv_text(names=("0", "1", "2", "label")))
    assert read_examples(tmp_path / "d").source.rows == 4


def test_a_plain_table_of_numbers_wants_a_position(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.column_stack([X, [2, 0, 2, 1]]))
    with pytest.raises(DataError, match="columns 0 to 3, which have no names"):
        read_examples(tmp_path / "d.npy")
    examples = read_examples(tmp_path / "d.npy", choice=Choice("-1"))
    assert examples.y.numbers.tolist() == [2, 0, 2, 1]
    assert np.array_equal(examples.x, X)


def test_bounds_are_the_callers_or_the_files_or_the_units_or_the_rows(tmp_path: Path) -> None:
    np.savez(tmp_path / "unit.npz", x=X / 10, y=[0, 1, 0, 1])
    np.savez(tmp_path / "said.npz", x=X, y=[0, 1, 0, 1], bounds=[0, 10])
    (tmp_path / "rows").write_text(formats.csv_text())
    known = {
        name: read_examples(tmp_path / name, choice=Choice(bounds=bounds)).source
        for name, bounds in (("unit.npz", None), ("said.npz", None), ("rows", (0.0, 20.0)))
    }
    assert [(each.bounds, each.bounds_from) for each in known.values()] == [
        ((0.0, 1.0), BoundsFrom.DEFAULT),
        ((0.0, 10.0), BoundsFrom.FILE),
        ((0.0, 20.0), BoundsFrom.CALLER),
    ]
    with pytest.raises(DataError, match="states the bounds"):
        read_examples(tmp_path / "said.npz", choice=Choice(bounds=(0.0, 20.0)))
    with pytest.raises(DataError, match="outside the bounds"):
        read_examples(tmp_path / "rows", choice=Choice(bounds=(0.0, 1.0)))


def test_hugging_face_numbers_keep_their_names(tmp_path: Path) -> None:
    info = {"info": {"features": {"label": {"names": ["zebra", "ant"], "_type": "ClassLabel"}}}}
    table = pa.table({"a": X[:, 0], "label": [0, 1, 1, 0]}).replace_schema_metadata({"huggingface": json.dumps(info)})
    examples = read_examples(formats.saved_dataset(tmp_path / "d", table))
    assert examples.y.names == ("zebra", "ant")
    assert examples.y.numbers.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(("colour", "form"), [(False, "PNG"), (True, "PNG"), (True, "JPEG")])
def test_reads_pictures_by_class(tmp_path: Path, colour: bool, form: str) -> None:
    shape = (4, 5, 3) if colour else (4, 5)
    content = formats.picture(np.full(shape, 51), form=form)
    path = formats.picture_folder(tmp_path / "d", {"b/1": content, "a/1": content, "a/2": content})
    examples = read_examples(path)
    assert examples.shape == ((3, 4, 5) if colour else (4, 5))
    assert examples.x == pytest.approx(0.2)
    assert examples.bounds == (0.0, 1.0)
    assert [examples.y.names[each] for each in examples.y.numbers] == ["a", "a", "b"]
    assert read_examples(path, choice=Choice(bounds=(0.0, 255.0))).x == pytest.approx(51)


def test_reads_pictures_in_a_column(tmp_path: Path) -> None:
    content = [{"bytes": formats.picture(np.full((2, 2), level)), "path": None} for level in (0, 255)]
    pa.parquet.write_table(pa.table({"image": content, "label": [0, 1]}), tmp_path / "d")
    examples = read_examples(tmp_path / "d")
    assert examples.x.tolist() == [[0.0] * 4, [1.0] * 4]
    assert examples.image == (1, 2, 2)


def test_arrays_in_arrays_keep_their_shape(tmp_path: Path) -> None:
    x = np.arange(24.0).reshape(4, 3, 2)
    pa.parquet.write_table(pa.table({"x": x.tolist(), "y": [0, 1, 0, 1]}), tmp_path / "d")
    examples = read_examples(tmp_path / "d")
    assert examples.shape == (3, 2)
    assert np.array_equal(examples.x, x.reshape(4, 6))


def sample(name: str) -> Path:
    import sklearn.datasets

    return Path(sklearn.datasets.__file__).parent / "data" / name


@pytest.mark.parametrize(
    ("name", "label", "rows", "features"),
    [("breast_cancer.csv", "-1", 569, 30), ("iris.csv", "-1", 150, 4), ("wine_data.csv", "-1", 178, 13)],
)
def test_reads_public_samples(tmp_path: Path, name: str, label: str, rows: int, features: int) -> None:
    # Their first line counts rows and columns and names the classes.
    counts, _, rest = sample(name).read_text().partition("\n")
    (tmp_path / name).write_text(rest)
    examples = read_examples(tmp_path / name, choice=Choice(label))
    assert counts.startswith(f"{rows},{features},")
    assert examples.x.shape == (rows, features)
    assert len(set(examples.y.numbers.tolist())) in (2, 3)


@pytest.mark.parametrize(
    ("name", "said", "remedy"),
    [
        ("digits.csv.gz", "compressed with gzip", "gunzip"),
        ("diabetes_data_raw.csv.gz", "gzip", "gunzip"),
        ("breast_cancer.csv", "line 2 of breast_cancer.csv has 31 columns, the first has 4", "no other line before"),
        ("iris.csv", "its columns are 150, 4, setosa, versicolor, virginica", "--label NAME"),
    ],
)
def test_says_what_to_do_with_other_public_samples(name: str, said: str, remedy: str) -> None:
    with pytest.raises(DataError, match=said) as refused:
        read_examples(sample(name), choice=Choice("-1") if name == "breast_cancer.csv" else Choice())
    assert remedy in refused.value.remedy


def test_the_digits_are_read_once_they_are_unpacked(tmp_path: Path) -> None:
    import gzip

    (tmp_path / "digits").write_bytes(gzip.decompress(sample("digits.csv.gz").read_bytes()))
    examples: Any = read_examples(tmp_path / "digits", choice=Choice("-1"))
    assert examples.x.shape == (1797, 64)
    assert examples.bounds == (0.0, 16.0)
