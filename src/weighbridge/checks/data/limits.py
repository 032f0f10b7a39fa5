"""What data may hold at most, and the one error of everything that reads it."""

from __future__ import annotations

from typing import Final

from weighbridge.errors import InputError

MAX_DATA_BYTES: Final = 1024**3
"""Most bytes of a data file or of all files of a folder, and largest array once unpacked."""

MAX_TEXT_BYTES: Final = 256 * 1024**2
"""Most bytes of a CSV file, which is read a cell at a time."""

MAX_ROWS: Final = 1_000_000
"""Most examples in one file."""

MAX_FEATURES: Final = 1_000_000
"""Most numbers in one example."""

MAX_COLUMNS: Final = 10_000
"""Most columns of a table; wider examples are stored as arrays."""

MAX_NUMBERS: Final = 2**27
"""Most numbers that are read from a table or from pictures: a gigabyte of them in double precision."""

MAX_FILES: Final = 200_000
"""Most files in a folder of data."""

MAX_CLASSES: Final = 100_000
"""Most classes that labels may name."""

MAX_LABEL: Final = 256
"""Most characters of one label."""

SHOWN: Final = 12
"""Most names that an error lists."""


class DataError(InputError):
    """Data is not what its format says, or its rows cannot be used."""


def listed(names: object) -> str:
    """Return names as an error lists them: the first few, without characters that cannot be seen."""
    every = [str(name) for name in names] if isinstance(names, (list, tuple)) else [str(names)]
    shown = ", ".join(shown_text(name) for name in every[:SHOWN])
    return f"{shown} and {len(every) - SHOWN} more" if len(every) > SHOWN else shown or "nothing"


def shown_text(text: str) -> str:
    """Return text from a data file as an error quotes it: short, on one line, and nothing that cannot be seen."""
    clean = "".join(character if character.isprintable() else "?" for character in text[:40])
    return f"{clean}..." if len(text) > 40 else clean  # noqa: PLR2004
