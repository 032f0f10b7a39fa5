"""Run an ONNX classifier with ONNX Runtime on the CPU.

Accepted signatures: one numeric input ``(n, d)``, ``(n, 1, h, w)`` or ``(n, h, w)`` (any rank of two or more whose
fixed lengths fit the rows); one output with scores as a tensor ``(n, classes)``, or as the sequence of maps that
skl2onnx's ZipMap makes, and at most one tensor ``(n,)`` or ``(n, 1)`` with the model's own decision: whole numbers, or
text where the maps have text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from packaging.version import Version

from weighbridge.checks.interface import ModelFile
from weighbridge.checks.model_scan.onnx import external_locations
from weighbridge.checks.reading import mapped
from weighbridge.checks.runners.interface import Answers, Floats, Labels, RunnerError, checked_scores
from weighbridge.errors import InputError

_INPUT_TYPES: Final = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
}
_LABEL_TYPES: Final = frozenset({"tensor(int64)", "tensor(int32)"})
_SCORE_TYPES: Final = frozenset({"tensor(float)", "tensor(double)", "tensor(float16)"})
_TEXT: Final = "tensor(string)"
_MAP_TYPES: Final = frozenset(
    f"seq(map({key},tensor({value})))" for key in ("int64", "string") for value in ("float", "double")
)
_SILENT: Final = 4
_NOWHERE: Final = "/proc/self/fdinfo/none"
_TAKES_A_FOLDER: Final = Version("1.22")
"""First ONNX Runtime that can be told where it may look for numbers."""

MAX_ONNX_BYTES: Final = 2 * 1024**3
"""Largest ONNX file that is opened; protobuf itself allows no more, and numbers beside it are not counted."""

MAX_ROWS_A_CALL: Final = 16_384
"""Rows that go into one call, so that memory stays bounded."""


class OnnxRunner:
    """An ONNX Runtime session as a ``Runner``."""

    framework = "onnxruntime"
    decides_at_once = True

    def __init__(
        self, content: bytes, *, name: str, features: int, threads: int, beside: Mapping[str, ModelFile] | None = None
    ) -> None:
        """Open a file's bytes for rows of so many features on so many threads.

        ``beside`` are the files of the model that it may name as external data, by the name that it uses; ``external``
        has those that it does name. Nothing is opened by the runtime itself.

        Raises:
            RunnerError: The runtime refuses the file, or its signature is not a classifier's.
        """
        self._name = PurePosixPath(name).name
        self.external = _external(content, self._name, beside or {})
        self._session = _open(content, self._name, threads, self.external)
        self._input, self._shape, self._dtype = _input_of(self._session, features, self._name)
        self._scores, self._label, self._zipped = _outputs_of(self._session, self._name)
        self._fixed = self._shape[0] if isinstance(self._shape[0], int) else None
        # One row tells the classes; a model that cannot answer it is refused here and not in the midst of a check.
        self.classes: Labels = np.zeros(0, dtype=np.int64)
        self.names: tuple[str, ...] = ()
        self._places: dict[str, int] = {}
        self._keys = self._probe(features)
        if any(isinstance(key, str) for key in self._keys):
            self.names = tuple(map(str, self._keys))
        self._places = {name: place for place, name in enumerate(self.names)}
        self.classes = np.arange(len(self.names)) if self.names else np.array(self._keys, dtype=np.int64)

    def scores(self, batch: Floats, /) -> Floats:
        """Return finite scores; see ``Runner``."""
        return self.answers(batch).scores

    def labels(self, batch: Floats, /) -> Labels | None:
        """Return the integer output where the model has one; see ``Runner``."""
        return self.answers(batch).labels

    def answers(self, batch: Floats, /) -> Answers:
        """Return scores and the integer output of one call; see ``Runner``."""
        step = self._fixed or MAX_ROWS_A_CALL
        parts = [self._chunk(batch[start : start + step]) for start in range(0, len(batch), step)]
        scores = np.concatenate([part[0] for part in parts])
        if self._label is None:
            return Answers(scores, None)
        return Answers(scores, np.concatenate([part[1] for part in parts if part[1] is not None]))

    def _probe(self, features: int) -> list[int] | list[str]:
        raw = self._call(np.zeros((1, features)))[0]
        if not self._zipped:
            return list(range(checked_scores(raw, rows=1, what=self._name).shape[1]))
        if not isinstance(raw, list) or not raw or not isinstance(raw[0], dict):
            raise RunnerError(f"{self._name} did not answer with a sequence of maps")
        return sorted(raw[0])

    def _chunk(self, rows: Floats) -> tuple[Floats, Labels | None]:
        raw, label = self._call(rows)
        if self._zipped:
            raw = _unzip(raw, self._keys, self._name)
        scores = checked_scores(raw, rows=len(rows), what=self._name)
        if scores.shape[1] != len(self.classes):
            raise RunnerError(f"{self._name} answered with {scores.shape[1]} scores, before with {len(self.classes)}")
        return scores, label

    def _call(self, rows: Floats) -> tuple[Any, Labels | None]:
        count = len(rows)
        if self._fixed is not None and count < self._fixed:
            rows = np.concatenate([rows, np.repeat(rows[-1:], self._fixed - count, axis=0)])
        tail = [length for length in self._shape[1:] if isinstance(length, int)]
        feed = rows.reshape(len(rows), *tail).astype(self._dtype)
        wanted = [self._scores] if self._label is None else [self._scores, self._label]
        try:
            answers = self._session.run(wanted, {self._input: feed})
        except Exception as error:  # the runtime's own exception classes share no documented base
            raise RunnerError(f"{self._name} failed while it was run: {_line(error)}") from None
        # What is longer than the batch has answers that nobody looks at, and whoever serves the model may look there.
        found = len(answers[0]) if self._zipped or np.ndim(answers[0]) else 0
        if found != len(rows):
            raise RunnerError(f"{self._name} gave {found} rows of scores for {len(rows)} rows")
        label = None if self._label is None else self._checked_labels(answers[1], len(rows))[:count]
        return answers[0][:count], label

    def _checked_labels(self, answer: object, rows: int) -> Labels:
        labels = np.asarray(answer)
        if labels.shape not in {(rows,), (rows, 1)}:
            raise RunnerError(
                f"{self._name} gave labels of shape {labels.shape} for {rows} rows, expected one decision a row",
                remedy="Export the model with the label that is served as its only integer output.",
            )
        if labels.dtype.kind in "OU":
            # Before the names are known, in the one call that finds them out, this answer is not looked at.
            found = [self._places.get(str(label), -1) for label in labels.reshape(-1).tolist()]
            return np.array(found, dtype=np.int64)
        return labels.reshape(-1).astype(np.int64)


def _open(content: bytes, name: str, threads: int, external: Mapping[str, ModelFile]) -> Any:  # noqa: ANN401
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    # Spinning threads eat the CPU time of whoever shares the machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Files that were given in memory serve the main graph only; numbers of a branch would be looked for by name where
    # the process happens to be, which others may be able to write. So that place is one that cannot be.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", _NOWHERE)
    with ExitStack() as stack:
        _give_external(options, name, external, stack)
        try:
            return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # as above
            raise RunnerError(f"{name} cannot be opened by ONNX Runtime: {_line(error)}") from None


def _external(content: bytes, name: str, beside: Mapping[str, ModelFile]) -> dict[str, ModelFile]:
    try:
        named = external_locations(content, name=name)
    except InputError as error:
        raise RunnerError(f"which other files {name} needs cannot be told: {error.message}") from None
    missing = [location for location in named if location not in beside]
    if missing:
        raise RunnerError(
            f"{name} keeps numbers in {missing[0][:200]!r}, which the model does not have",
            remedy="Put that file beside it, or save the model as one: torch.onnx.export(..., external_data=False).",
        )
    return {location: beside[location] for location in named}


def _give_external(
    options: Any,  # noqa: ANN401 - the runtime has no types
    name: str,
    external: Mapping[str, ModelFile],
    stack: ExitStack,
) -> None:
    # Without a path the runtime would look for external data where the process happens to be. So it is given the bytes
    # by name, mapped, so that of a large file only what is used is read. They are needed until the session is there.
    if not external:
        return
    if Version(onnxruntime.__version__) < _TAKES_A_FOLDER:
        raise RunnerError(
            f"{name} has external data, which this ONNX Runtime ({onnxruntime.__version__}) may take from elsewhere",
            remedy="Install a newer onnxruntime, or save the model as one file.",
        )
    try:
        contents = [stack.enter_context(mapped(file)) for file in external.values()]
    except OSError as error:
        raise RunnerError(f"external data of {name} cannot be read: {error.strerror}") from None
    options.add_external_initializers_from_files_in_memory(list(external), contents, [len(each) for each in contents])


def _input_of(session: Any, features: int, what: str) -> tuple[str, list[int | None], type[Any]]:  # noqa: ANN401
    inputs = session.get_inputs()
    if len(inputs) != 1:
        raise RunnerError(f"{what} has {len(inputs)} inputs, expected one")
    dtype = _INPUT_TYPES.get(inputs[0].type)
    if dtype is None:
        raise RunnerError(f"{what} wants {inputs[0].type}, expected one tensor of float16, float or double")
    shape: list[int | None] = [length if isinstance(length, int) else None for length in inputs[0].shape]
    if len(shape) < 2:  # noqa: PLR2004
        raise RunnerError(f"{what} wants an input of shape {inputs[0].shape}, expected rows first")
    return inputs[0].name, [shape[0], *_fit(shape[1:], features, what)], dtype


def _fit(lengths: Sequence[int | None], features: int, what: str) -> list[int | None]:
    fixed = math.prod(length for length in lengths if length is not None)
    free = [place for place, length in enumerate(lengths) if length is None]
    if not free and fixed == features:
        return list(lengths)
    if len(free) == 1 and fixed > 0 and features % fixed == 0:
        return [features // fixed if length is None else length for length in lengths]
    raise RunnerError(f"{what} wants examples of shape {tuple(lengths)}, the data has {features} numbers an example")


def _outputs_of(session: Any, what: str) -> tuple[str, str | None, bool]:  # noqa: ANN401
    outputs = session.get_outputs()
    scores = [output for output in outputs if output.type in _SCORE_TYPES | _MAP_TYPES]
    labels = [output for output in outputs if output.type in _LABEL_TYPES | {_TEXT}]
    if len(scores) != 1 or len(labels) > 1 or len(scores) + len(labels) != len(outputs):
        kinds = ", ".join(output.type for output in outputs)
        raise RunnerError(f"{what} answers with {kinds}; expected one table of scores and at most one label")
    zipped = scores[0].type in _MAP_TYPES
    named = zipped and "string" in scores[0].type
    if labels and (labels[0].type == _TEXT) is not named:
        raise RunnerError(
            f"{what} names its classes in one output only, so which score belongs to which name cannot be told",
            remedy="Export it with both as skl2onnx does by default (ZipMap), or with classes that are numbers.",
        )
    return scores[0].name, labels[0].name if labels else None, zipped


def _unzip(answer: object, keys: list[int] | list[str], what: str) -> NDArray[Any]:
    if not isinstance(answer, list):
        raise RunnerError(f"{what} did not answer with a sequence of maps")
    try:
        return np.array([[row[key] for key in keys] for row in answer if len(row) == len(keys)], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        raise RunnerError(f"{what} did not answer with the same classes for every row") from None


def _line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:300] if text else type(error).__name__
