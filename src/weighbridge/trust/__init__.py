"""Who may sign what, until when, and what has been revoked.

A trust document gives roles to keys. A role says which checks its keys may sign evidence of, or that they may sign
verdicts; nothing else that they sign counts. The document has a version that only grows and a date after which it
refuses everything.
"""

from __future__ import annotations

from weighbridge.trust.document import (
    INPUT,
    MAX_KEYS,
    TRIES_RESET,
    VERDICT,
    Holder,
    Metadata,
    PolicyReference,
    Revoked,
    Signable,
    TrustDocument,
    TrustSpec,
)
from weighbridge.trust.key import RolesThen, TrustedKey
from weighbridge.trust.parse import Trust, read_bytes

__all__ = [
    "INPUT",
    "MAX_KEYS",
    "TRIES_RESET",
    "VERDICT",
    "Holder",
    "Metadata",
    "PolicyReference",
    "Revoked",
    "RolesThen",
    "Signable",
    "Trust",
    "TrustDocument",
    "TrustSpec",
    "TrustedKey",
    "read_bytes",
]
