"""The one base of every value that is written to or read from a file."""

from __future__ import annotations

import msgspec


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A frozen value with camelCase names outside and no tolerance for unknown fields.

    Optional fields that are unset are left out when written (``omit_defaults`` is chosen by each type that has
    them), so that the same value always gives the same bytes.
    """
