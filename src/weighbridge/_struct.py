"""The one base of every value that is written to or read from a file."""

from __future__ import annotations

import threading
from typing import Annotated, Final, dataclass_transform

import msgspec

ONE_AT_A_TIME: Final = threading.RLock()
"""Held while a value is given its type. msgspec learns a type at its first use, and when two threads make that use at
once, it can end the process with a segmentation fault."""


LABEL: Final = r"\A[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?\Z"
Label = Annotated[str, msgspec.Meta(pattern=LABEL)]
"""A name. The pattern ends with the text, where ``$`` would let a line break follow that nobody sees."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A frozen value with camelCase names outside and no tolerance for unknown fields.

    A type with optional fields adds ``omit_defaults``, so that what is unset is left out when written and the same
    value always gives the same bytes.
    """
