"""Package names as PEP 503 makes them equal."""

from __future__ import annotations

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[-_.]+")


def canonical(name: str) -> str:
    """Return the normalised form of a name: lower case, every run of ``-``, ``_`` and ``.`` one ``-``.

    The same as ``packaging.utils.canonicalize_name``, whose module brings in the platform tags and logging, which
    take longer to import than an audit of a small lock.
    """
    return _SEPARATORS.sub("-", name).lower()
