"""Versions as PEP 440 orders them, and the few foreign spellings that advisories use."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from packaging.version import InvalidVersion, Version

MAX_VERSION: Final = 256
"""Longest version string that is parsed, in characters."""

_NOT_APPLICABLE: Final = re.compile(r"(.+)-NA", re.DOTALL)
_CUDA: Final = re.compile(r"(.+)-(cu[0-9]{2,4})", re.DOTALL)


@lru_cache(maxsize=65_536)
def parse_version(text: str) -> Version | None:
    """Return the version, or None where it is not one of PEP 440."""
    if len(text) > MAX_VERSION:
        return None
    try:
        return Version(text)
    except InvalidVersion:
        return None


def parse_event_version(text: str) -> Version | None:
    """Return the version of an advisory's event, or None where it cannot be ordered.

    Records taken over from the NVD write the CPE update field behind the version: ``2.6.0-NA`` means 2.6.0 ("no
    update"), and ``2.6.0-cu124`` is the build that PEP 440 writes ``2.6.0+cu124``. Both are read as that, since
    otherwise nothing could be said about any version of torch. Nothing else is guessed.
    """
    version = parse_version(text)
    if version is not None:
        return version
    if match := _NOT_APPLICABLE.fullmatch(text):
        return parse_version(match[1])
    if match := _CUDA.fullmatch(text):
        return parse_version(f"{match[1]}+{match[2]}")
    return None


@lru_cache(maxsize=16_384)
def public(version: Version) -> Version:
    """Return the version without its local part: 2.3.0+cu121 becomes 2.3.0."""
    return version if version.local is None else Version(version.public)
