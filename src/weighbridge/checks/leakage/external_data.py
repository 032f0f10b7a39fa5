"""Read the numbers that an ONNX model keeps in files beside it.

The model names a file, and where in it a tensor begins and how long it is, in text
(https://onnx.ai/onnx/repo-docs/ExternalData.html). Only files of the same model are read, and never behind their end.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from typing import Final

from weighbridge.checks.interface import ModelFile
from weighbridge.checks.reading import opened
from weighbridge.checks.runners.interface import RunnerError

MAX_DIGITS: Final = 16
"""Digits of an offset or a length."""

MAX_SHARED: Final = 2
"""How often over the bytes of a file may be read; arrays that share them are rare."""

FREE: Final = 64 * 1024**2
"""Bytes that may be read in any case."""

REMEDY: Final = (
    "Save the model as one file: torch.onnx.export(..., external_data=False), or onnx.save(onnx.load(FILE), OUT)."
)


class ExternalData:
    """The files beside a model, by the names that it uses."""

    def __init__(self, beside: Mapping[str, ModelFile]) -> None:
        self._beside = beside
        self._read = 0

    def read(self, described: Mapping[str, str], *, needed: int) -> memoryview:
        """Return the bytes of one tensor, of which ``needed`` follow from its shape.

        Raises:
            RunnerError: The file is not there, is shorter, or is described in another way than ONNX does.
        """
        location = described.get("location", "")
        file = self._beside.get(posixpath.normpath(location)) if location else None
        if file is None:
            raise RunnerError(
                f"the ONNX file keeps arrays in {location[:200]!r}, which the model does not have", remedy=REMEDY
            )
        start, length = _number(described, "offset", 0), _number(described, "length", needed)
        if start + length > file.size:
            raise RunnerError(
                f"the ONNX file has an array up to byte {start + length} of {file.name}, which has {file.size}",
                remedy=REMEDY,
            )
        self._read += length
        if self._read > MAX_SHARED * (file.size + FREE):
            raise RunnerError(f"the ONNX file takes the bytes of {file.name} for array after array", remedy=REMEDY)
        return memoryview(_read(file, start, length))


def _number(described: Mapping[str, str], key: str, default: int) -> int:
    text = described.get(key)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > MAX_DIGITS:
        raise RunnerError(f"the ONNX file has {text[:40]!r} as the {key} of an array, expected a number", remedy=REMEDY)
    return int(text)


def _read(file: ModelFile, start: int, length: int) -> bytearray:
    content = bytearray(length)
    place = 0
    try:
        with opened(file) as found:
            while place < length:
                count = os.preadv(found.descriptor, [memoryview(content)[place:]], found.start + start + place)
                if not count:
                    raise RunnerError(f"{file.name} ends too early", remedy=REMEDY)
                place += count
    except OSError as error:
        raise RunnerError(f"{file.name} cannot be read: {error.strerror}", remedy=REMEDY) from None
    return content
