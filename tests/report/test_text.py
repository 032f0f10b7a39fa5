from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report.samples import HOSTILE
from weighbridge.report._text import clean, clean_block, cut, plural, short_digests

ANY = st.text(st.characters(codec=None, categories=None))


@given(ANY)
def test_cleaned_text_has_nothing_that_acts_on_its_reader(text: str) -> None:
    for character in clean(text):
        assert unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co"}


@given(ANY)
def test_cleaned_text_can_be_encoded_and_stays_as_it_is(text: str) -> None:
    clean(text).encode()
    assert clean(clean(text)) == clean(text)


@given(ANY, st.integers(1, 50))
def test_cut_text_is_bounded(text: str, limit: int) -> None:
    assert len(cut(text, limit=limit)) <= limit + 40


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("zwölf Straßen", "zwölf Straßen"),
        ("a\x00b", "a\\x00b"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("one\r\ntwo\tthree", "one two three"),
    ],
)
def test_hostile_characters_become_visible(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_block_keeps_its_lines() -> None:
    assert clean_block("a\nb\x07") == "a\nb\\x07"


def test_cut_says_how_much_is_missing() -> None:
    assert cut("x" * 100, limit=10) == "xxxxxxxxxx… (90 more characters)"


def test_text_that_is_hardly_too_long_is_shown_whole() -> None:
    assert cut("x" * 110, limit=100) == "x" * 110
    assert cut("x" * 111, limit=100).endswith("(11 more characters)")


def test_short_text_is_not_cut() -> None:
    assert cut("x" * 10, limit=10) == "x" * 10


def test_text_that_only_grows_by_escapes_is_cut_too() -> None:
    assert cut("\u202e" * 10, limit=10) == "\\u202e\\u20…"


def test_hostile_sample_really_is_hostile() -> None:
    assert {"\x00", "\x1b", "\u202e", "\ud800", "<", '"', "`", "|", "\n"} <= set(HOSTILE)


def test_plural() -> None:
    assert (plural(1, "file"), plural(0, "file"), plural(2, "advisory", nouns="advisories")) == (
        "1 file",
        "0 files",
        "2 advisories",
    )


def test_digests_are_shortened_for_people_and_nothing_else_is() -> None:
    text = f"it is about dirHash:{'ab' * 32}, not about sha256:{'0' * 64}"
    assert short_digests(text) == "it is about dirHash:abababababab…, not about sha256:000000000000…"
    for whole in ("SHA256:KlBuzd+gmeSPio39", f"dirHash:{'a' * 63}", f"sha256:{'a' * 65}", "ab" * 32):
        assert short_digests(whole) == whole
