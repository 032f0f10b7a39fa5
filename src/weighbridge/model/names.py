"""Which names a file of a model may have: those that every system reads as one and the same name.

A rule over Unicode's categories in place of a list of bad characters, and one over pairs: two names of one directory
must still be two where a file system does not tell case or the forms of Unicode apart.
``docs/decisions/0010-names-that-two-systems-read-differently.md`` says why and what it costs.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from typing import Final

from weighbridge.errors import ModelError
from weighbridge.model.clutter import advice
from weighbridge.model.ignorable import without_ignorable

INVISIBLE: Final = {
    "Cc": "a control character",
    "Cf": "a character that cannot be seen",
    "Cn": "a character that is not assigned",
    "Cs": "half of a surrogate pair",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
}
"""Unicode categories that no name may hold, in words: with them a name can read as another one, or as two lines."""


def require_name(base: str, *, name: str) -> None:
    """Return when ``base``, the last part of ``name``, may be the name of a file or directory of a model.

    Raises:
        ModelError: For bytes that are not UTF-8, for what ``sha256sum`` would escape, and for what cannot be seen.
    """
    # Where the locale is not UTF-8, Python's name is not that of the bytes on disk, and two trees would share a digest.
    raw = os.fsencode(base)
    if raw != base.encode(errors="replace"):
        raise ModelError(
            f"the name {raw!r} is not UTF-8, or this process reads names in another encoding",
            remedy="rename the file, or set LC_ALL=C.UTF-8",
        )
    if "\\" in base:
        raise ModelError(f"the name {name!r} has a backslash, which sha256sum would escape", remedy="rename the file")
    if base.isascii() and base.isprintable():
        return
    for character in base:
        if (kind := INVISIBLE.get(unicodedata.category(character))) is not None:
            raise ModelError(
                f"the name {name!r} has {kind} (U+{ord(character):04X}), with which it reads as another name",
                remedy=advice([name]) or "rename the file",
            )


def require_distinct(names: Iterable[str], *, directory: str) -> None:
    """Return when the names of one directory differ by more than case and the form of Unicode.

    Names are compared directory by directory, which is enough: of two whole paths that fold to the same, the first
    parts that differ lie in one directory.

    Raises:
        ModelError: Naming the first two that macOS, Windows, or Linux without regard to case would take for one.
    """
    listed = list(names)
    if len({folded(name) for name in listed}) == len(listed):
        return
    first: dict[str, str] = {}
    for name in sorted(listed):
        other = first.setdefault(folded(name), name)
        if other != name:
            inside = f" in {directory!r}" if directory else ""
            one, two = _told_apart(other, name)
            raise ModelError(
                f"the names {one} and {two}{inside} differ by {_difference(other, name)}",
                remedy="rename one of the two",
            )


def folded(name: str) -> str:
    """Return what names have in common that some file system takes for one.

    They differ by case or by the form of Unicode only (Unicode, D145), or by what Windows or Linux leaves out.
    """
    if name.isascii():
        return _as_on_windows(name).lower()
    # Before the form of Unicode is made: what is left out keeps accents from being put in order.
    plain = unicodedata.normalize("NFD", _as_on_windows(without_ignorable(name)))
    return unicodedata.normalize("NFD", plain.casefold())


def _as_on_windows(name: str) -> str:
    # On NTFS a colon begins a stream of the file before it, and Windows drops spaces and dots at the end of a name.
    return name.partition(":")[0].rstrip(" .") or name


def _difference(one: str, two: str) -> str:
    macos_and_windows = "only, and cannot both be unpacked on macOS or Windows"
    if _same_characters(one, two):
        return f"the form of Unicode (NFC and NFD) {macos_and_windows}"
    if unicodedata.normalize("NFD", one).casefold() == unicodedata.normalize("NFD", two).casefold():
        return f"case {macos_and_windows}"
    if without_ignorable(one) != one or without_ignorable(two) != two:
        return "characters that are not shown, and cannot both lie on ext4 or f2fs without regard to case"
    return f"what Windows leaves out of names {macos_and_windows}"


def _same_characters(one: str, two: str) -> bool:
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", two)


def _told_apart(one: str, two: str) -> tuple[str, str]:
    # What looks alike is written with escapes.
    if _same_characters(without_ignorable(one), without_ignorable(two)):
        return ascii(one), ascii(two)
    return repr(one), repr(two)
