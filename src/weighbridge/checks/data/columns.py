"""Turn the columns of an Arrow table into examples: numbers, lists of numbers of one length, or pictures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.data import limits
from weighbridge.checks.data.labels import LabelColumn, Order, labels_of
from weighbridge.checks.data.limits import DataError, listed, shown_text
from weighbridge.checks.data.pictures import WHOLE_RANGE, decoded
from weighbridge.checks.data.raw import ENCODE, Choice, Raw, label_column

_MAX_METADATA: Final = 2**20
_MAX_NESTING: Final = 4
_INDEX: Final = "__index_level_"
_GAPS: Final = "Fill gaps as it was done for training, or leave out such rows."


def table_examples(
    pa: Any,  # noqa: ANN401 - pyarrow has no types
    table: Any,  # noqa: ANN401
    *,
    metadata: Mapping[bytes, bytes] | None,
    kind: str,
    what: str,
    choice: Choice,
) -> Raw:
    """Return the examples of a table whose size and content were checked.

    Raises:
        DataError: A column is of another type or has gaps, or the label column is not known.
    """
    names = tuple(map(str, table.column_names))
    index = [name for name in names if name.startswith(_INDEX)]
    if index:
        raise DataError(
            f"{what} has the index of a data frame as a column, {index[0]}",
            remedy="Write it without: to_parquet(path, index=False).",
        )
    place = label_column(names, width=len(names), label=choice.label, what=what)
    columns = _Columns(pa, what)
    y = columns.labels(table.column(place), name=names[place], declared=_declared(metadata, names[place]))
    others = [each for each in range(len(names)) if each != place]
    pictures = [each for each in others if columns.is_picture(table.column(each).type)]
    nested = [each for each in others if columns.is_list(table.column(each).type)]
    if len(others) == 1 and pictures:
        x = columns.pictures(table.column(others[0]), choice.bounds)
        return Raw(kind, x, y, label=names[place], bounds=None if choice.bounds is not None else WHOLE_RANGE)
    if len(others) == 1 and nested:
        return Raw(kind, columns.arrays(table.column(others[0]), names[others[0]]), y, label=names[place])
    if pictures or nested:
        raise DataError(
            f"{what} has arrays or pictures in {listed([names[each] for each in (*pictures, *nested)])} and other "
            "columns beside them",
            remedy="Keep that one column and the label.",
        )
    if table.num_rows * len(others) > limits.MAX_NUMBERS:
        raise DataError(
            f"{what} has {table.num_rows} rows of {len(others)} numbers; at most {limits.MAX_NUMBERS} in all"
        )
    x = np.stack([columns.numbers(table.column(each), names[each]) for each in others], axis=1)
    return Raw(kind, x, y, label=names[place])


def _declared(metadata: Mapping[bytes, bytes] | None, label: str) -> tuple[str, ...]:
    # Hugging Face keeps the names of classes beside the schema, and numbers in the column.
    text = (metadata or {}).get(b"huggingface", b"")
    try:
        feature = json.loads(text)["info"]["features"][label] if 0 < len(text) <= _MAX_METADATA else {}
        names = feature["names"] if feature.get("_type") == "ClassLabel" else []
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()
    if not isinstance(names, list) or len(names) > limits.MAX_CLASSES:
        return ()
    valid = all(isinstance(name, str) and 0 < len(name) <= limits.MAX_LABEL for name in names)
    return tuple(names) if valid and len(set(names)) == len(names) else ()


class _Columns:
    def __init__(self, pa: Any, what: str) -> None:  # noqa: ANN401
        self._pa, self._what = pa, what

    def is_picture(self, kind: Any) -> bool:  # noqa: ANN401
        if not self._pa.types.is_struct(kind):
            return False
        return {kind.field(place).name for place in range(kind.num_fields)} == {"bytes", "path"}

    def is_list(self, kind: Any) -> bool:  # noqa: ANN401
        types = self._pa.types
        kind = getattr(kind, "storage_type", kind)
        return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))

    def numbers(self, column: Any, name: str) -> NDArray[Any]:  # noqa: ANN401
        return self._plain(self._whole(column), name).astype(np.float64)

    def arrays(self, column: Any, name: str) -> NDArray[Any]:  # noqa: ANN401
        values, shape = self._whole(column), [len(column)]
        for _ in range(_MAX_NESTING):
            if not self.is_list(values.type):
                break
            self._require_no_gaps(values, name)
            flat = values.flatten()
            if len(values) == 0 or len(flat) % len(values) or not self._even(values, len(flat) // len(values)):
                raise DataError(
                    f"lists in column {shown_text(name)} of {self._what} differ in length",
                    remedy="Give all examples the one shape that the model is given.",
                )
            shape.append(len(flat) // len(values))
            values = flat
        if math.prod(shape) > limits.MAX_NUMBERS:
            raise DataError(f"{self._what} has examples of shape {tuple(shape[1:])}; that is too much in all")
        return self._plain(values, name).reshape(shape)

    def _even(self, values: Any, length: int) -> bool:  # noqa: ANN401
        if self._pa.types.is_fixed_size_list(values.type):
            return True
        return bool((np.diff(values.offsets.to_numpy()) == length).all())

    def pictures(self, column: Any, bounds: tuple[float, float] | None) -> NDArray[Any]:  # noqa: ANN401
        return decoded(self._blobs(column), count=len(column), bounds=bounds, what=self._what)

    def _blobs(self, column: Any) -> Iterator[tuple[str, bytes]]:  # noqa: ANN401
        blobs = self._whole(column).field("bytes")
        for place in range(len(blobs)):
            blob = blobs[place].as_py()
            if not isinstance(blob, bytes):
                raise DataError(
                    f"picture {place} of {self._what} is a path, and no file outside the data is read",
                    remedy="Embed the pictures in the data, or give a folder of pictures for each class.",
                )
            yield f"picture {place}", blob

    def labels(self, column: Any, *, name: str, declared: tuple[str, ...]) -> LabelColumn:  # noqa: ANN401
        types, values = self._pa.types, self._whole(column)
        if types.is_dictionary(values.type):
            values = values.dictionary_decode()
        self._require_no_gaps(values, name)
        if types.is_string(values.type) or types.is_large_string(values.type):
            texts = values.to_pylist()
            longest = max(map(len, texts), default=0)
            if longest > limits.MAX_LABEL:
                raise DataError(
                    f"a label of {self._what} has {longest} characters; at most {limits.MAX_LABEL} are read"
                )
            return labels_of(np.array(texts, dtype=np.str_), what=self._what)
        found = labels_of(self._plain(values, name), what=self._what)
        within = bool(declared) and len(found.numbers) > 0
        if within and int(found.numbers.min()) >= 0 and int(found.numbers.max()) < len(declared):
            return LabelColumn(found.numbers, declared, Order.DECLARED)
        return found

    def _whole(self, column: Any) -> Any:  # noqa: ANN401
        values = column.combine_chunks() if hasattr(column, "combine_chunks") else column
        if isinstance(values, self._pa.ChunkedArray):
            values = values.chunk(0) if values.num_chunks else self._pa.array([], type=values.type)
        return getattr(values, "storage", values)

    def _plain(self, values: Any, name: str) -> NDArray[Any]:  # noqa: ANN401
        types = self._pa.types
        self._require_no_gaps(values, name)
        if types.is_boolean(values.type):
            values = values.cast(self._pa.int8())
        elif types.is_decimal(values.type):
            values = values.cast(self._pa.float64())
        if not (types.is_integer(values.type) or types.is_floating(values.type)):
            raise DataError(
                f"column {shown_text(name)} of {self._what} is {str(values.type)[:60]}, expected numbers", remedy=ENCODE
            )
        found: NDArray[Any] = values.to_numpy(zero_copy_only=False)
        return found

    def _require_no_gaps(self, values: Any, name: str) -> None:  # noqa: ANN401
        if values.null_count:
            raise DataError(f"column {shown_text(name)} of {self._what} has {values.null_count} gaps", remedy=_GAPS)
