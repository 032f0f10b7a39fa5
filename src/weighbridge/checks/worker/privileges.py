"""What a process gives up for good: privileges, being traced, outliving its parent."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path
from typing import Final

from weighbridge import _libc
from weighbridge.errors import WorkerError

_CAPABILITY_VERSION: Final = 0x20080522
_READ_ANY_FILE: Final = 1 << 2
"""CAP_DAC_READ_SEARCH: a root worker must still read a model that belongs to somebody else."""

_DIES_FIRST: Final = "1000"
_OWN_SCORE: Final = Path("/proc/self/oom_score_adj")


def could_be_looked_into() -> bool:
    """Tell whether another process of the user could look into this one until now; root always can."""
    return _libc.prctl(_libc.PR_GET_DUMPABLE) == 1


def give_up(*, parent: int) -> None:
    """Die with the parent, gain no privilege by any program, be traced by nobody.

    Where the process may still say so, it is also the first to go when memory runs out.

    Raises:
        WorkerError: When the parent is already gone.
        OSError: When the kernel refuses.
    """
    _libc.prctl(_libc.PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        raise WorkerError("the process that started this worker is gone")
    # Of a process that nobody may look into the file is root's.
    with contextlib.suppress(OSError):
        _OWN_SCORE.write_text(_DIES_FIRST, encoding="ascii")
    _libc.prctl(_libc.PR_SET_NO_NEW_PRIVS, 1)
    _libc.prctl(_libc.PR_SET_DUMPABLE, 0)


def drop_capabilities() -> None:
    """Keep of all capabilities at most the one to read files, which Landlock bounds.

    Raises:
        OSError: When the kernel refuses.
    """
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    data = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; for the low and the high 32 capabilities
    _libc.capget(header, data)
    kept = data[1] & _READ_ANY_FILE
    _libc.capset(header, (ctypes.c_uint32 * 6)(kept, kept, 0, 0, 0, 0))
