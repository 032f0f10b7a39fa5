"""What a hostile worker writes in place of an answer."""

from __future__ import annotations

import json
import os
import stat
import struct
import sys
import time


def _raw(content: bytes) -> None:
    """Write on the channel of answers past the launcher, the only socket left beside the standard ones."""
    for descriptor in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                rest = memoryview(content)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                return
        except OSError:
            continue


def _frame(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def answer(text: str) -> None:
    _raw(_frame(text.encode("utf-8")))
    os._exit(0)


def answer_twice(text: str) -> None:
    _raw(_frame(text.encode("utf-8")) * 2)
    os._exit(0)


def answer_then_fail(text: str) -> None:
    _raw(_frame(text.encode("utf-8")))
    os._exit(3)


def answer_then_stay(text: str) -> None:
    _raw(_frame(text.encode("utf-8")))
    print("answered", file=sys.stderr, flush=True)
    time.sleep(60)


def answer_deep() -> None:
    answer('{"findings": ' + "[" * 200_000 + "]" * 200_000 + "}")


def answer_bytes() -> None:
    _raw(b"\xff\xfe\x00garbage")
    os._exit(0)


def answer_not_utf8() -> None:
    _raw(_frame(b'{"undecided": [{"location": "\xff", "reason": "x"}]}'))
    os._exit(0)


def answer_huge() -> None:
    _raw(struct.pack(">I", 2**31) + b" " * (64 * 1024 * 1024))
    os._exit(0)


def answer_many() -> None:
    one = {"location": "x", "reason": "y"}
    answer(json.dumps({"undecided": [one] * 10_001}))


def answer_half() -> None:
    _raw(struct.pack(">I", 1000) + b"{")
    os._exit(0)


def answer_nothing() -> None:
    os._exit(0)


def close_answers() -> None:
    os.closerange(3, 64)


def close_answers_and_stay() -> None:
    os.closerange(3, 64)
    time.sleep(60)


def print_much() -> None:
    print("frame? " * 1000)
    sys.stdout.flush()
    os.write(1, b"\x00\x00\x00\x02{}")


def flood_text() -> None:
    while True:
        os.write(1, b"x" * 65536)
