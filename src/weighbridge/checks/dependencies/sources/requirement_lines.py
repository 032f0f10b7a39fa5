"""The lines of a requirements file, put together as pip puts them together.

Source: pip documentation, "Requirements File Format". Nothing is evaluated here; a line becomes an option with its
argument or the text of one requirement with its hashes.
"""

from __future__ import annotations

import codecs
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weighbridge.errors import ParseError

MAX_LINES: Final = 200_000
"""Most lines in one requirements file."""

MAX_LINE: Final = 256 * 1024
"""Longest logical line, in characters; a requirement with the hashes of two hundred files has about 20,000."""

_CODING: Final = re.compile(rb"coding[:=]\s*([-\w.]+)")
"""As pip looks for it in a comment of the first two lines (``pip._internal.req.req_file``)."""

_UTF_8: Final = frozenset({"utf-8", "utf8"})
_COMMENT_LINE: Final = re.compile(r"^\s*#")
_OPTION_START: Final = re.compile(r"\s(?=--?[a-zA-Z])")
_VARIABLE: Final = re.compile(r"\$\{[A-Z0-9_]+\}")

_SHORT: Final = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-i": "--index-url",
    "-f": "--find-links",
}
_WITH_VALUE: Final = frozenset(
    {
        "--requirement",
        "--constraint",
        "--editable",
        "--index-url",
        "--pypi-url",
        "--extra-index-url",
        "--find-links",
        "--trusted-host",
        "--no-binary",
        "--only-binary",
        "--all-releases",
        "--only-final",
        "--use-feature",
        "--uploaded-prior-to",
    }
)
INCLUDES: Final = frozenset({"--requirement", "--constraint"})
"""Options that include another file."""

_FLAGS: Final = frozenset({"--no-index", "--prefer-binary", "--require-hashes", "--no-require-hashes", "--pre"})

_HASH: Final = "--hash"
_OF_REQUIREMENTS: Final = frozenset(
    {_HASH, "--config-settings", "--config-setting", "--global-option", "--install-option"}
)
"""Options that a requirement itself may have. Each takes a value."""


@dataclass(frozen=True, slots=True)
class OptionLine:
    """An option that stands on a line of its own, by its long name."""

    number: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class RequirementLine:
    """One requirement, with the hashes that its file must have."""

    number: int
    text: str
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that means something to pip, maybe, but not to us."""

    number: int
    reason: str


Line = OptionLine | RequirementLine | UnreadableLine


def decode(data: bytes, *, what: str) -> str:
    """Return the text of a requirements file, which must be UTF-8, with or without a byte order mark.

    pip would read other encodings: the one of a byte order mark, the one that a comment names, and where bytes are not
    UTF-8 the one of the locale. All of these are refused, for in another encoding a comment can be a requirement.

    Raises:
        ParseError: For other bytes, and where a comment names another encoding.
    """
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n")[:2], start=1):
        found = _CODING.search(line) if line.startswith(b"#") else None
        coding = "utf-8" if found is None else found[1].decode("ascii")
        if coding.lower().replace("_", "-") not in _UTF_8:
            raise ParseError(
                f"line {number} of {what} says that it is written in {coding[:60]}; only UTF-8 is read",
                remedy="save it as UTF-8, and take the comment out",
            )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(f"{what} is not UTF-8: {error.reason} at byte {error.start}") from None


def lines(text: str, *, what: str) -> Iterator[Line]:
    """Yield the options and requirements of a requirements file in order.

    Raises:
        ParseError: When the file has too many lines, or one that is too long.
    """
    for number, logical in _joined(text, what):
        bare = _without_comment(logical).strip()
        if bare:
            yield from _one(number, bare)


def _joined(text: str, what: str) -> Iterator[tuple[int, str]]:
    # As pip: a backslash at the end goes on in the next line, except that a comment line ends what it continues.
    parts: list[str] = []
    start, length = 1, 0
    for number, line in enumerate(text.splitlines(), start=1):
        if number > MAX_LINES:
            raise ParseError(f"{what} has more than {MAX_LINES} lines")
        comment = _COMMENT_LINE.match(line) is not None
        if not parts:
            start, length = number, 0
        length += len(line)
        if length > MAX_LINE:
            raise ParseError(f"line {start} of {what} is longer than {MAX_LINE} characters")
        if line.endswith("\\") and not comment:
            parts.append(line.strip("\\"))
        else:
            parts.append(f" {line}" if comment else line)
            yield start, "".join(parts)
            parts = []
    if parts:
        yield start, "".join(parts)


def _without_comment(line: str) -> str:
    # By hand, since the regular expression for "space before #" takes quadratic time on a line of spaces.
    place = line.find("#")
    while place > 0 and not line[place - 1].isspace():
        place = line.find("#", place + 1)
    return line if place == -1 else line[:place]


def _one(number: int, text: str) -> Iterator[Line]:
    if _VARIABLE.search(text):
        yield UnreadableLine(number, "it takes a value from an environment variable, which is not known here")
        return
    try:
        yield from _options(number, text) if text.startswith("-") else (_requirement(number, text),)
    except ValueError as error:
        yield UnreadableLine(number, f"its quoting cannot be read: {error}")


def _options(number: int, text: str) -> Iterator[Line]:
    words = iter(shlex.split(text))
    included = 0
    for word in words:
        name, value = _option(word)
        if name in _WITH_VALUE:
            value = value or next(words, "")
            included += name in INCLUDES
            if included > 1:
                yield UnreadableLine(
                    number, "it includes several files, of which pip reads one: give each its own line"
                )
                return
            yield OptionLine(number, name, value) if value else UnreadableLine(number, f"{name} has no value")
        elif name in _FLAGS and not value:
            yield OptionLine(number, name, "")
        else:
            yield UnreadableLine(number, f"the option {name[:60]!r} is not known")
            return


def _option(word: str) -> tuple[str, str]:
    """Split ``--name=value``, ``-nvalue`` and ``-n=value`` into the long name and what may be its value."""
    if word.startswith("--"):
        name, _, value = word.partition("=")
        return name, value
    short, rest = word[:2], word[2:]
    return (_SHORT[short], rest.removeprefix("=")) if short in _SHORT else (word, "")


def _requirement(number: int, text: str) -> Line:
    parts = _OPTION_START.split(text)
    hashes: list[str] = []
    words = iter([word for part in parts[1:] for word in shlex.split(part)])
    for word in words:
        name, equals, value = word.partition("=")
        if name not in _OF_REQUIREMENTS:
            return UnreadableLine(number, f"the option {word[:60]!r} is not known")
        # As optparse: without an equals sign the next word is the value, whatever it looks like.
        value = value if equals else next(words, "")
        if name == _HASH:
            hashes.append(value)
    return RequirementLine(number, parts[0].strip(), tuple(hashes))
