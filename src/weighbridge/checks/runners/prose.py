"""Tell text that people read from text in which a model, or the rows of a table, may lie.

A licence, a description, settings, labels and lists of packages are words with some numbers. A model or a table
written as text is numbers with some words. So what is measured is how much of a text is numbers, in every stretch of
it, how many follow each other or one and the same key, and whether a number stands where trees and linear models keep
theirs. JSON is also parsed and its numbers counted. Characters of
long runs without spaces count as numbers: what is written in hexadecimal or base64 is not read by people either.

This tells honest files from files in the formats that programs write. Numbers that were hidden among words on purpose
are not found; a program that reads them would have to be written for it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from weighbridge.checks.runners.settings import why_no_settings

STRETCH: Final = 2_048
"""Letters and digits that a share of numbers is taken of; of a shorter text, all."""

MAX_SHARE: Final = 0.4
"""Largest share of the letters and digits of a stretch that may belong to numbers."""

MAX_LIST: Final = 32
"""Most numbers that may follow each other without a word between them."""

MAX_REPEATED: Final = 32
"""Most fractions that may follow one and the same word, as thresholds do in trees that give each a name.

Of whole numbers as many may be given to one key by a colon or an equals sign, lists included.
"""

MAX_FRACTIONS: Final = 512
"""Most fractions in a text, whatever stands between them; reports with many tables have some 300."""

MAX_COMPARED: Final = 32
"""Most fractions with which words are compared that are compared with several, as features are in trees."""

FEW_NUMBERS: Final = 8
"""So many numbers may be all there is: ``0-9`` as labels, or one setting."""

_RUN: Final = 16
"""Letters and digits mixed without a space, so many and more, are no word."""

_LONGEST_COUNT: Final = 6
"""Digits of the largest number that may be one of a count."""

_LONG_WORD: Final = 40
"""ASCII letters without a space, so many and more, are no word either."""

_SENTENCE: Final = 2
"""Words with nothing but a space before them, so many and more in a row, are a sentence."""

_DIGEST: Final = re.compile(
    r"\b(?:sha(?:1|224|256|384|512)|md5)[:=-](?:[0-9a-fA-F]{32,128}\b|[0-9A-Za-z+/]{27,86}={0,2}(?![\w+/=]))"
)
_VERSION: Final = re.compile(
    r"(?:[=<>~!]=|(?<![-=])[<>^]|\bv) ?\d{1,4}(?:\.\d{1,4}){0,5}(?![\d.])|(?<![\w.])\d{1,4}(?:\.\d{1,4}){2,5}(?![\d.])"
)
_TIME: Final = re.compile(
    r"(?<![\w.+-])(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?(?![\d.])"
)
_TOKEN: Final = re.compile(r"(?:(?<![\w.])[+-])?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?![^\W\d_])|[^\W_]+")
_FRACTION: Final = re.compile(r"[+-]?\d*(?:\.\d+(?:[eE][+-]?\d+)?|\d[eE][+-]?\d+)")
# A hyphen goes on with no list but with a date.
_JOINED: Final = re.compile(r"[^\w:=,;]{0,8}[:=][^\w:=,;]{0,256}")
_LISTED: Final = re.compile(r"[\s,\[\]()\"']{1,256}")
# Possessive, so that each place is looked at once: of a plain ``\s*\[*\s*`` spaces can be shared out in many ways.
_PARAMETER: Final = re.compile(
    r"\b(?:left_child(?:ren)?|right_child(?:ren)?|leaf_(?:values?|weights?)|split_(?:feature|conditions?|indices)"
    r"|base_weights|coefs?_?|coefficients?|intercepts?_?|support_vectors_?)\b\\?[\"']?\s*+[=:][\s\[]*+[+-]?[\d.]"
    r"|\b(?:weights?|bias(?:es)?)\b\\?[\"']?\s*+[=:]\s*+\[[\s\[]*+[+-]?[\d.]"
)
_FORMAT: Final = re.compile(
    r"\"(?:gradient_booster|oblivious_trees|weightsManifest)\\?\"|<(?:[^\s<>/:]{1,64}:)?PMML\b|^booster\[\d|^Tree=\d"
    r"|^(?:svm|solver)_type |\bsaved_model_schema_version\b|\btensor_content\b|\b(?:float|double|half|int|int64)_val:"
    r"|\b(?:float|double|int32|int64|raw)_data:",
    re.MULTILINE,
)
# A version of a package is compared like a threshold, but a package with few of them.
_COMPARED: Final = re.compile(
    r"\b([^\W\d]\w*+(?:\[\w{1,40}\])?)[^\w<>]{0,3}[<>]=? {0,2}(-?\d{1,20}\.\d{1,20})(?![\d.])"
)
_SEVERAL: Final = 3
_TAG: Final = re.compile(r"(<[/?A-Za-z][^<>]*+)>")
"""A tag of XML or HTML, whose end compares nothing."""

_INDEXED: Final = re.compile(r"[A-Za-z]{1,12}\d{1,3}")
"""A name with a number behind it, as columns have: ``V28``, ``f0``."""

_ESCAPE: Final = re.compile(r"\\u[0-9a-fA-F]{4}")
"""A letter of another script, as JSON may write it."""

_NEEDLESS: Final = re.compile(r"\\(?:u00|x|U000000)(?:3\d|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA])")
"""An ASCII letter, digit or underscore as an escape of JSON or YAML, which neither needs: marks would not be found."""


@dataclass(frozen=True, slots=True)
class _Token:
    """A word or a number of a text; ``key`` is the word that a colon or an equals sign joins a number to, if any."""

    text: str
    number: bool
    key: str

    @property
    def size(self) -> int:
        """Return its length in characters."""
        return len(self.text)


def why_not_prose(text: str) -> str | None:
    """Return what makes a text none that people read, in words that follow "it", or None when it is one."""
    bare = _TAG.sub(r"\1\n", text)
    return (
        _why_written_by_program(text) or _why_compared(bare) or why_no_settings(text) or _why_numbers([*_tokens(bare)])
    )


def _why_written_by_program(text: str) -> str | None:
    model = _PARAMETER.search(text) or _FORMAT.search(text)
    if model:
        return f"has {model.group().split()[0][:40]!r}, as models do that are written as text"
    needless = _NEEDLESS.search(text)
    if needless:
        return f"writes a letter or digit as {needless.group()!r}, which hides words from whoever looks for them"
    return None


def _why_compared(text: str) -> str | None:
    found: dict[str, set[str]] = defaultdict(set)
    for name, value in _COMPARED.findall(text):
        found[name].add(value)
    count = sum(len(values) for values in found.values() if len(values) >= _SEVERAL)
    if count > MAX_COMPARED:
        return f"compares names with {count} fractions, as trees do that are written as text"
    return None


def _why_numbers(tokens: list[_Token]) -> str | None:
    numbers = [token.size for token in tokens if token.number]
    if len(numbers) <= FEW_NUMBERS and max(numbers, default=0) < _RUN:
        return None
    longest = _longest_list(tokens)
    if longest > MAX_LIST:
        return f"has {longest} numbers that follow each other; at most {MAX_LIST} do in text that people read"
    word, count = _commonest_key(tokens)
    if count > MAX_REPEATED:
        return f"gives {word[:40]!r} {count} numbers; at most {MAX_REPEATED} in text that people read"
    fractions = sum(token.number and _FRACTION.fullmatch(token.text) is not None for token in tokens)
    if fractions > MAX_FRACTIONS:
        return f"has {fractions} fractions; at most {MAX_FRACTIONS} are in text that people read"
    share = _largest_share(tokens)
    if share > MAX_SHARE:
        return f"has a part of which numbers are {share:.0%}; at most {MAX_SHARE:.0%} are in text that people read"
    return None


def _tokens(text: str) -> Iterator[_Token]:
    # Digests and versions are numbers that belong to a name, and a lock file has little else. Times are no values.
    named = _TIME.sub(" ", _VERSION.sub(" ", _DIGEST.sub(" ", _ESCAPE.sub("x", text))))
    last, after_word, new = -1, True, False
    word, key, end, sentence = "", "", 0, 0
    for match in _TOKEN.finditer(named):
        token = match.group()
        number = _is_number(token)
        between, end = named[end : match.start()], match.end()
        if not number:
            word, key = token.lower(), ""
            sentence = sentence + 1 if between and not between.strip(" ") else 0
        elif word and _JOINED.fullmatch(between):
            # With a colon the third word in a row without a sign between them is the end of a sentence, and no key.
            word, key = "", word if "=" in between or sentence < _SENTENCE else ""
        elif not key or not _LISTED.fullmatch(between):
            word = key = ""
        if token.isdecimal() and len(token) <= _LONGEST_COUNT:
            # Numbers that count, as before labels and words, and those that say the same once more tell nothing.
            step, last = int(token) - last, int(token)
            if step == 1 or (step == 0 and (after_word or new)):
                after_word, new = False, step == 1
                continue
        after_word, new = not number, False
        yield _Token(text=token, number=number, key=key)


def _is_number(token: str) -> bool:
    digits = sum(letter.isdecimal() for letter in token)
    if not digits:
        return token.isascii() and len(token) >= _LONG_WORD
    if _INDEXED.fullmatch(token):
        return False
    # A sign, a point or an exponent's sign stand in numbers alone.
    return not token.isalnum() or len(token) >= _RUN or 2 * digits >= len(token)


def _longest_list(tokens: list[_Token]) -> int:
    longest = current = 0
    for token in tokens:
        current = current + 1 if token.number else 0
        longest = max(longest, current)
    return longest


def _commonest_key(tokens: list[_Token]) -> tuple[str, int]:
    # Whole numbers after a word are figures, sections and years; after a colon or an equals sign they are its values.
    joined: dict[str, list[str]] = defaultdict(list)
    for token in tokens:
        if token.number and token.key:
            joined[token.key].append(token.text)
    fractions = Counter(
        before.text.lower()
        for before, token in pairwise(tokens)
        if _FRACTION.fullmatch(token.text) and not before.number
    )
    values = [(key, len(texts)) for key, texts in joined.items() if not _rises(texts)]
    return max([*values, *fractions.items()], key=lambda item: item[1], default=("", 0))


def _rises(texts: list[str]) -> bool:
    # Identifiers, which have gaps where one is missing.
    return all(text.isdecimal() and len(text) <= _LONGEST_COUNT for text in texts) and all(
        int(before) < int(after) for before, after in pairwise(texts)
    )


def _largest_share(tokens: list[_Token]) -> float:
    # The stretch that ends with each token; of a text that is shorter, the one that is all of it.
    largest = 0.0
    first = size = numbers = 0
    for token in tokens:
        size += token.size
        numbers += token.size if token.number else 0
        while size - tokens[first].size >= STRETCH:
            size -= tokens[first].size
            numbers -= tokens[first].size if tokens[first].number else 0
            first += 1
        if size >= STRETCH:
            largest = max(largest, numbers / size)
    return largest if first or size >= STRETCH else numbers / max(size, 1)
