"""Labels that are text, in models and in data: matched by name, never by luck."""

from __future__ import annotations

import numpy as np
import pytest

from weighbridge.checks.data.labels import LabelColumn, Order, classes_of, labels_of, labels_of_text
from weighbridge.checks.data.limits import DataError
from weighbridge.checks.runners.interface import RunnerError


def text(*names: str) -> LabelColumn:
    return labels_of(np.array(names), what="d")


def numbers(*labels: int) -> LabelColumn:
    return LabelColumn(np.array(labels))


def matched(*columns: LabelColumn, classes: int = 3, names: tuple[str, ...] = ()) -> list[list[int]]:
    found = classes_of(columns, classes=np.arange(classes), names=names)
    return [each.tolist() for each in found]


def test_names_are_matched_with_names_in_the_order_of_the_models_columns() -> None:
    assert matched(text("b", "a", "b"), names=("b", "a", "c")) == [[0, 1, 0]]


def test_a_name_that_the_model_does_not_know_is_refused_with_those_that_it_knows() -> None:
    with pytest.raises(RunnerError, match="labels z of the data are no classes of the model, which knows a, b"):
        matched(text("a", "z"), names=("a", "b"))
    with pytest.raises(RunnerError, match="labels 7 of the data"):
        matched(numbers(7), names=("a", "b"))


def test_numbers_and_numbers_as_text_are_the_same() -> None:
    assert matched(numbers(5, 3), names=("3", "5")) == [[1, 0]]
    column = text("5", "3")
    assert [each.tolist() for each in classes_of((column,), classes=np.array([3, 5, 9]), names=())] == [[5, 3]]


def test_names_for_a_model_of_numbers_have_the_order_of_the_alphabet_over_all_data() -> None:
    assert matched(text("dog", "cat"), text("emu", "cat")) == [[1, 0], [2, 0]]


def test_fewer_names_than_classes_are_not_guessed() -> None:
    with pytest.raises(RunnerError, match="which is which cannot be told"):
        matched(text("dog", "cat"))


def test_numbers_as_text_that_the_alphabet_orders_otherwise_are_not_guessed() -> None:
    names = [str(each) for each in range(11)]
    with pytest.raises(RunnerError, match="cannot be told"):
        matched(text(*names), classes=11)
    assert matched(text(*names[:10]), classes=10) == [list(range(10))]
    padded = [f"{each:02}" for each in range(11)]
    assert matched(text(*padded), classes=11) == [list(range(11))]


def test_a_numbering_of_the_datas_own_is_kept() -> None:
    column = LabelColumn(np.array([0, 1]), ("zebra", "ant"), Order.DECLARED)
    assert matched(column, classes=2) == [[0, 1]]
    assert matched(column, classes=2, names=("ant", "zebra")) == [[1, 0]]


@pytest.mark.parametrize(
    ("texts", "found", "names"),
    [
        (["1", "0"], [1, 0], ()),
        (["1.0", "0.0"], [1, 0], ()),
        (["-1", "1"], [-1, 1], ()),
        (["01", "1"], [1, 1], ()),
        (["b", "a", "1"], [2, 1, 0], ("1", "a", "b")),
    ],
)
def test_labels_of_a_text_file_are_numbers_where_all_of_them_are(
    texts: list[str], found: list[int], names: tuple[str, ...]
) -> None:
    column = labels_of_text(texts, what="d")
    assert column.numbers.tolist() == found
    assert column.names == names


@pytest.mark.parametrize("texts", [["0.5", "1"], ["nan", "1"], ["inf", "1"], ["1e300", "1"]])
def test_values_to_predict_are_no_labels(texts: list[str]) -> None:
    with pytest.raises(DataError, match="fractions"):
        labels_of_text(texts, what="d")
