"""What hostile code tries with the descriptor through which it is given the model."""

from __future__ import annotations

import fcntl
import mmap
import os
import stat


def _view() -> int:
    return next(number for number in range(3, 256) if _is_file(number))


def _is_file(number: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(number).st_mode)
    except OSError:
        return False


def read_view() -> str:
    return os.pread(_view(), 7, 0).decode("ascii")


def write_view() -> None:
    os.pwrite(_view(), b"forged", 0)


def cut_view() -> None:
    os.ftruncate(_view(), 0)


def map_view() -> None:
    with mmap.mmap(_view(), 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE) as content:
        content[0] = 0


def reopen_view() -> None:
    descriptor = os.open(f"/proc/self/fd/{_view()}", os.O_RDWR)
    os.pwrite(descriptor, b"forged", 0)


def reopen_view_of_parent() -> None:
    # The parent's own descriptor, which may have been opened before it was sealed.
    parent = os.getppid()
    numbers = [int(name) for name in os.listdir(f"/proc/{parent}/fd")]
    for number in numbers:
        if os.path.samestat(os.stat(f"/proc/{parent}/fd/{number}"), os.fstat(_view())):
            os.pwrite(os.open(f"/proc/{parent}/fd/{number}", os.O_RDWR), b"forged", 0)
            return


def change_mode_of_view() -> None:
    os.fchmod(_view(), 0o666)


def loosen_seals() -> None:
    fcntl.fcntl(_view(), fcntl.F_ADD_SEALS, 0)


def tell_path_of_directory() -> str:
    number = next(number for number in range(3, 256) if _is_directory(number))
    return ",".join(sorted(os.listdir(f"/proc/self/fd/{number}")))


def _is_directory(number: int) -> bool:
    try:
        return stat.S_ISDIR(os.fstat(number).st_mode)
    except OSError:
        return False
