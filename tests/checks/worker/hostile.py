"""What hostile code tries inside a worker. Each attempt returns a word about how far it came.

Loaded by ``hostile_child`` before the confinement is in force, as a check's own module never is.
"""

from __future__ import annotations

import _thread
import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.checks.worker import hostile_answers, hostile_channels, hostile_view, libraries

REACHED = "reached"
DENIED = "denied"
GIB = 1024**3

_libc = ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> None:
    converted = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    if _libc.syscall(ctypes.c_long(number), *converted) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


# --- files ---------------------------------------------------------------------------------------------------------


def read_file(path: str) -> None:
    Path(path).read_bytes()


def list_directory(path: str) -> None:
    os.listdir(path)


def write_file(path: str) -> None:
    Path(path).write_bytes(b"forged")


def empty_file(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))


def truncate_file(path: str) -> None:
    os.truncate(path, 0)


def remove_file(path: str) -> None:
    Path(path).unlink()


def change_mode(path: str) -> None:
    os.chmod(path, 0o777)


def change_times(path: str) -> None:
    os.utime(path, (0, 0))


def link_into_scratch(path: str) -> None:
    os.link(path, Path(tempfile.gettempdir(), "linked"))


def move_into_scratch(path: str) -> None:
    os.rename(path, Path(tempfile.gettempdir(), "moved"))


def read_through_symlink(path: str) -> None:
    link = Path(tempfile.gettempdir(), "link")
    link.symlink_to(path)
    link.read_bytes()


def read_environment_of(pid: str) -> None:
    if not Path(f"/proc/{pid}/environ").read_bytes():
        raise PermissionError("the environment is empty")


def open_memory_of(pid: str) -> None:
    os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))


# --- network -------------------------------------------------------------------------------------------------------


def open_tcp() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def open_udp() -> None:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


def open_unix() -> None:
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close()


def open_netlink() -> None:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()


def open_pair() -> None:
    for end in socket.socketpair():
        end.close()


def connect_to(port: str) -> None:
    with socket.create_connection(("127.0.0.1", int(port)), timeout=5) as connection:
        connection.sendall(b"key")


def set_up_ring() -> None:
    _call(425, 1, ctypes.create_string_buffer(256))


# --- processes -----------------------------------------------------------------------------------------------------


def fork_and_stay(marker: str) -> None:
    if os.fork() == 0:
        _stay(marker)
    _wait_for(marker)


def fork_out_of_the_group(marker: str) -> None:
    if os.fork() == 0:
        os.setpgid(0, 0)
        _stay(marker)
    _wait_for(marker)


def _wait_for(marker: str) -> None:
    while not Path(marker).exists() or not Path(marker).read_bytes():
        time.sleep(0.01)


def _stay(marker: str) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(marker).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(60)
    os._exit(0)


def run_program() -> None:
    subprocess.run(["/bin/true"], check=True)


def replace_itself() -> None:
    os.execv("/bin/true", ["true"])


def kill_process(pid: str) -> None:
    os.kill(int(pid), signal.SIGKILL)


def ask_kernel_to_kill(pid: str) -> None:
    import fcntl

    reading, _writing = os.pipe()
    fcntl.fcntl(reading, fcntl.F_SETOWN, int(pid))


def limit_process(pid: str) -> None:
    resource.prlimit(int(pid), resource.RLIMIT_CPU, (1, 1))


def trace_process(pid: str) -> None:
    if _libc.ptrace(16, int(pid), None, None) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def outlive_parent() -> None:
    if _libc.prctl(1, 0, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def make_namespace() -> None:
    if _libc.unshare(0x10000000) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def make_shared_memory() -> None:
    os.close(os.memfd_create("outside every limit"))


def call_x32() -> None:
    _call(0x40000000 | 39)


def take_root_privileges() -> None:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    if int(effective.split()[1], 16) & ~(1 << 2) == 0:
        raise PermissionError(effective)


# --- endings -------------------------------------------------------------------------------------------------------


def say_and_hang(marker: str) -> None:
    Path(marker).write_text(str(os.getpid()), encoding="ascii")
    time.sleep(60)


def hang_deaf() -> None:
    print("deaf", flush=True)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(60)


def spin() -> None:
    while True:
        pass


def eat_memory() -> None:
    held = []
    while True:
        held.append(bytearray(64 * 1024 * 1024))


def go_deep() -> None:
    go_deep()


def kill_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crash() -> None:
    ctypes.string_at(0)


def raise_something() -> None:
    raise KeyError("unexpected\x1b[31m\n\u202etext")


def exit_with(code: str) -> None:
    raise SystemExit(int(code))


def start_threads() -> None:
    threading.stack_size(64 * 1024)
    while True:
        # Not through threading.Thread, which waits for ever for a thread that has no memory to start.
        _thread.start_new_thread(time.sleep, (60,))


def bomb() -> None:
    while True:
        os.fork()


def fill_scratch() -> None:
    for number in range(100_000):
        Path(tempfile.gettempdir(), str(number)).write_bytes(b"x" * 1024 * 1024)
    time.sleep(60)


def write_large_file() -> None:
    with open(Path(tempfile.gettempdir(), "large"), "wb") as stream:
        for _ in range(64):
            stream.write(b"x" * 1024 * 1024)


def make_directory() -> None:
    Path(tempfile.gettempdir(), "directory").mkdir()


def use_scratch() -> str:
    path = Path(tempfile.gettempdir(), "mine")
    path.write_text("kept here", encoding="ascii")
    return path.read_text(encoding="ascii")


def tell_environment() -> str:
    return json.dumps(dict(os.environ), sort_keys=True)


def tell_descriptors() -> str:
    return json.dumps([number for number in range(3, 256) if _is_open(number)])


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def tell_limits() -> str:
    kinds = ("RLIMIT_AS", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_FSIZE")
    return json.dumps({kind: resource.getrlimit(getattr(resource, kind))[1] for kind in kinds})


def tell_directory() -> str:
    return os.environ["TMPDIR"]


def tell_confined() -> str:
    from weighbridge.checks.worker import state

    return str(state.confined())


def read_model(path: str) -> str:
    return Path(path, "weights").read_text(encoding="ascii")


def _find(name: str) -> Callable[..., str | None]:
    homes = (sys.modules[__name__], hostile_answers, hostile_channels, hostile_view, libraries)
    action: Callable[..., str | None] = next(getattr(home, name) for home in homes if hasattr(home, name))
    return action


def attempt(name: str, arguments: list[str]) -> str:
    """Make one attempt and say how it went; what is not a refusal by the kernel is raised."""
    action: Callable[..., str | None] = _find(name)
    try:
        told = action(*arguments)
    except OSError as error:
        return f"{DENIED}: {error.strerror or error}"
    return REACHED if told is None else told
