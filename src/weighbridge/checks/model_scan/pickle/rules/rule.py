"""What a rule about a listed name says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from weighbridge.checks.model_scan.pickle.attributes import Attributes
from weighbridge.checks.model_scan.pickle.values import Instance, Kept, Value

Items = list[Value]
Judge = Callable[[Items], bool]
"""Tells whether arguments are such as the pickles of a library have."""

StateJudge = Callable[[Instance, Value, Attributes], str | None]
"""Tells what is wrong with a state, or None."""


@dataclass(frozen=True, slots=True)
class Places:
    """An array whose numbers native code takes as places: from ``least``, below ``below``, none before its neighbour.

    ``what`` names them for people.
    """

    array: Value
    what: str
    below: int
    least: int = 0
    rising: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one kind of name may be used; what is not said here is forbidden.

    ``call`` judges the arguments of a plain call, ``new`` those of ``cls.__new__``; ``state`` judges what BUILD gives
    to a result; ``items`` says what the result may be filled with; ``kept`` how the name itself may lie around as
    data; ``is_plain`` that a result is made of numbers, text and bytes only; ``hashes`` that the call hashes what it
    is given; ``makes_any`` that the class is an argument, so that the result may be one that can be filled;
    ``needs_state`` that a library crashes over a result that is left without its state; ``places`` names the arrays
    of a result, at the end of its pickle, whose numbers are places in others, or None where they cannot be told.
    """

    call: Judge | None = None
    new: Judge | None = None
    state: StateJudge | None = None
    items: Literal["list", "dict"] | None = None
    kept: Kept = Kept.NEVER
    is_plain: bool = False
    hashes: bool = False
    makes_any: bool = False
    needs_state: bool = False
    places: Callable[[Instance], list[Places] | None] | None = None
