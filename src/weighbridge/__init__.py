"""Weighbridge lets no model onto a GPU unverified.

Before you load a model::

    import weighbridge

    weighbridge.verify("model/", verdict="verdict.sigstore.json", trust="trust.yaml", policy="policy.yaml")

Everything public is named in ``__all__`` and imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from weighbridge.errors import (
        InputError,
        KeyFileError,
        ModelError,
        OutputError,
        ParseError,
        PolicyError,
        RegistryError,
        TrustError,
        UsageError,
        VerificationError,
        WeighbridgeError,
        WorkerError,
    )
    from weighbridge.gate.demands import UnsafeAnyPolicy
    from weighbridge.gate.summary import Verdict
    from weighbridge.gate.verify import verify
    from weighbridge.model.digest import Digest, hash_model

__version__ = "0.1.0"

__all__ = [
    "Digest",
    "InputError",
    "KeyFileError",
    "ModelError",
    "OutputError",
    "ParseError",
    "PolicyError",
    "RegistryError",
    "TrustError",
    "UnsafeAnyPolicy",
    "UsageError",
    "Verdict",
    "VerificationError",
    "WeighbridgeError",
    "WorkerError",
    "__version__",
    "hash_model",
    "verify",
]

_HOMES: Final = {
    "Digest": "weighbridge.model.digest",
    "UnsafeAnyPolicy": "weighbridge.gate.demands",
    "Verdict": "weighbridge.gate.summary",
    "hash_model": "weighbridge.model.digest",
    "verify": "weighbridge.gate.verify",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "weighbridge.errors")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
