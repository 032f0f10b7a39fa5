"""Settings of the kernel that a kubelet changes for the whole machine, which no namespace keeps apart."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CHANGED: Final = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
"""What ``pkg/kubelet/cm/container_manager_linux.go`` sets: with the first, 64 GB are given to whoever asks for them."""


@contextlib.contextmanager
def kept(settings: Path = Path("/proc/sys")) -> Iterator[None]:
    """Write the settings back that were in force before."""
    before = {name: (settings / name).read_text() for name in CHANGED if (settings / name).exists()}
    try:
        yield
    finally:
        for name, value in before.items():
            if (settings / name).read_text() != value:
                (settings / name).write_text(value)
