"""What is refused of data that nobody vouches for: always with words, never with a traceback."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.data import formats
from tests.checks.data.formats import WRITERS, npy_bytes

from weighbridge.checks.data import limits
from weighbridge.checks.data.examples import read_examples
from weighbridge.checks.data.limits import DataError
from weighbridge.checks.data.raw import Choice
from weighbridge.checks.data.source import digest_of


def parquet(path: Path, table: dict[str, Any]) -> None:
    pa.parquet.write_table(pa.table(table), path)


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "pickle": (b"\x80\x04N.", "is a pickle"),
    "gzip": (b"\x1f\x8b\x08", "compressed with gzip"),
    "hdf5": (b"\x89HDF\r\n", "is HDF5"),
    "one picture": (b"\x89PNG\r\n\x1a\n", "one picture"),
    "json": (b'{"a": 1}', "is JSON"),
    "utf-16": ("a,label\n".encode("utf-16"), "UTF-16"),
    "latin-1": ("a,label\n1,é\n".encode("latin-1"), "no text in UTF-8"),
    "nul": (b"a,label\n1,x\0y\n", "is no text"),
    "prose": (b"hello\nworld\n", "no columns that"),
    "names only": (b"a,label\n", "which column|no rows"),
    "ragged": (b"a,b,label\n1,2,x\n1,x\n", "line 3 of data has 2 columns"),
    "gap": (b"a,b,label\n1,2,x\n1,,x\n", "line 3 of data has a gap: column 'b'"),
    "text": (b"a,b,label\n1,2,x\n1,red,x\n", "'red' in column 'b'"),
    "decimal comma": (b"a;b;label\n1,5;2,5;x\n1,5;2,5;x\n", "no number"),
    "python's digits": (b"a,b,label\n1,2,x\n1_0,2,x\n", "'1_0' in column 'a'"),
    "digits of another script": ("a,b,label\n1,2,x\n\u0661,2,x\n".encode(), "no number"),
    "infinity": (b"a,b,label\n1,2,x\n1,inf,x\n", "not finite, the first in row 1"),
    "open quote": (b'a,b,label\n1,2,"x\n', "no line of a table"),
    "two of a name": (b"a,a,label\n1,2,x\n", "two columns of data have one name: a"),
    "no label": (b"a,b,label\n1,2,x\n1,2,\n", "label of data is empty"),
    "an index": (b",a,label\n0,1,x\n1,2,y\n", "first column of data has no name"),
    "a value to predict": (b"a,b,y\n1,2,0.5\n1,2,0.25\n", "fractions"),
    "a million columns": (b",".join([b"1"] * 1_000_000) + b"\n", "1000000 columns"),
    "a large field": (b'a,label\n1,"' + b"x" * 200_000 + b'"\n', "field larger"),
    "a long label": (b"a,label\n1," + b"x" * 300 + b"\n2,y\n", "300 characters"),
    "rows without labels": (npy_bytes(np.zeros((3, 2, 2))), "without labels"),
    "objects": (npy_bytes(np.array([[{}, 1]], dtype=object)), "type object"),
    "dates": (npy_bytes(np.zeros(3, dtype=[("a", "M8[s]"), ("y", "i8")])), "proper npy header|not plain numbers"),
    "objects in columns": (npy_bytes(np.zeros(3, dtype=[("a", "O"), ("y", "i8")])), "type object"),
    "text among numbers": (npy_bytes(np.zeros(3, dtype=[("a", "U3"), ("y", "i8")])), "column a of data is no number"),
    "no characters": (
        npy_bytes(np.zeros(1, dtype=[("a", "f8"), ("y", "U1")]))[:-4] + b"\xff\xff\xff\x7f",
        "no Unicode",
    ),
    "a huge shape": (
        b"\x93NUMPY\x01\x00"
        + struct.pack("<H", 76)
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 9999999), }".ljust(75)
        + b"\n",
        "bytes of data for shape|columns",
    ),
    "no parquet": (b"PAR1" + b"\0" * 40 + b"PAR1", "not acceptable as parquet"),
    "no arrow": (b"ARROW1\0\0" + b"\xff" * 60, "not acceptable as arrow"),
    "no stream": (b"\xff\xff\xff\xff\xff\xff\xff\x7f" + b"\0" * 8, "not acceptable as arrow-stream"),
}


@pytest.mark.parametrize("name", FILES)
def test_refuses_files(tmp_path: Path, name: str) -> None:
    content, said = FILES[name]
    (tmp_path / "data").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_examples(tmp_path / "data")


def with_pickle_type(path: Path) -> None:
    field = pa.field("a", pa.int64(), metadata={"ARROW:extension:name": "arrow.py_extension_type"})
    schema = pa.schema([field, pa.field("label", pa.int64())])
    path.write_bytes(formats.stream_bytes(pa.table([[1, 2], [0, 1]], schema=schema)))


TABLES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pickle as a type": (with_pickle_type, "a type that is a pickle"),
    "text": (lambda path: parquet(path, {"a": ["x", "y"], "label": [0, 1]}), "column a of data is string"),
    "dates": (lambda path: parquet(path, {"a": pa.array([0, 1], pa.timestamp("s")), "label": [0, 1]}), "expected num"),
    "gaps": (lambda path: parquet(path, {"a": [1.0, None], "label": [0, 1]}), "column a of data has 1 gaps"),
    "label gaps": (lambda path: parquet(path, {"a": [1.0, 2.0], "label": ["x", None]}), "column label of data has 1"),
    "gaps in lists": (lambda path: parquet(path, {"a": [[1.0, None], [1.0, 2.0]], "label": [0, 1]}), "has 1 gaps"),
    "lists of two lengths": (lambda path: parquet(path, {"a": [[1.0], [1.0, 2.0, 3.0]], "label": [0, 1]}), "length"),
    "no lists at all": (
        lambda path: parquet(path, {"a": pa.array([[], []], pa.list_(pa.float64())), "label": [0, 1]}),
        "0 numbers",
    ),
    "lists of text": (lambda path: parquet(path, {"a": [["x"], ["y"]], "label": [0, 1]}), "expected numbers"),
    "deep lists": (lambda path: parquet(path, {"a": [[[[[[1.0]]]]]] * 2, "label": [0, 1]}), "expected numbers"),
    "an index": (lambda path: parquet(path, {"a": [1], "__index_level_0__": [0], "label": [0]}), "index of a data fr"),
    "two arrays": (lambda path: parquet(path, {"a": [[1.0]], "b": [[1.0]], "label": [0]}), "other columns beside"),
    "pictures by path": (
        lambda path: parquet(path, {"image": [{"bytes": None, "path": "/etc/passwd"}], "label": [0]}),
        "is a path, and no file outside",
    ),
    "no pictures": (
        lambda path: parquet(path, {"image": [{"bytes": b"GIF89a", "path": None}], "label": [0]}),
        "no PNG or JPEG",
    ),
    "fractions as labels": (lambda path: parquet(path, {"a": [1.0], "label": [0.5]}), "fractions"),
}


@pytest.mark.parametrize("name", TABLES)
def test_refuses_tables(tmp_path: Path, name: str) -> None:
    write, said = TABLES[name]
    write(tmp_path / "data")
    with pytest.raises(DataError, match=said):
        read_examples(tmp_path / "data")


def test_a_table_that_repeats_one_value_is_stopped_by_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parquet(tmp_path / "d", {"a": np.zeros(50_000), "label": np.zeros(50_000, dtype=int)})
    assert (tmp_path / "d").stat().st_size < 5_000
    monkeypatch.setattr(limits, "MAX_ROWS", 20_000)
    with pytest.raises(DataError, match="more than 20000 rows"):
        read_examples(tmp_path / "d")
    monkeypatch.setattr(limits, "MAX_ROWS", 10**6)
    monkeypatch.setattr(limits, "MAX_DATA_BYTES", 300_000)
    with pytest.raises(DataError, match="unpacks to more than"):
        read_examples(tmp_path / "d")


def bomb(side: int) -> bytes:
    """Return a small PNG of very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


GREY = formats.picture(np.zeros((2, 2)))

PICTURES: dict[str, tuple[dict[str, bytes], str]] = {
    "a bomb": ({"a/1": bomb(60_000), "b/1": GREY}, "too large|bomb"),
    "a damaged one": ({"a/1": GREY[:-30], "b/1": GREY}, "cannot be read"),
    "another size": ({"a/1": GREY, "b/1": formats.picture(np.zeros((2, 3)))}, "3 by 2 pixels in grey, the first pic"),
    "colour among grey": ({"a/1": GREY, "b/1": formats.picture(np.zeros((2, 2, 3)))}, "in colour"),
    "transparent": ({"a/1": formats.picture(np.zeros((2, 2, 4))), "b/1": GREY}, "kind RGBA"),
    "another file": ({"a/1": GREY, "b/Thumbs.db": b"x"}, "no PNG or JPEG"),
    "one class": ({"a/1": GREY, "a/2": GREY}, "one folder only"),
    "no class": ({"1": GREY}, "no data that is known"),
    "too deep": ({"a/b/1": GREY}, "no data that is known"),
    "very deep": ({"a/" * 12 + "1": GREY}, "folders deep"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_refuses_folders_of_pictures(tmp_path: Path, name: str) -> None:
    pictures, said = PICTURES[name]
    with pytest.raises(DataError, match=said):
        read_examples(formats.picture_folder(tmp_path / "d", pictures))


def test_no_link_in_a_folder_is_followed(tmp_path: Path) -> None:
    path = formats.picture_folder(tmp_path / "d", {"a/1": GREY, "b/1": GREY})
    (tmp_path / "secret").write_bytes(GREY)
    (path / "b" / "2").symlink_to(tmp_path / "secret")
    for read in (read_examples, digest_of):
        with pytest.raises(DataError, match="is a link or no file"):
            read(path)
    (path / "b" / "2").unlink()
    os.mkfifo(path / "b" / "2")
    with pytest.raises(DataError, match="is a link or no file"):
        read_examples(path)


def test_a_folder_of_too_many_files_or_bytes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = formats.picture_folder(tmp_path / "d", {"a/1": GREY, "b/1": GREY})
    monkeypatch.setattr(limits, "MAX_FILES", 1)
    with pytest.raises(DataError, match="more than 1 files"):
        read_examples(path)
    monkeypatch.setattr(limits, "MAX_FILES", 10)
    monkeypatch.setattr(limits, "MAX_DATA_BYTES", len(GREY) + 1)
    with pytest.raises(DataError, match="more than"):
        read_examples(path)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"_data_files": []}, "names no files"),
        ({"_data_files": [{"filename": "../../secret"}]}, "is not in the folder"),
        ({"_data_files": [{"filename": "/etc/passwd"}]}, "is not in the folder"),
        ({"_data_files": "x"}, "names no files"),
        ({"_indices_data_files": [{"filename": "i.arrow"}]}, "selection of rows"),
    ],
)
def test_refuses_lists_of_a_saved_data_set(tmp_path: Path, state: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_examples(formats.saved_dataset(tmp_path / "d", **state))


def test_of_several_splits_one_is_named(tmp_path: Path) -> None:
    formats.saved_dataset(tmp_path / "d" / "train")
    formats.saved_dataset(tmp_path / "d" / "test")
    (tmp_path / "d" / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "test"]}))
    with pytest.raises(DataError, match="has 2 splits: train, test"):
        read_examples(tmp_path / "d")
    assert read_examples(tmp_path / "d" / "test").source.rows == 4


def test_formats_without_columns_take_no_label(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no columns to choose"):
        read_examples(formats.npz(tmp_path / "d"), choice=Choice("y"))


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("npy_folder", "saved_dataset")])
@given(data=st.data())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_damaged_data_is_refused_with_words(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    path = WRITERS[name](tmp_path_factory.mktemp("damaged") / "data")
    files = sorted(each for each in [path, *path.rglob("*")] if each.is_file())
    damaged = data.draw(st.sampled_from(files))
    content = bytearray(damaged.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        examples = read_examples(path)
    except DataError:
        return
    assert np.isfinite(examples.x).all()
    assert len(examples.x) == len(examples.y.numbers)
