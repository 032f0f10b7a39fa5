"""Names of files in a model: what two systems or two people would read differently."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import pytest

from weighbridge.errors import ModelError
from weighbridge.model.digest import hash_model
from weighbridge.model.ignorable import RANGES, without_ignorable
from weighbridge.model.names import folded, require_distinct, require_name

TWINS = [
    ("caf\u00e9.bin", "cafe\u0301.bin"),
    ("Model.bin", "model.bin"),
    ("STRASSE", "stra\u00dfe"),
    ("\u00c9", "e\u0301"),
    ("\u212a.bin", "k.bin"),
    ("d/A/x", "d/a/y"),
    ("d\u00e9/x", "de\u0301/y"),
    ("model.bin", "model.bin:stream"),
    ("w ", "w.."),
]


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


@pytest.mark.parametrize(("one", "two"), TWINS, ids=ascii)
def test_two_names_that_are_one_on_other_systems_are_refused_with_both(tmp_path: Path, one: str, two: str) -> None:
    write(tmp_path, one, two)
    with pytest.raises(ModelError, match="cannot both be unpacked on macOS or Windows") as refusal:
        hash_model(tmp_path)
    differing = next((a, b) for a, b in zip(one.split("/"), two.split("/"), strict=True) if a != b)
    for part in differing:
        assert repr(part) in refusal.value.message or ascii(part) in refusal.value.message
    assert "rename one" in refusal.value.remedy


def test_twins_by_form_of_unicode_are_shown_so_that_they_can_be_told_apart() -> None:
    with pytest.raises(ModelError) as refusal:
        require_distinct(["caf\u00e9", "cafe\u0301"], directory="")
    assert r"'caf\xe9'" in refusal.value.message
    assert r"'cafe\u0301'" in refusal.value.message


LEFT_OUT = ["\u034f", "\ufe0f", "\U000e0100", "\u115f", "\u3164", "\u180b"]


@pytest.mark.parametrize("character", LEFT_OUT, ids=ascii)
def test_two_names_that_differ_by_what_a_file_system_leaves_out_are_twins(tmp_path: Path, character: str) -> None:
    """ext4 and f2fs with casefold compare without Default_Ignorable_Code_Points (fs/unicode, utf8nfdicf)."""
    write(tmp_path, "model.bin", f"Model{character}.bin")

    with pytest.raises(ModelError, match="cannot both lie on ext4") as refusal:
        hash_model(tmp_path)
    assert "rename one" in refusal.value.remedy


def test_twins_by_what_is_left_out_are_shown_so_that_they_can_be_told_apart() -> None:
    with pytest.raises(ModelError) as refusal:
        require_distinct(["a", "a\u034f"], directory="")
    assert r"'a\u034f'" in refusal.value.message


def test_what_is_left_out_between_two_accents_does_not_hide_their_order() -> None:
    """Unicode's canonical order of accents ends at U+034F; without it both names are one."""
    assert folded("a\u0301\u034f\u0323") == folded("a\u0323\u0301")


def test_a_name_with_such_a_character_and_no_twin_is_accepted(tmp_path: Path) -> None:
    hash_model(write(tmp_path, "\u2764\ufe0f.bin", "\u3164", "\u8fbb\U000e0100"))


def test_what_is_left_out_is_what_the_standard_lists() -> None:
    """DerivedCoreProperties-14.0.0.txt ends the property with "Total code points: 4174"."""
    points = [point for first, last in RANGES for point in range(first, last + 1)]
    assert (len(points), points) == (4174, sorted(set(points)))
    assert all(not without_ignorable(chr(point)) for point in points)
    kept = "".join(chr(point) for point in set(range(sys.maxunicode + 1)) - set(points))
    assert without_ignorable(kept) == kept


def test_the_same_name_in_two_directories_is_no_twin(tmp_path: Path) -> None:
    hash_model(write(tmp_path, "a/x", "b/X", "ab/x"))


INVISIBLE = [
    *map(chr, [0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
    *map(chr, [0x2028, 0x2029, 0x80, 0x85, 0x9F, 0x200B, 0x200C, 0x200D, 0xFEFF, 0xAD, 0xE0041, 0x180E]),
]


@pytest.mark.parametrize("character", INVISIBLE, ids=ascii)
@pytest.mark.parametrize("place", ["file", "directory"])
def test_a_name_that_reads_as_another_is_refused_and_shown_with_escapes(
    tmp_path: Path, character: str, place: str
) -> None:
    name = f"gnp{character}exe.bin"
    write(tmp_path, name if place == "file" else f"{name}/x")
    with pytest.raises(ModelError) as refusal:
        hash_model(tmp_path)
    assert character not in refusal.value.message
    assert ascii(character)[1:-1] in refusal.value.message
    assert f"U+{ord(character):04X}" in refusal.value.message
    assert "rename" in refusal.value.remedy


def test_the_rule_is_over_categories_and_has_no_hole() -> None:
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if unicodedata.category(character) in {"Cc", "Cf", "Cn", "Zl", "Zp"} and character:
            with pytest.raises(ModelError):
                require_name(f"a{character}", name=f"a{character}")


@pytest.mark.parametrize("name", ["模型.bin", "gewölbe", "модель", "🏋.bin", "two words", "a\u00a0b", "-rf", "--help"])
def test_honest_names_are_accepted(tmp_path: Path, name: str) -> None:
    hash_model(write(tmp_path, name))
    hash_model(tmp_path / name)


def test_folding_of_ascii_is_that_of_everything_else() -> None:
    for point in range(0x20, 0x7F):
        slow = unicodedata.normalize("NFD", unicodedata.normalize("NFD", chr(point)).casefold())
        assert folded(chr(point)) == slow
