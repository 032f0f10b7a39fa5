"""Look for training rows inside a model's file.

Nearest neighbours, support vectors, kernel machines and Gaussian processes keep rows of their training data as they
are, so whoever holds the file holds the data. A row that the model keeps after a scaler is found too, when the scaler
is a step of a pipeline in front. Rows hidden on purpose (permuted, encrypted, shifted) are not found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.leakage.onnx_arrays import MAX_ONNX_BYTES, onnx_arrays
from weighbridge.checks.leakage.rows import RowIndex
from weighbridge.checks.runners.entries import Entry, Loaded, files_beside
from weighbridge.checks.runners.interface import Floats, RunnerError

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Verbatim:
    """How many rows of each side were found, in how many arrays, and how many of the members were looked up."""

    members: int
    non_members: int
    arrays: int
    looked_up: int


def find_rows(entry: Entry, loaded: Loaded, *, members: Floats, non_members: Floats) -> Verbatim:
    """Look for rows of both data sets in every array of a model file.

    Raises:
        RunnerError: The file's arrays cannot all be examined.
    """
    if loaded.content is None:
        # The runner has opened it with the same files, so they lie inside the model.
        beside = {name: file for name, file in files_beside(entry).items() if file.name in loaded.beside}
        arrays = onnx_arrays(entry.read(limit=MAX_ONNX_BYTES), beside=beside)
        views = [(members, non_members)]
    else:
        from weighbridge.checks.leakage.object_arrays import contents_of

        contents = contents_of(loaded.content)
        arrays = contents.arrays
        views = [(members, non_members)]
        for pipeline in contents.pipelines:
            views.extend(_transformed(pipeline, members, non_members))
    found: tuple[set[int], set[int]] = (set(), set())
    looked_up: tuple[set[int], set[int]] = (set(), set())
    for view in views:
        for side in (0, 1):
            index = RowIndex(view[side])
            found[side].update(index.found_in(arrays))
            looked_up[side].update(index.rows)
    return Verbatim(members=len(found[0]), non_members=len(found[1]), arrays=len(arrays), looked_up=len(looked_up[0]))


def _transformed(pipeline: Any, members: Floats, non_members: Floats) -> list[tuple[Floats, Floats]]:  # noqa: ANN401
    views: list[tuple[Floats, Floats]] = []
    current = (members, non_members)
    for _, step in pipeline.steps[:-1]:
        if step is None or step == "passthrough":
            continue
        try:
            current = (_table(step.transform(current[0])), _table(step.transform(current[1])))
        except Exception as error:  # a loaded step raises what it likes
            raise RunnerError(f"a step of the pipeline failed: {type(error).__name__}: {str(error)[:200]}") from None
        views.append(current)
    return views


def _table(answer: Any) -> Floats:  # noqa: ANN401
    dense = answer.toarray() if hasattr(answer, "toarray") else answer
    table: Floats = np.asarray(dense, dtype=np.float64)
    return table
