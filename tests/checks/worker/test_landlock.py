"""Each kernel is asked for what its Landlock knows, and for nothing more."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from pathlib import Path

import pytest

from weighbridge import _libc
from weighbridge.checks.worker import landlock

FIRST = (1 << 13) - 1


class Kernel:
    """Stands in for the kernel's side of the three system calls, with an ABI of choice."""

    def __init__(self, abi: int) -> None:
        self.abi = abi
        self.attributes: tuple[int, ...] = ()
        self.rules: list[int] = []
        self.restricted = False

    def __call__(self, number: int, *arguments: object) -> int:
        match number:
            case 444 if arguments[0] is None:
                if self.abi == 0:
                    raise OSError(errno.ENOSYS, "no such call")
                return self.abi
            case 444:
                attributes, size, _ = arguments
                assert isinstance(attributes, ctypes.c_char_p)
                assert isinstance(size, int)
                self.attributes = struct.unpack(f"={size // 8}Q", ctypes.string_at(attributes, size))
                return os.open("/dev/null", os.O_RDONLY)
            case 445:
                rule = arguments[2]
                assert isinstance(rule, ctypes.c_char_p)
                rights, _ = struct.unpack("=Qi", ctypes.string_at(rule, 12))
                assert rights & ~self.attributes[0] == 0, "a right that is not handled is an error"
                self.rules.append(rights)
                return 0
            case 446:
                self.restricted = True
                return 0
            case _:
                raise AssertionError(number)


@pytest.mark.parametrize(
    ("abi", "attributes"),
    [
        (1, (FIRST,)),
        (2, (FIRST | 1 << 13,)),
        (3, (FIRST | 1 << 13 | 1 << 14,)),
        (4, (FIRST | 1 << 13 | 1 << 14, 3)),
        (5, (FIRST | 1 << 13 | 1 << 14 | 1 << 15, 3)),
        (6, (FIRST | 1 << 13 | 1 << 14 | 1 << 15, 3, 3)),
        (7, (FIRST | 1 << 13 | 1 << 14 | 1 << 15, 3, 3)),
        (12, (FIRST | 1 << 13 | 1 << 14 | 1 << 15, 3, 3)),
    ],
)
def test_asks_each_kernel_for_what_it_knows(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, abi: int, attributes: tuple[int, ...]
) -> None:
    kernel = Kernel(abi)
    monkeypatch.setattr(_libc, "syscall", kernel)
    file = tmp_path / "file"
    file.touch()
    opened = os.open(tmp_path, os.O_PATH)
    readable: list[landlock.Place] = [opened, file, tmp_path / "missing"]
    assert landlock.restrict(readable=readable, devices=[Path("/dev/null")], scratch=opened) == abi
    os.close(opened)  # it was left to its owner
    assert kernel.attributes == attributes
    assert kernel.restricted
    read, read_file, device, scratch = kernel.rules
    assert read == 0b1100
    assert read_file == 0b100
    assert device == 0b110
    assert scratch & ~0b1110 == (1 << 5 | 1 << 8 | (1 << 14 if abi >= 3 else 0))


def test_does_nothing_where_there_is_no_landlock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kernel = Kernel(0)
    monkeypatch.setattr(_libc, "syscall", kernel)
    assert landlock.restrict(readable=[tmp_path], devices=[], scratch=tmp_path) == 0
    assert not kernel.restricted


def test_fails_when_the_kernel_refuses_the_rules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    kernel = Kernel(4)

    def refuse(number: int, *arguments: object) -> int:
        if number == 446:
            raise OSError(errno.EPERM, "no")
        return kernel(number, *arguments)

    monkeypatch.setattr(_libc, "syscall", refuse)
    with pytest.raises(OSError, match="no"):
        landlock.restrict(readable=[], devices=[], scratch=tmp_path)
