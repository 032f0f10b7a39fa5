"""The filter as a program: interpreted here for both architectures, of which the machine has only one."""

from __future__ import annotations

import struct

import pytest

from weighbridge import _libc
from weighbridge.checks.worker import seccomp
from weighbridge.checks.worker.syscalls import CONDITIONAL, GROUPS, LAST_KNOWN

X86, ARM = (0, 0xC000003E), (1, 0xC00000B7)
BOTH = pytest.mark.parametrize("target", [X86, ARM], ids=["x86_64", "aarch64"])
PID = 4242
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026


def _decide(target: tuple[int, int], number: int, *arguments: int, architecture: int | None = None) -> int:
    """Run the filter on one call as the kernel would."""
    padded = (*arguments, *((0,) * (6 - len(arguments))))
    data = struct.pack("<IIQ6Q", number, architecture or target[1], 0, *padded)
    code = seccomp.program(*target, pid=PID)
    accumulator, place = 0, 0
    while True:
        operation, if_true, if_false, value = code[place]
        place += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x15:
                place += if_true if accumulator == value else if_false
            case 0x35:
                place += if_true if accumulator >= value else if_false
            case 0x45:
                place += if_true if accumulator & value else if_false
            case 0x54:
                accumulator &= value
            case 0x06:
                return value
            case _:
                raise AssertionError(f"no such instruction: {operation:#x}")


def _number(target: tuple[int, int], name: str) -> int:
    number = CONDITIONAL[name][target[0]]
    assert number is not None
    return number


@BOTH
def test_denies_every_call_of_the_table(target: tuple[int, int]) -> None:
    for group in GROUPS.values():
        for name, numbers in group.items():
            if (number := numbers[target[0]]) is not None:
                assert _decide(target, number) == EPERM, name


@BOTH
def test_allows_what_is_not_in_the_table(target: tuple[int, int]) -> None:
    denied = {numbers[target[0]] for group in (*GROUPS.values(), CONDITIONAL) for numbers in group.values()}
    for number in set(range(LAST_KNOWN + 1)) - denied:
        assert _decide(target, number) == ALLOW, number


@BOTH
def test_names_every_call_once(target: tuple[int, int]) -> None:
    numbers = [row[target[0]] for group in (*GROUPS.values(), CONDITIONAL) for row in group.values()]
    known = [number for number in numbers if number is not None]
    assert len(known) == len(set(known))
    assert max(known) <= LAST_KNOWN


@BOTH
def test_does_not_know_calls_of_the_future(target: tuple[int, int]) -> None:
    assert _decide(target, LAST_KNOWN + 1) == ENOSYS
    assert _decide(target, 100_000) == ENOSYS


@BOTH
def test_kills_calls_of_another_architecture(target: tuple[int, int]) -> None:
    assert _decide(target, 39, architecture=0x40000003) == KILL
    assert _decide(target, 0x40000000 | 39) == KILL


@BOTH
def test_lets_threads_start_and_no_process(target: tuple[int, int]) -> None:
    clone = _number(target, "clone")
    assert _decide(target, clone, 0x3D0F00) == ALLOW  # what pthread_create asks for
    assert _decide(target, clone, 0x01200011) == EPERM  # fork
    assert _decide(target, clone, 0x4111) == EPERM  # posix_spawn
    assert _decide(target, _number(target, "clone3")) == ENOSYS


@BOTH
@pytest.mark.parametrize("name", ["kill", "tgkill"])
def test_lets_a_process_signal_itself_only(target: tuple[int, int], name: str) -> None:
    assert _decide(target, _number(target, name), PID, 6) == ALLOW
    for other in (1, 0, 2**32 - 1, PID + 1):
        assert _decide(target, _number(target, name), other, 6) == EPERM


@BOTH
def test_lets_a_process_change_its_own_limits_only(target: tuple[int, int]) -> None:
    assert _decide(target, _number(target, "prlimit64"), 0) == ALLOW
    assert _decide(target, _number(target, "prlimit64"), PID) == ALLOW
    assert _decide(target, _number(target, "prlimit64"), 1) == EPERM


@BOTH
@pytest.mark.parametrize(
    ("name", "denied", "allowed"),
    [
        ("prctl", [(1,), (4,), (22,), (0x59616D61,)], [(15,), (21,), (39,)]),
        ("fcntl", [(3, 8), (3, 10), (3, 15)], [(3, 1), (3, 2), (3, 1030)]),
        (
            "ioctl",
            [(0, 0x5412), (0, 0x541C), (0, 0x8901), (0, 0x8912), (0, 0x89A0), (0, 0x8B01), (0, 0xC0108912)],
            [(0, 0x5401), (0, 0x541B), (0, 0x8801), (0, 0x8A00)],
        ),
        ("openat", [(0, 0, 0o1000), (0, 0, 0o2001000)], [(0, 0, 0), (0, 0, 0o1101), (0, 0, 0o2000000)]),
    ],
)
def test_decides_by_argument(
    target: tuple[int, int], name: str, denied: list[tuple[int, ...]], allowed: list[tuple[int, ...]]
) -> None:
    for arguments in denied:
        assert _decide(target, _number(target, name), *arguments) == EPERM
    for arguments in allowed:
        assert _decide(target, _number(target, name), *arguments) == ALLOW


def test_is_honest_about_an_architecture_that_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_libc, "machine", lambda: "riscv64")
    assert not seccomp.install(pid=PID)
