"""Put a process under all confinement that its kernel offers, and say what is really in force."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from weighbridge import _libc
from weighbridge.checks.worker import landlock, privileges, rlimits, seccomp, state
from weighbridge.checks.worker.frames import Setup
from weighbridge.evidence.record import Confinement

KERNEL_FILES: Final = (
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
    "/sys/kernel/mm/transparent_hugepage",
    "/dev/urandom",
    "/dev/random",
    "/dev/zero",
)
"""What numerical libraries ask the kernel about the machine; nothing about another process."""

DEVICES: Final = ("/dev/null",)
"""What may be written beside the scratch directory."""


def confine(setup: Setup) -> Confinement:
    """Confine this process for good; it has one thread and has opened nothing that it must not keep.

    Raises:
        WorkerError: When the parent is gone.
        OSError: When the kernel offers a confinement and refuses to apply it. Then nothing may be examined.
    """
    seen = privileges.could_be_looked_into()
    privileges.give_up(parent=setup.parent)
    abi = landlock.restrict(
        readable=[*setup.granted, *map(Path, setup.readable), *map(Path, KERNEL_FILES)],
        devices=[Path(name) for name in DEVICES],
        scratch=Path(setup.scratch) if setup.scratch_opened is None else setup.scratch_opened,
    )
    # Before the limits: there may be more of them than a worker may open.
    for descriptor in (*setup.granted, setup.scratch_opened, setup.program):
        if descriptor is not None:
            os.close(descriptor)
    limits = rlimits.apply(memory=setup.memory, cpu_seconds=setup.cpu_seconds, files=setup.files)
    privileges.drop_capabilities()
    filtered = seccomp.install(pid=os.getpid())
    return _measure(abi=abi, filtered=filtered, limits=limits, beside=Path(setup.scratch).parent, seen=seen)


def _measure(*, abi: int, filtered: bool, limits: dict[str, int], beside: Path, seen: bool) -> Confinement:
    # Each claim is tried, so that a kernel that accepts rules and does not enforce them is not believed.
    whole = landlock.restricts_truncation(abi) or (abi > 0 and filtered)
    filesystem = whole and state.no_files() and _cannot_write(beside)
    network = filtered and state.no_sockets()
    seccomp_in_force = filtered and _libc.prctl(_libc.PR_GET_SECCOMP) != 0
    return Confinement(
        landlock_abi=abi,
        filesystem=filesystem,
        network=network,
        seccomp=seccomp_in_force,
        limits=limits,
        summary=_summary(abi=abi, filesystem=filesystem, network=network, filtered=seccomp_in_force, seen=seen),
    )


def _cannot_write(directory: Path) -> bool:
    probe = directory / f".weighbridge-probe-{os.getpid()}"
    try:
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except PermissionError:
        return True
    except OSError:
        return False
    with contextlib.suppress(OSError):
        probe.unlink()
    return False


def _summary(*, abi: int, filesystem: bool, network: bool, filtered: bool, seen: bool) -> str:
    if filesystem:
        files = f"files were confined by Landlock (ABI {abi}) to the model and its inputs"
    elif abi:
        files = f"FILES WERE NOT CONFINED: Landlock (ABI {abi}) was set up and does not hold here"
    else:
        files = "FILES WERE NOT CONFINED: this kernel has no Landlock"
    if network:
        sockets = "every kind of socket was refused"
    elif landlock.restricts_tcp(abi):
        sockets = "THE NETWORK WAS CONFINED ONLY FOR TCP"
    else:
        sockets = "THE NETWORK WAS NOT CONFINED"
    calls = "a system call filter was in force" if filtered else "NO SYSTEM CALL FILTER WAS IN FORCE"
    since = "once it was confined, though not while it started" if seen else "from its start on"
    return f"{files}; {sockets}; {calls}; resource limits were set; its memory was closed to others {since}"
