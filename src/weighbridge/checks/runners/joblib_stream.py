"""Load an uncompressed joblib file without joblib's own unpickler.

The format (joblib.numpy_pickle): a pickle in which an array stands as an instance of ``NumpyArrayWrapper``; right
after the opcode that gives the wrapper its state, one byte tells a number of padding bytes, then the array's bytes
follow raw, and the pickle goes on. joblib's reader falls back to a plain unpickler for object arrays, so it is not
used: wrappers become a class of ours, which takes numbers only and never more than the file still holds.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from weighbridge.checks.runners.interface import RunnerError
from weighbridge.checks.runners.unpickle import AllowedGlobals, StrictUnpickler, run_pickle

WRAPPER: Final = ("joblib.numpy_pickle", "NumpyArrayWrapper")
"""The global by which a joblib file is recognised, and the only one that is replaced."""


class _ArrayPlace:
    """Stands for a wrapper: keeps the state that the pickle gives as data only."""

    __slots__ = ("state",)

    def __setstate__(self, state: object) -> None:
        self.state = state


def _read_array(place: _ArrayPlace, stream: io.BytesIO, allowed: AllowedGlobals) -> NDArray[Any]:
    state = place.state
    if not isinstance(state, dict):
        raise RunnerError("the joblib file has an array without a description")
    shape, dtype, order = state.get("shape"), state.get("dtype"), state.get("order")
    if not isinstance(shape, tuple) or not all(type(length) is int and length >= 0 for length in shape):
        raise RunnerError(f"the joblib file has an array of shape {shape!r}")
    if isinstance(dtype, np.dtype) and dtype == np.dtype(object):
        return _read_texts(shape, stream, allowed)
    if not isinstance(dtype, np.dtype) or dtype.hasobject or dtype.itemsize == 0:
        raise RunnerError(f"the joblib file has an array of type {dtype!r}, expected plain values")
    if order not in ("C", "F") or state.get("subclass") is not np.ndarray:
        raise RunnerError("the joblib file has an array of another class or order than numpy's own")
    if state.get("numpy_array_alignment_bytes") is not None:
        padding = stream.read(1)
        if len(padding) != 1:
            raise RunnerError("the joblib file ends within an array")
        stream.read(padding[0])
    size = math.prod(shape) * dtype.itemsize
    content = stream.read(size)
    if len(content) != size:
        raise RunnerError(f"the joblib file ends within an array of {size} bytes")
    return np.frombuffer(bytearray(content), dtype=dtype).reshape(shape, order="F" if order == "F" else "C")


def _read_texts(shape: tuple[int, ...], stream: io.BytesIO, allowed: AllowedGlobals) -> NDArray[Any]:
    # Names of classes that came from a data frame. joblib writes them as a pickle of its own in the midst of the file,
    # which the scan has followed too; it is read with the same list, and holds text or is refused.
    array = run_pickle(StrictUnpickler(stream, allowed).load)
    if type(array) is not np.ndarray or array.dtype != np.dtype(object) or array.shape != shape or len(shape) != 1:
        raise RunnerError("the joblib file has an array of objects that is not the one that it describes")
    if not all(type(each) is str for each in array.tolist()):
        raise RunnerError("the joblib file has an array of objects, expected plain values or text")
    return array


class _JoblibUnpickler(StrictUnpickler):
    dispatch = StrictUnpickler.dispatch.copy()

    def __init__(self, stream: io.BytesIO, allowed: AllowedGlobals) -> None:
        super().__init__(stream, allowed)
        self._stream, self._allowed_globals = stream, allowed

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        """Resolve one allowed global; the wrapper becomes ours."""
        if (module, name) == WRAPPER:
            return _ArrayPlace
        return super().find_class(module, name)

    def load_build(self) -> None:
        """Give an object its state and, after a wrapper's, read its array in its place."""
        super().load_build()
        if type(self.stack[-1]) is _ArrayPlace:
            self.stack[-1] = _read_array(self.stack[-1], self._stream, self._allowed_globals)

    dispatch[pickle.BUILD[0]] = load_build


def is_joblib(content: bytes) -> bool:
    """Tell whether a pickle names joblib's array wrapper."""
    return WRAPPER[0].encode() in content and WRAPPER[1].encode() in content


def load_joblib(content: bytes, *, allowed: AllowedGlobals) -> object:
    """Load an uncompressed joblib file with the globals of an allow list.

    Raises:
        RunnerError: Another global is asked for, an array holds objects other than text or more than the file, or the
            file is damaged.
    """
    stream = io.BytesIO(content)
    loaded = run_pickle(_JoblibUnpickler(stream, allowed).load)
    if stream.tell() != len(content):
        raise RunnerError(f"{len(content) - stream.tell()} bytes follow the end of the joblib file")
    return loaded
