"""Tell JSON of settings, labels and vocabularies from JSON of a model, by how many numbers it gives as values.

A configuration has some dozens of numbers, and a list of labels or a vocabulary numbers what it names. A model has
hundreds, and whoever writes one may call its parts as they like and space them as they like. So the document is parsed,
and its numbers are counted wherever they stand.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from weighbridge._json import loads
from weighbridge.errors import ParseError

MAX_VALUES: Final = 256
"""Most numbers that may be values; the configuration of a multimodal model, defaults included, has about a hundred."""

_LONGEST_NUMBER: Final = 32
"""Characters of the longest string that may be a number; models of XGBoost keep numbers in strings."""

_FEWEST_NAMES: Final = 32
"""Words of the smallest vocabulary whose numbers are not counted."""

_BETWEEN: Final = " \t\r\n,\x1e"
"""What may stand between documents that follow each other."""

_LARGEST: Final = 1e300
"""Stands for whole numbers that no double holds."""


def why_no_settings(text: str) -> str | None:
    """Return what makes a JSON document none of settings, in words that follow "it"; None for other text.

    Numbers that name things are not counted: those of a large map from words to different whole numbers from 0 on, as
    vocabularies are, and those that rise from one object of a list to the next under one key, as identifiers do.
    """
    bare = text.removeprefix("\ufeff")
    if not bare.lstrip(" \t\r\n").startswith(("{", "[", '"')):
        return None
    try:
        value = loads(bare.encode(), what="the text")
    except ParseError:
        try:
            value = _as_others_read(bare)
        except RecursionError:
            return "is JSON that nests deeper than settings do, so its numbers cannot be counted"
    count = _values_in(value)
    if count > MAX_VALUES:
        return f"is JSON with {count} numbers as values; at most {MAX_VALUES} are in settings, labels and vocabularies"
    return None


def _as_others_read(text: str) -> list[object]:
    """Return the documents at the beginning of a text, one after another, as readers take them that are not strict.

    Most read numbers that are none (``NaN``), keys that appear twice, half a surrogate pair, and one document a line.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_every_pair, parse_int=_whole)
    found: list[object] = []
    place = 0
    while place < len(text):
        if text[place] in _BETWEEN:
            place += 1
            continue
        try:
            value, place = decoder.raw_decode(text, place)
        except ValueError:
            break
        found.append(value)
    return found


def _every_pair(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # Of a key that appears twice one value is read, and which one depends on who reads: so both count.
    found: dict[str, object] = {}
    for place, (key, value) in enumerate(pairs):
        found[key if key not in found else f"{key}\0{place}"] = value
    return found


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else _LARGEST


def _values_in(document: object) -> int:
    count = 0
    under: dict[str, list[float]] = defaultdict(list)
    rest = [document]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            # Backwards, so that the stack gives them in the order of the document.
            rest.extend(each for each in reversed(value.values()) if isinstance(each, dict | list))
            if not _names(value):
                for key, number in _numbers(value):
                    under[key].append(number)
        elif isinstance(value, list):
            rest.extend(reversed([each for each in value if isinstance(each, dict | list)]))
            count += sum(_number(each) is not None for each in value)
        elif isinstance(value, str):
            count += _number(value) is not None
    for numbers in under.values():
        rises = all(number.is_integer() for number in numbers) and all(a < b for a, b in pairwise(numbers))
        count += len(numbers) if len(numbers) == 1 or not rises else 0
    return count


def _numbers(value: Mapping[str, object]) -> Iterator[tuple[str, float]]:
    for key, each in value.items():
        number = _number(each)
        if number is not None:
            yield key, number


def _names(value: Mapping[str, object]) -> bool:
    # A vocabulary: every value is a whole number, and no two words have the same. The few of a node are so by chance.
    numbers = [each for each in value.values() if type(each) is int and each >= 0]
    return _FEWEST_NAMES <= len(value) == len(numbers) == len(set(numbers))


def _number(value: object) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if abs(value) < _LARGEST else _LARGEST
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER:
        try:
            return float(value)
        except ValueError:
            return None
    return None
