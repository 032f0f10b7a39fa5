"""Whether bytes that are taken for text are a pickle too."""

from __future__ import annotations

import io
import pickletools
import re
from typing import Final

from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source, head

_IMPORTING: Final = frozenset({"STACK_GLOBAL", "EXT1", "EXT2", "EXT4"})
_CALLING: Final = frozenset({"REDUCE", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_NAMES: Final = re.compile(r"[\w.]+ [\w.]+")
_MAX_PICKLE_HEAD: Final = 1 << 18
_MAX_PICKLE_WALK: Final = 1 << 16


def refuse_hidden_pickle(scan: Scan, source: Source, location: str) -> None:
    """Refuse bytes that a pickle reader would follow into a call.

    Raises:
        RefusedError: They are such a pickle.
        UndecidedError: They are opcodes for so long that no text would be.
    """
    del scan, location
    data = head(source, _MAX_PICKLE_HEAD)
    place: int | None = 0
    imports = calls = marks = False
    try:
        # Only syntax is walked here; the head is short and text leaves the walk within a few bytes.
        for opcode, argument, at in pickletools.genops(io.BytesIO(data)):
            place = at
            named = isinstance(argument, str) and _NAMES.fullmatch(argument) is not None
            marks = marks or opcode.name == "MARK"
            imports = imports or opcode.name in _IMPORTING or (opcode.name == "GLOBAL" and named)
            calls = calls or (imports and opcode.name in _CALLING) or (opcode.name == "INST" and marks and named)
            if calls:
                break
    except (ValueError, EOFError, IndexError, OverflowError, UnicodeDecodeError, MemoryError):
        pass
    if calls:
        raise RefusedError("format-mismatch", "the text is a pickle that calls something", severity="critical")
    if place is not None and place > _MAX_PICKLE_WALK:
        raise UndecidedError("the text could be a pickle", offset=place)
