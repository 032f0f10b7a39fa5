"""Data files: what is read, and everything that is refused."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.runners.trained import save_examples

from weighbridge.checks.data.examples import read_examples
from weighbridge.checks.data.limits import DataError

X = np.linspace(0, 1, 12).reshape(3, 4)
Y = np.array([0, 1, 1])


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as target:
        for name, content in members.items():
            target.writestr(name, content)
    return path


def test_reads_rows_labels_and_identity(tmp_path: Path) -> None:
    path = save_examples(tmp_path / "data.npz", X.astype(np.float32), Y)
    examples = read_examples(path)
    assert examples.x.dtype == np.float64
    assert examples.x == pytest.approx(X, abs=1e-7)
    assert examples.y.numbers.tolist() == [0, 1, 1]
    assert examples.bounds == (0.0, 1.0)
    assert examples.source.rows == 3
    assert examples.source.name == "data.npz"
    assert examples.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert examples.image is None


@pytest.mark.parametrize(
    ("shape", "image"), [((3, 2, 2), (1, 2, 2)), ((3, 1, 2, 2), (1, 2, 2)), ((3, 2, 2, 1), None), ((3, 4), None)]
)
def test_tells_pictures_by_their_shape(tmp_path: Path, shape: tuple[int, ...], image: object) -> None:
    examples = read_examples(save_examples(tmp_path / "d.npz", X.reshape(shape), Y))
    assert examples.image == image
    assert examples.x.shape == (3, 4)


def test_reads_columns_first_arrays_and_compression(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "d.npz", x=np.asfortranarray(X), y=Y)
    assert np.array_equal(read_examples(tmp_path / "d.npz").x, X)


def test_uses_given_bounds(tmp_path: Path) -> None:
    path = save_examples(tmp_path / "d.npz", X * 255, Y, bounds=np.array([0.0, 255.0]))
    assert read_examples(path).bounds == (0.0, 255.0)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": X}, "expected x, y"),
        ({"x": X, "y": Y, "z": Y}, "expected x, y"),
        ({"x": X.ravel(), "y": Y}, "has shape"),
        ({"x": X, "y": Y + 0.5}, "fractions"),
        ({"x": X, "y": np.array([b"a", b"b", b"c"])}, "plain numbers"),
        ({"x": X, "y": np.array(["a" * 300, "b", "c"])}, "256 characters"),
        ({"x": X, "y": np.eye(3)}, "one label a row"),
        ({"x": X, "y": Y[:2]}, "3 rows and 2 labels"),
        ({"x": X[:0], "y": Y[:0]}, "0 rows"),
        ({"x": np.zeros((3, 0)), "y": Y}, "has 0 numbers"),
        ({"x": X * 2, "y": Y, "bounds": np.array([0.0, 1.0])}, "outside the bounds"),
        ({"x": X - 0.5, "y": Y, "bounds": np.array([0.0, 1.0])}, "outside the bounds"),
        ({"x": np.full((3, 4), 7.0), "y": Y}, "every number"),
        ({"x": np.full((3, 4), np.nan), "y": Y}, "not finite"),
        ({"x": X, "y": Y, "bounds": np.array([0.0])}, "two numbers"),
        ({"x": X, "y": Y, "bounds": np.array([1.0, 0.0])}, "lower first"),
        ({"x": X, "y": Y, "bounds": np.array([0.0, np.inf])}, "finite"),
        ({"x": X.astype(str), "y": Y}, "plain numbers"),
        ({"x": X.astype(complex), "y": Y}, "plain numbers"),
        ({"x": X.astype(np.longdouble), "y": Y}, "wider than 64"),
        ({"x": X, "y": np.array([0, 1, 2**64 - 1], dtype=np.uint64)}, "64 bits"),
    ],
)
def test_refuses_arrays_that_cannot_be_used(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(DataError, match=said):
        read_examples(tmp_path / "d.npz")


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (-3.0, 500.0), (0.0, 5e-324), (-1.7e308, 1.7e308), (1e15, 1e15 + 8)])
def test_examples_that_no_model_can_tell_apart_are_not_distinct(tmp_path: Path, bounds: tuple[float, float]) -> None:
    # The second base lies on multiples of 1/1024, where noise of any size would cross an edge of a plain grid.
    rng = np.random.default_rng(0)
    base = np.stack([rng.uniform(0.1, 0.9, 16), rng.integers(1, 1024, 16) / 1024])
    noisy = np.repeat(base, 100, axis=0) + rng.uniform(-1e-12, 1e-12, (200, 16))
    half = bounds[1] / 2 - bounds[0] / 2
    x = np.clip(bounds[0] + half * noisy + half * noisy, *bounds)
    path = save_examples(tmp_path / "t.npz", x, np.repeat([0, 1], 100), bounds=np.array(bounds))
    distinct = read_examples(path).source.distinct
    assert distinct is not None
    assert distinct <= 2


def test_examples_that_differ_by_a_level_of_grey_are_distinct(tmp_path: Path) -> None:
    x = np.full((256, 4), 100) + np.eye(4, dtype=int)[np.arange(256) % 4] * np.arange(256)[:, None] // 4
    assert len(np.unique(x, axis=0)) == 253
    path = save_examples(tmp_path / "t.npz", x, np.zeros(256, dtype=int), bounds=np.array([0, 255]))
    assert read_examples(path).source.distinct == 253
    assert (
        read_examples(save_examples(tmp_path / "c.npz", np.repeat(X, 3, axis=0), np.repeat(Y, 3))).source.distinct == 3
    )


def test_refuses_objects_without_unpickling(tmp_path: Path) -> None:
    touched = tmp_path / "touched"

    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (touched,))

    hostile = npy(np.array([Payload()], dtype=object), allow_pickle=True)
    path = archive(tmp_path / "d.npz", {"x.npy": hostile, "y.npy": npy(Y)})
    with pytest.raises(DataError, match="plain numbers"):
        read_examples(path)
    assert not touched.exists()


def test_refuses_header_that_promises_more_than_there_is(tmp_path: Path) -> None:
    huge = npy(X).replace(b"(3, 4), }  ", b"(3, 4000)}")
    assert huge != npy(X)
    with pytest.raises(DataError):
        read_examples(archive(tmp_path / "d.npz", {"x.npy": huge, "y.npy": npy(Y)}))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), ",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 4L), }\n",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-3, 4), }\n",
        b"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3, 4), }\n",
        b"{'descr': '<q99', 'fortran_order': False, 'shape': (3, 4), }\n",
        b"+'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }\n",
        b"__import__('os')\n",
    ],
)
def test_refuses_headers_that_numpy_does_not_write(tmp_path: Path, header: bytes) -> None:
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + X.tobytes()
    with pytest.raises(DataError, match=r"header|type"):
        read_examples(archive(tmp_path / "d.npz", {"x.npy": content, "y.npy": npy(Y)}))


def test_reads_headers_of_version_two(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, X, version=(2, 0))
    examples = read_examples(archive(tmp_path / "d.npz", {"x.npy": stream.getvalue(), "y.npy": npy(Y)}))
    assert np.array_equal(examples.x, X)


def test_refuses_trailing_bytes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="bytes of data"):
        read_examples(archive(tmp_path / "d.npz", {"x.npy": npy(X) + b"\0", "y.npy": npy(Y)}))


def test_refuses_zip_bomb_by_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.savez_compressed(tmp_path / "d.npz", x=np.zeros((1000, 100)), y=np.zeros(1000, dtype=int))
    monkeypatch.setattr("weighbridge.checks.data.limits.MAX_DATA_BYTES", 100_000)
    assert (tmp_path / "d.npz").stat().st_size < 100_000
    with pytest.raises(DataError, match="unpacks to"):
        read_examples(tmp_path / "d.npz")


def test_refuses_large_file_and_missing_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_examples(tmp_path / "d.npz", X, Y)
    monkeypatch.setattr("weighbridge.checks.data.limits.MAX_DATA_BYTES", 10)
    with pytest.raises(DataError, match="more than 10 bytes"):
        read_examples(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_examples(tmp_path / "absent.npz")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_refuses_member_that_appears_twice(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as target:
        for name in ("x.npy", "y.npy", "x.npy"):
            target.writestr(name, npy(X if name == "x.npy" else Y))
    with pytest.raises(DataError, match="expected x, y"):
        read_examples(tmp_path / "d.npz")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damaged_file_is_refused_or_read_but_never_crashes(tmp_path: Path, data: st.DataObject) -> None:
    path = save_examples(tmp_path / "d.npz", X, Y)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        examples = read_examples(path)
    except DataError:
        return
    assert np.isfinite(examples.x).all()
    assert len(examples.x) == len(examples.y.numbers)
