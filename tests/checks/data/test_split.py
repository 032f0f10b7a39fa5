"""Members and non-members: every row once, no row on both sides, the same for the same seed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.checks.data import formats
from tests.checks.runners.trained import save_examples

from weighbridge.checks.data.examples import Examples, read_examples
from weighbridge.checks.data.limits import DataError
from weighbridge.checks.data.split import convert, divide

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 9, (200, 3))
Y = np.repeat(["a", "b"], [150, 50])


def examples(path: Path, x: Any = X, y: Any = Y) -> Examples:
    return read_examples(save_examples(path / "d.npz", x, y))


def arrays(content: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        return dict(found)


def test_each_row_comes_to_one_side_and_each_class_is_divided_alike(tmp_path: Path) -> None:
    found = divide(examples(tmp_path), members=0.6, seed=0)
    inside, outside = arrays(found.members), arrays(found.non_members)
    assert sorted(map(tuple, [*inside["x"], *outside["x"]])) == sorted(map(tuple, X))
    assert [(inside["y"] == name).sum() for name in "ab"] == [90, 30]
    assert inside["bounds"].tolist() == outside["bounds"].tolist() == [X.min(), X.max()]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    data = examples(tmp_path)
    first, again, other = (divide(data, members=0.5, seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first.members != other.members


def test_copies_of_a_row_stay_together(tmp_path: Path) -> None:
    found = divide(examples(tmp_path, np.repeat(X[:40], 5, axis=0)), members=0.5, seed=0)
    inside, outside = (set(map(tuple, arrays(each)["x"])) for each in (found.members, found.non_members))
    assert not inside & outside
    assert len(inside) + len(outside) == 40


def test_what_was_written_is_read_again_with_its_shape_and_labels(tmp_path: Path) -> None:
    pictures = {f"{name}/{place}": formats.picture(RNG.integers(0, 256, (4, 4))) for name in "xy" for place in range(9)}
    data = read_examples(formats.picture_folder(tmp_path / "p", pictures))
    (tmp_path / "m.npz").write_bytes(divide(data, members=0.5, seed=0).members)
    again = read_examples(tmp_path / "m.npz")
    assert again.shape == (4, 4)
    assert again.y.names == ("x", "y")
    assert again.bounds == (0.0, 1.0)


def test_a_split_that_is_there_is_taken_without_rows_that_were_trained_on(tmp_path: Path) -> None:
    train = examples(tmp_path, X[:120], Y[:120])
    test = examples(tmp_path, X[110:], Y[110:])
    found = convert(train, test)
    assert found.rows == (120, 80)
    assert found.left_out == 10
    assert np.array_equal(arrays(found.non_members)["x"], X[120:])
    assert found.bounds == (X.min(), X.max())


def test_refuses_sides_that_do_not_belong_together(tmp_path: Path) -> None:
    train = examples(tmp_path)
    with pytest.raises(DataError, match=r"shape \(3,\), d.npz of \(2,\)"):
        convert(train, examples(tmp_path, X[:, :2]))
    with pytest.raises(DataError, match="text in one and numbers"):
        convert(train, examples(tmp_path, X + 1, np.arange(200)))
    with pytest.raises(DataError, match="a side has no rows"):
        convert(train, train)
    with pytest.raises(DataError, match="a side has no rows"):
        divide(examples(tmp_path, np.ones((5, 3)) * [1, 2, 3], Y[:5]), members=0.5, seed=0)
