"""Tell by its bytes whether a file of a model can be run, and by what; a name helps only where bytes say nothing."""

from __future__ import annotations

import enum
from pathlib import PurePosixPath
from typing import Final

from weighbridge.checks.interface import ModelFile
from weighbridge.checks.model_scan import sniff
from weighbridge.checks.model_scan.budget import Budget
from weighbridge.checks.model_scan.onnx import is_onnx
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.source import FileRange, Unpacked, head
from weighbridge.checks.reading import opened

HEAD: Final = 4096
"""First bytes that are looked at."""


class Kind(enum.Enum):
    """What runs a file."""

    ONNX = "onnx"
    PICKLE = "pickle"
    PACKED = "a compressed pickle"
    NOTHING = "nothing"


_NAMED: Final = {".onnx": Kind.ONNX, ".pkl": Kind.PICKLE, ".pickle": Kind.PICKLE, ".joblib": Kind.PICKLE}
"""What files of these names are meant to be. One that is damaged must not be passed over."""


def kind_of(file: ModelFile) -> Kind:
    """Return what a file is to a check that runs models; one that cannot be read is what its name says."""
    named = _NAMED.get(PurePosixPath(file.name).suffix.lower(), Kind.NOTHING)
    try:
        with opened(file) as found:
            if not found.regular:
                return named
            source = FileRange(found.descriptor, start=found.start, length=found.size)
            told = sniff.sniff(source.read(0, HEAD))
            if told == "pickle":
                return Kind.PICKLE
            if told in sniff.PACKED:
                return Kind.PACKED if _unpacks_to_pickle(source, told) else named
            return Kind.ONNX if told == "unknown" and is_onnx(source) else named
    except OSError:
        return named


def _unpacks_to_pickle(source: FileRange, packed: str) -> bool:
    try:
        return sniff.sniff(head(Unpacked(source, kind=packed, budget=Budget()), HEAD)) == "pickle"
    except (RefusedError, UndecidedError):
        return False
