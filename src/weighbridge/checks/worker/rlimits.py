"""Resource limits of a worker, set by itself before it sees the model."""

from __future__ import annotations

import os
import resource
from typing import Final

MAX_SCRATCH_FILE: Final = 8 * 1024 * 1024
"""Largest file that a worker may write, in bytes."""

MAX_TASKS: Final = 4096
"""Most threads of the worker's user. The kernel counts all processes of that user, and does not count for root."""


def apply(*, memory: int, cpu_seconds: int, files: int) -> dict[str, int]:
    """Set the limits and return those that are in force by name.

    A limit that the process already has and that is lower stays.

    Raises:
        OSError, ValueError: When the kernel refuses one.
    """
    wanted = {
        "address-space": (resource.RLIMIT_AS, memory),
        "cpu-seconds": (resource.RLIMIT_CPU, cpu_seconds),
        "file-size": (resource.RLIMIT_FSIZE, MAX_SCRATCH_FILE),
        "open-files": (resource.RLIMIT_NOFILE, files),
        "core-size": (resource.RLIMIT_CORE, 0),
    }
    if os.getuid() != 0:
        wanted["tasks"] = (resource.RLIMIT_NPROC, MAX_TASKS)
    return {name: _lower(kind, value) for name, (kind, value) in wanted.items()}


def _lower(kind: int, value: int) -> int:
    _, hard = resource.getrlimit(kind)
    # At the soft limit of processor time the kernel sends SIGXCPU, which tells why; a second later it kills.
    ceiling = value + 1 if kind == resource.RLIMIT_CPU else value
    if hard != resource.RLIM_INFINITY:
        ceiling = min(ceiling, hard)
    resource.setrlimit(kind, (min(value, ceiling), ceiling))
    return resource.getrlimit(kind)[0]
