"""Read tables in Parquet and Arrow (files, streams, Feather) through pyarrow, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from weighbridge.checks.data import limits
from weighbridge.checks.data.columns import table_examples
from weighbridge.checks.data.kinds import Kind
from weighbridge.checks.data.limits import DataError
from weighbridge.checks.data.raw import Choice, Raw

_ROWS_A_BATCH: Final = 8_192
_PICKLED: Final = "arrow.py_extension_type"


def read_arrow(blobs: Iterable[bytes], *, kind: Kind, what: str, choice: Choice) -> Raw:
    """Read one table, which may be in several parts of one schema.

    Raises:
        DataError: pyarrow is not installed or refuses a part; the table is too large, has types that are no numbers,
            or its label column is not known.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        raise DataError(
            f"{what} is {kind}, and pyarrow is not installed",
            remedy="Install it where the check runs: pip install 'weighbridge[data]'. Or save it as CSV or npz.",
        ) from None
    try:
        opened = [_open(pa, pq, blob, kind) for blob in blobs]
        schema = opened[0].schema_arrow if kind is Kind.PARQUET else opened[0].schema
        _require_plain(schema, what)
        batches = list(_limited((batch for part in opened for batch in _batches(part, kind)), what))
        table = pa.Table.from_batches(batches, schema=batches[0].schema if batches else schema)
        table.validate(full=True)
        return table_examples(pa, table, metadata=schema.metadata, kind=kind.value, what=what, choice=choice)
    except pa.ArrowException as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DataError(f"{what} is not acceptable as {kind}: {line[:300]}") from None
    except OSError as error:
        raise DataError(f"{what} is not acceptable as {kind}: {str(error)[:300]}") from None


def _open(pa: Any, pq: Any, blob: bytes, kind: Kind) -> Any:  # noqa: ANN401 - pyarrow has no types
    if kind is Kind.PARQUET:
        return pq.ParquetFile(pa.BufferReader(blob), page_checksum_verification=True)
    options = pa.ipc.IpcReadOptions(use_threads=False)
    if kind is Kind.ARROW_FILE:
        return pa.ipc.open_file(pa.py_buffer(blob), options=options)
    return pa.ipc.open_stream(pa.py_buffer(blob), options=options)


def _batches(part: Any, kind: Kind) -> Iterator[Any]:  # noqa: ANN401
    if kind is Kind.PARQUET:
        yield from part.iter_batches(batch_size=_ROWS_A_BATCH, use_threads=False)
    elif kind is Kind.ARROW_FILE:
        yield from (part.get_batch(place) for place in range(part.num_record_batches))
    else:
        yield from part


def _limited(batches: Iterable[Any], what: str) -> Iterator[Any]:
    # What a file says of its own size is not believed: a few bytes can repeat one value a billion times.
    rows = size = 0
    for batch in batches:
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows > limits.MAX_ROWS:
            raise DataError(f"{what} has more than {limits.MAX_ROWS} rows", remedy="Give fewer examples.")
        if size > limits.MAX_DATA_BYTES:
            raise DataError(f"{what} unpacks to more than {limits.MAX_DATA_BYTES} bytes", remedy="Give fewer examples.")
        yield batch


def _require_plain(schema: Any, what: str) -> None:  # noqa: ANN401
    if len(schema) > limits.MAX_COLUMNS:
        raise DataError(f"{what} has {len(schema)} columns; at most {limits.MAX_COLUMNS} are read")
    for field in schema:
        named = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode("utf-8", errors="replace")
        if _PICKLED in (named, getattr(field.type, "extension_name", "")):
            raise DataError(
                f"column {limits.shown_text(field.name)} of {what} has a type that is a pickle ({_PICKLED})",
                remedy="Write the column as plain numbers or lists of them.",
            )
