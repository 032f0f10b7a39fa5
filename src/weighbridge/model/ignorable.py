"""Characters that Unicode says to leave out where they cannot be shown, and that some file systems leave out of names.

ext4 and f2fs compare names without them in a directory with casefold (``fs/unicode`` of Linux, form ``utf8nfdicf``).
Python's own tables do not have the property.
"""

from __future__ import annotations

import re
from typing import Final

RANGES: Final = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
"""``Default_Ignorable_Code_Point`` in ``DerivedCoreProperties.txt`` of Unicode 14.0.0, 4174 code points, neighbours put
together. https://www.unicode.org/Public/14.0.0/ucd/DerivedCoreProperties.txt"""

_IGNORABLE: Final = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in RANGES) + "]")


def without_ignorable(name: str) -> str:
    """Return a name without the characters that are left out of it."""
    return _IGNORABLE.sub("", name)
