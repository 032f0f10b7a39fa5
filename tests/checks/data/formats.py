"""The same labelled rows in every format, written by the tools that people write them with."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
from PIL import Image

X = np.array([[0.5, 1.5, 2.5], [3.5, 4.5, 5.5], [6.5, 7.5, 8.5], [9.5, 0.5, 1.5]])
NAMES = ["dog", "cat", "dog", "emu"]
COLUMNS = ("a", "b", "c")


def arrow_table(**more: Any) -> Any:
    return pa.table({**{name: X[:, place] for place, name in enumerate(COLUMNS)}, "label": NAMES, **more})


def npy_bytes(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def csv_text(delimiter: str = ",", *, names: tuple[str, ...] = (*COLUMNS, "label")) -> str:
    rows = [[*map(str, row), name] for row, name in zip(X.tolist(), NAMES, strict=True)]
    return "\n".join(delimiter.join(row) for row in ([list(names)] if names else []) + rows) + "\n"


def stream_bytes(table: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def npz(path: Path) -> Path:
    with path.open("wb") as stream:
        np.savez(stream, x=X, y=np.array(NAMES))
    return path


def csv(path: Path) -> Path:
    path.write_text(csv_text())
    return path


def semicolons(path: Path) -> Path:
    path.write_bytes(b"\xef\xbb\xbf" + csv_text(";").replace("\n", "\r\n").encode())
    return path


def tabs(path: Path) -> Path:
    path.write_text(csv_text("\t"))
    return path


def structured(path: Path) -> Path:
    rows = [(*row, name) for row, name in zip(X.tolist(), NAMES, strict=True)]
    path.write_bytes(npy_bytes(np.array(rows, dtype=[("a", "f8"), ("b", "f8"), ("c", "f4"), ("label", "U8")])))
    return path


def npy_folder(path: Path) -> Path:
    path.mkdir()
    np.save(path / "x.npy", X)
    np.save(path / "y.npy", np.array(NAMES))
    return path


def parquet(path: Path) -> Path:
    pa.parquet.write_table(arrow_table(), path)
    return path


def feather(path: Path) -> Path:
    pa.feather.write_feather(arrow_table(), str(path))
    return path


def arrow_stream(path: Path) -> Path:
    path.write_bytes(stream_bytes(arrow_table()))
    return path


def dictionary(path: Path) -> Path:
    table = arrow_table()
    place = table.schema.get_field_index("label")
    pa.parquet.write_table(table.set_column(place, "label", table.column("label").dictionary_encode()), path)
    return path


def lists(path: Path) -> Path:
    pa.parquet.write_table(pa.table({"x": pa.array(X.tolist()), "label": NAMES}), path)
    return path


def saved_dataset(path: Path, table: Any = None, **state: Any) -> Path:
    """Write what ``save_to_disk`` of datasets 4.4 writes, in two parts."""
    table = arrow_table() if table is None else table
    path.mkdir(parents=True)
    names = ["data-00000-of-00002.arrow", "data-00001-of-00002.arrow"]
    for name, part in zip(names, (table.slice(0, 1), table.slice(1)), strict=True):
        (path / name).write_bytes(stream_bytes(part))
    listed = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "0", "_split": None, **state}
    (path / "state.json").write_text(json.dumps(listed))
    (path / "dataset_info.json").write_text(json.dumps({"features": {}}))
    return path


def split_dataset(path: Path) -> Path:
    saved_dataset(path / "train")
    (path / "dataset_dict.json").write_text(json.dumps({"splits": ["train"]}))
    return path


WRITERS: dict[str, Callable[[Path], Path]] = {
    each.__name__: each
    for each in (
        npz,
        csv,
        semicolons,
        tabs,
        structured,
        npy_folder,
        parquet,
        feather,
        arrow_stream,
        dictionary,
        lists,
        saved_dataset,
        split_dataset,
    )
}


def picture(levels: Any, *, form: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.asarray(levels, dtype=np.uint8)).save(stream, form, **options)
    return stream.getvalue()


def picture_folder(path: Path, pictures: dict[str, bytes]) -> Path:
    for name, content in pictures.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path
