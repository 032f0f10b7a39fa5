"""Every error that Weighbridge raises on purpose.

::

    WeighbridgeError
    ├── UsageError            the call itself is wrong: a missing option, two that exclude each other
    ├── InputError            bytes or files that were handed in cannot be used
    │   ├── ModelError        the model cannot be identified: a symlink, a changing file, nothing in it
    │   ├── ParseError        JSON, YAML or an envelope is not what its format says
    │   ├── PolicyError       a policy that says nothing or something unknown
    │   └── TrustError        a trust document that is expired, older or contradicts itself
    ├── KeyFileError          a private or public key cannot be read, decrypted or written
    ├── OutputError           a result cannot be written; nothing half-written is left
    ├── RegistryError         a registry cannot be reached, refuses, or answers what it must not
    ├── WorkerError           a check's worker died, hung or answered garbage
    └── VerificationError     a signature, subject or verdict does not hold

Each message says what was refused, what was expected, what was found and what to do. Only the command line
turns errors into exit codes.
"""

from __future__ import annotations


class WeighbridgeError(Exception):
    """Base of all errors raised on purpose.

    ``str()`` of an error is one or more plain sentences for a person; ``remedy`` is the next step, which the
    command line prints on a line of its own.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class UsageError(WeighbridgeError):
    """The call is wrong, whatever the data."""


class InputError(WeighbridgeError):
    """Something handed in cannot be used."""


class ModelError(InputError):
    """The model cannot be identified by one digest; there always is something to do about that."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message, remedy=remedy)


class ParseError(InputError):
    """Bytes are not what their format says."""


class PolicyError(InputError):
    """A policy says nothing, or something unknown."""


class TrustError(InputError):
    """A trust document is expired, older than one already seen, or contradicts itself."""


class KeyFileError(WeighbridgeError):
    """A key cannot be read, decrypted or written."""


class OutputError(WeighbridgeError):
    """A result cannot be written."""


class RegistryError(WeighbridgeError):
    """A registry cannot be reached, refuses, or answers what it must not."""


class WorkerError(WeighbridgeError):
    """A check's worker died, hung or answered garbage."""


class VerificationError(WeighbridgeError):
    """A signature, a subject or a verdict does not hold."""
