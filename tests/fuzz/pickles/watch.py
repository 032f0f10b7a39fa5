"""What a process that loads a pickle is watched by: Python's audit events, a system call filter, and limits.

Only the standard library is used: this runs in environments that have nothing of the project. Whatever an audit hook
can see is reported and stopped by an exception. What native code does behind Python's back ends the process with
SIGSYS: opening a file for writing, deleting, renaming, sockets, starting programs.
"""

from __future__ import annotations

import ctypes
import platform
import resource
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any, Final

CPU_SECONDS: Final = 1.0
"""More than this for one pickle is a defect; the kernel ends the process."""

CALL_SECONDS: Final = 0.5
"""More than this in calls of a model's methods is cut off."""

MEMORY: Final = 256 * 1024**2
"""How much the address space may grow for one pickle."""

DENIED: Final = (
    "open", "exec", "compile", "mmap.", "socket.", "subprocess.", "os.", "ctypes.dl", "ctypes.call", "marshal.",
    "shutil.", "tempfile.", "glob.", "pathlib.", "sqlite3.", "urllib.", "ftplib.", "http.", "smtplib.", "poplib.",
    "imaplib.", "nntplib.", "telnetlib.", "syslog.", "signal.", "pty.", "code.__new__", "function.__new__",
    "sys.settrace", "sys.setprofile", "sys.addaudithook", "builtins.breakpoint", "builtins.input", "webbrowser.",
    "resource.", "fcntl.", "faulthandler.", "gc.", "_thread.", "multiprocessing.",
)  # fmt: skip
"""Audit events that loading or using a model never needs, by their beginning."""


class StoppedError(Exception):
    """Raised inside the audit hook, so that what was asked for does not happen."""


class Watch:
    """The audit hook of one process; it cannot be removed, only switched."""

    def __init__(
        self, report: Callable[[str, str], None], *, listed: frozenset[tuple[str, str]], roots: frozenset[str]
    ) -> None:
        self._report = report
        self._listed = listed
        self._modules = frozenset(module for module, _ in listed)
        self._roots = roots
        self._denied: dict[str, bool] = {}
        self.active = False
        self.lazy: set[str] = set()

    def install(self) -> None:
        """Add the hook to this process."""
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active:
            return
        denied = self._denied.get(event)
        if denied is None:
            denied = self._denied[event] = event.startswith(DENIED)
        if denied and not _is_harmless(event, arguments):
            self._stop(event, arguments)
        elif event == "import":
            self._import(str(arguments[0]))
        elif event == "pickle.find_class" and arguments not in self._listed:
            self._stop("name", arguments)

    def _import(self, name: str) -> None:
        if name in self._modules:
            # A listed module that this environment does not have, or whose import failed before.
            raise ModuleNotFoundError(name)
        root = name.partition(".")[0]
        if root in self._roots:
            self.lazy.add(name)
            raise ImportError(name)
        self._stop("import", (name,))

    def _stop(self, event: str, arguments: tuple[Any, ...]) -> None:
        self.active = False
        try:
            shown = ", ".join(ascii(each)[:120] if isinstance(each, str | bytes | int) else "..." for each in arguments)
            self._report(event, shown)
        finally:
            self.active = True
        raise StoppedError(event)


def _is_harmless(event: str, arguments: tuple[Any, ...]) -> bool:
    if event == "compile":
        # inspect reads the text signature of a built-in function by taking its syntax tree.
        source = arguments[0]
        return isinstance(source, bytes) and source.startswith(b"def foo") and source.endswith(b": pass")
    if event == "ctypes.dlsym":
        # xgboost and lightgbm look up each of their own functions when it is first used.
        return str(arguments[1]).startswith(("XG", "LGBM"))
    # joblib asks how many processors there are.
    return event == "open" and str(arguments[0]).startswith("/sys/fs/cgroup/") and arguments[1] in ("r", "rb")


def address_space() -> int:
    """Return the bytes of address space that this process has now."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def limit_memory() -> None:
    """Let the address space grow by ``MEMORY`` from here."""
    allowed = address_space() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def start_clock(seconds: float) -> None:
    """Give the next step its CPU time; SIGPROF ends the process that takes more."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ALLOW, _TRAP = 0x7FFF0000, 0x80000000  # SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS
_WRITING: Final = 0o3 | 0o100 | 0o1000 | 0o20000000  # O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_TMPFILE
_OPENING: Final = {2: 1, 257: 2}  # open, openat: place of the flags
_FORBIDDEN: Final = (
    *(41, 42, 43, 49, 50, 53),  # socket, connect, accept, bind, listen, socketpair
    *(57, 58, 59, 322, 62, 101),  # fork, vfork, execve, execveat, kill, ptrace
    *(76, 77, 82, 83, 84, 85, 86, 87, 88),  # truncate, ftruncate, rename, mkdir, rmdir, creat, link, unlink, symlink
    *(90, 91, 92, 93, 94, 133, 165, 161, 155),  # chmod, fchmod, chown ..., mknod, mount, chroot, pivot_root
    *(258, 259, 260, 263, 264, 265, 266, 268, 316, 425, 437),  # ...at, renameat2, io_uring_setup, openat2
)
"""Numbers of x86_64 (``syscall_64.tbl``)."""


def filter_calls() -> bool:
    """End this process when it makes a forbidden system call; False where the filter is not known."""
    if platform.machine() != "x86_64" or not sys.platform.startswith("linux"):
        return False
    code: list[tuple[int, int, int, int]] = [(_LOAD, 0, 0, 0)]
    for number in _FORBIDDEN:
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _TRAP)]
    for number, place in _OPENING.items():
        code += [(_EQUAL, 0, 4, number), (_LOAD, 0, 0, 16 + 8 * place), (_ANY_BIT, 0, 1, _WRITING)]
        code += [(_RETURN, 0, 0, _TRAP), (_RETURN, 0, 0, _ALLOW)]
    code.append((_RETURN, 0, 0, _ALLOW))
    raw = b"".join(struct.pack("=HBBI", *each) for each in code)
    buffer = ctypes.create_string_buffer(raw, len(raw))
    header = struct.pack("@HP", len(code), ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.c_char_p(header), 0, 0) == 0)


def leave_network() -> bool:
    """Move this process into a network of its own, which has nothing; False where that is not allowed."""
    libc = ctypes.CDLL(None, use_errno=True)
    return any(libc.unshare(flags) == 0 for flags in (0x40000000, 0x50000000))
