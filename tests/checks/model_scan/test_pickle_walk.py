"""The walk sees every import and call that an unpickler, C or Python, would come to; nothing is imported here."""

from __future__ import annotations

import contextlib
import io
import pickle
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.attacks.model_pickles import OPCODES, SYSTEM
from weighbridge.checks.model_scan import budget
from weighbridge.checks.model_scan.budget import Budget
from weighbridge.checks.model_scan.pickle_walk import Reading, read_as_pickle
from weighbridge.checks.model_scan.report import UndecidedError
from weighbridge.checks.model_scan.source import Memory


class _CalledError(Exception):
    """The object that stands for whatever was imported was called."""


class _Bait:
    """Stands for what was imported, and tells when anything is done with it."""

    def __call__(self, *args: object, **keywords: object) -> object:
        raise _CalledError

    def __setstate__(self, state: object) -> None:
        raise _CalledError

    append = extend = add = update = __setitem__ = __call__


class _BaitClass:
    def __new__(cls, *args: object, **keywords: object) -> _BaitClass:
        del args, keywords
        raise _CalledError


def _resolve(seen: list[str], module: str, name: str) -> Any:
    seen.append(f"{module}.{name}")
    return _Bait() if name.startswith("b") else _BaitClass


class _C(pickle.Unpickler):
    def __init__(self, data: bytes, seen: list[str]) -> None:
        super().__init__(io.BytesIO(data))
        self.seen = seen

    def find_class(self, module: str, name: str, /) -> Any:
        return _resolve(self.seen, module, name)

    def persistent_load(self, pid: object, /) -> object:
        return pid


class _Python(pickle._Unpickler):
    def __init__(self, data: bytes, seen: list[str]) -> None:
        super().__init__(io.BytesIO(data))
        self.seen = seen

    def find_class(self, module: str, name: str) -> Any:
        return _resolve(self.seen, module, name)

    def persistent_load(self, pid: object) -> object:
        return pid


def _asked(kind: type[Any], data: bytes) -> Reading:
    """Tell how far a real unpickler gets."""
    seen: list[str] = []
    try:
        kind(data, seen).load()
    except _CalledError:
        return Reading.CALLS
    except Exception:  # unpicklers fail in every way there is
        return Reading.NONE
    return Reading.IMPORTS if seen else Reading.DATA


LINES = (
    b"1",
    b"-5",
    b"0x1f",
    b"010",
    b"1_0",
    b"5L",
    b"1.5",
    b"nan",
    b"'a'",
    b'"b"',
    b"",
    b" 7 ",
    b"00",
    b"a\\u0041",
    b"x y",
)
WORDS = (b"a", b"os", b"b", b"c.d", b"bb")
SMALL = b"NN]})(((0012t\x85\x86\x87lduaesb\x90\x91oR\x81\x92\x93.\x94\x88\x89Q"


def _pickles(count: int, seed: int) -> Iterator[bytes]:
    """Yield rows of opcodes with arguments that mostly fit."""
    chance = random.Random(seed)
    for _ in range(count):
        row = b"\x80\x04" if chance.random() < 0.3 else b""
        for _ in range(chance.randint(2, 14)):
            pick = chance.randrange(12)
            if pick == 0:
                row += chance.choice(b"ILFSVPpg").to_bytes(1, "little") + chance.choice(LINES) + b"\n"
            elif pick in (1, 2):
                row += (
                    chance.choice(b"ci").to_bytes(1, "little")
                    + chance.choice(WORDS)
                    + b"\n"
                    + chance.choice(WORDS)
                    + b"\n"
                )
            elif pick == 3:
                word = chance.choice(WORDS)
                row += b"\x8c" + bytes([len(word)]) + word
            elif pick == 4:
                row += chance.choice(
                    (b"K\x01", b"M\x01\x00", b"J\x01\x00\x00\x00", b"U\x01a", b"C\x01a", b"X\x01\x00\x00\x00a")
                )
            elif pick == 5:
                row += chance.choice(b"qh").to_bytes(1, "little") + bytes([chance.randrange(3)])
            else:
                row += SMALL[chance.randrange(len(SMALL)) :][:1]
        yield row + b"."


@pytest.mark.parametrize("seed", range(4))
def test_the_walk_sees_what_unpicklers_see(seed: int) -> None:
    reached = 0
    for data in _pickles(5_000, seed):
        found = read_as_pickle(Memory(data), Budget())
        for kind in (_C, _Python):
            real = _asked(kind, data)
            if real in (Reading.IMPORTS, Reading.CALLS):
                reached += 1
                assert found in (Reading.IMPORTS, Reading.CALLS), data
            elif real is Reading.DATA:
                assert found is not Reading.NONE, data
    assert reached > 100


# One memo place of that number is 64 GB to the C unpickler, which a machine that overcommits memory gives it.
ASKED = {name: data for name, data in OPCODES.items() if name != "memo-far"}


@pytest.mark.parametrize("name", [name for name, data in ASKED.items() if _asked(_C, data) is Reading.CALLS])
def test_the_walk_sees_the_calls_of_the_corpus(name: str) -> None:
    assert read_as_pickle(Memory(OPCODES[name]), Budget()) is Reading.CALLS


@pytest.mark.parametrize(
    ("data", "reading"),
    [
        (b"", Reading.NONE),
        (b"N.", Reading.WHOLE),
        (b"N. ", Reading.DATA),
        (b"N." + SYSTEM, Reading.CALLS),
        (b"cos\nsystem\n.", Reading.IMPORTS),
        (b"cos\nsystem\n", Reading.NONE),
        (b"c a b\nc\n.", Reading.NONE),
        (b"Pany\n.", Reading.WHOLE),
        (b"V" + b"x" * 9_000_000 + b"\n0" + SYSTEM, Reading.CALLS),
        (b"B\xff\xff\xff\xff", Reading.NONE),
        (b"\x8e" + b"\xff" * 8, Reading.NONE),
        (b"." * 9, Reading.NONE),
    ],
    ids=str,
)
def test_how_far_bytes_are_followed(data: bytes, reading: Reading) -> None:
    assert read_as_pickle(Memory(data), Budget()) is reading


def test_bytes_that_are_opcodes_without_end_are_undecided() -> None:
    with pytest.raises(UndecidedError, match="could be a pickle"):
        read_as_pickle(Memory(b"N0" * budget.MAX_WALKED), Budget())


def test_the_work_is_shared_by_everything_in_one_file() -> None:
    shared = Budget()
    with contextlib.suppress(UndecidedError):
        read_as_pickle(Memory(b"N0" * 1_000_000), shared)
    assert shared.walked == budget.MAX_WALKED - 2_000_001
