from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from weighbridge import _yaml
from weighbridge._struct import Wire
from weighbridge.errors import ParseError

PLAIN = st.recursive(
    st.booleans()
    | st.integers(-(2**40), 2**40)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abcxyz", min_size=1), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text("abc", min_size=1), PLAIN, min_size=1))
def test_reads_plain_values(value: dict[str, object]) -> None:
    text = yaml.dump(value, Dumper=NoAlias)
    assert _yaml.load(text.encode(), name="x").value == value


class NoAlias(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


@given(st.binary(max_size=100))
def test_any_bytes_are_parsed_or_refused(data: bytes) -> None:
    message = "x"
    try:
        _yaml.load(data, name="x")
    except ParseError as error:
        message = str(error)
    assert message.startswith("x")


BOMB = "a: &a [x,x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)},*{chr(97 + i)}]\n" for i in range(20))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "x:1: anchors"),
        ("a: *b", "x:1: anchors and aliases"),
        ("a: 1\nb:\n  <<: {c: 1}", "x:3: a key must be a plain string"),
        ("a: !!python/object/apply:os.system [x]", "x:1: tags"),
        ("a: !custom 1", "x:1: tags"),
        ("a: 1\na: 2", "x:2: the key 'a' appears twice"),
        ("a: 1\n---\nb: 2", "x:"),
        ("1: a", "a key must be"),
        ("[a]: b", "a key must be"),
        ("a: yes", "x:1: write true or false"),
        ("a: 0x10", "decimal"),
        ("a: 0b1", "decimal"),
        ("a: [1", "x:"),
        ("a: 'x", "x:"),
        ("\ta: 1", "x:1"),
        ("", "x is empty"),
        ("# only a comment", "x is empty"),
        ("a: " + "[" * 30 + "]" * 30, "deeper than 24"),
        ("- " * 30 + "a", "deeper than 24"),
        ("a: \x07", "steers a terminal"),
        (r'a: "\U99999999"', "not YAML"),
        ("%YAML " + "1" * 5000 + ".1\n---\na: b", "not YAML"),
        ("a: 010", "decimal"),
        ("a: 1_000", "decimal"),
        ("a: +5", "decimal"),
        ("a: 1.0e+400", "decimal"),
        ("a: 1:30", "decimal"),
        ("a: .inf", "decimal"),
        (r'b: 1\na: "\e[2J"'.replace(r"\n", "\n"), "x:2: the text"),
        (r'a: "\ud800"', "cannot be seen"),
        (r'a: "\u202e"', "cannot be seen"),
        (r'"\e[2J": a', "cannot be seen"),
    ],
)
def test_refuses_with_file_and_line(text: str, words: str) -> None:
    with pytest.raises(ParseError) as caught:
        _yaml.load(text.encode(), name="x")
    assert words in str(caught.value)


def test_refuses_too_many_values_and_too_many_bytes() -> None:
    with pytest.raises(ParseError, match="more than 100000 values"):
        _yaml.load(b"[" + b"a," * 100_001 + b"]", name="x")
    with pytest.raises(ParseError, match="bytes"):
        _yaml.load(b" " * (_yaml.MAX_YAML_BYTES + 1), name="x")


def test_dates_stay_text() -> None:
    assert _yaml.load(b"a: 2026-12-31\nb: 2026-12-31T00:00:00Z", name="x").value == {
        "a": "2026-12-31",
        "b": "2026-12-31T00:00:00Z",
    }


class Inner(Wire):
    count: int


class Outer(Wire):
    items: tuple[Inner, ...]


def test_errors_of_types_name_the_line() -> None:
    text = b"items:\n  - count: 1\n  - count: one\n"
    with pytest.raises(ParseError, match=r"^x:3: Expected `int`.*items\[1\]\.count"):
        _yaml.load(text, name="x").convert(Outer)
