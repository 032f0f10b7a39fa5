"""Change JSON values and bytes at random, the way that somebody would who looks for a second reading."""

from __future__ import annotations

import copy
import random
from typing import Any, Final

NUMBERS: Final = (0, 1, -1, 0.0, 0.5, 1e-9, 1e308, 2**31, 2**53, 2**64, -(2**63), True, False, None)
TEXTS: Final = (
    *("", "a", "0" * 64, "f" * 64, "passed", "failed", "digest", "unbound", "platform", "9" * 400, "2099-12-31"),
    *("2026-11-24T12:00:00Z", "99999w", "1s", "\u202e", "\n", "é", "../x", "SHA256:", "dirHash:", "sha256:"),
)
KEYS: Final = ("check", "result", "digest", "sha256", "inputs", "files", "view", "seed", "role", "weaknesses", "spec")


def mutate(value: Any, rng: random.Random) -> Any:
    """Return a copy with one to four changes somewhere inside."""
    changed = copy.deepcopy(value)
    for _ in range(rng.randint(1, 4)):
        changed = _once(changed, rng)
    return changed


def _once(value: Any, rng: random.Random) -> Any:
    places = list(_places(value))
    if not places:
        return _leaf(value, rng)
    holder, key = rng.choice(places)
    match rng.randrange(7):
        case 0:
            del holder[key]
        case 1:
            holder[key] = _leaf(holder[key], rng)
        case 2:
            holder[key] = copy.deepcopy(_get(rng.choice(places)))
        case 3 if isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        case 3:
            holder[rng.choice(KEYS)] = copy.deepcopy(holder[key])
        case 4:
            holder[key] = [holder[key]]
        case 5:
            holder[key] = {rng.choice(KEYS): holder[key]}
        case _ if isinstance(holder[key], str) and holder[key]:
            text = holder[key]
            place = rng.randrange(len(text))
            holder[key] = text[:place] + rng.choice(("", "0", "z", "A", " ", "\x00")) + text[place + 1 :]
        case _:
            holder[key] = _leaf(holder[key], rng)
    return value


def _get(place: tuple[Any, Any]) -> Any:
    return place[0][place[1]]


def _places(value: Any) -> Any:
    pending = [value]
    while pending:
        current = pending.pop()
        keys = list(current) if isinstance(current, dict) else range(len(current)) if isinstance(current, list) else ()
        for key in keys:
            yield current, key
            pending.append(current[key])


def _leaf(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bool) or value is None:
        return rng.choice((True, False, None, 0, ""))
    if isinstance(value, (int, float)):
        return rng.choice((*NUMBERS, value + 1, value * 2, str(value)))
    return rng.choice((*TEXTS, 0, None))


def scramble(data: bytes, rng: random.Random) -> bytes:
    """Return bytes with one to eight of them changed, left out or doubled."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(changed)) if changed else 0
        match rng.randrange(4):
            case 0:
                changed[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                del changed[place : place + rng.randint(1, 40)]
            case 2:
                changed[place:place] = changed[place : place + rng.randint(1, 40)]
            case _:
                changed[place:place] = rng.choice((b"{", b"}", b"[", b"]", b":", b",", b'"', b"\n", b"- ", b"  ", b"#"))
    return bytes(changed)
