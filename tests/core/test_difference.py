from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.model.difference import SHOWN, Difference

FILES = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("0123"))


def test_one_changed_byte_and_one_added_file_are_both_named() -> None:
    # sigstore/model-transparency #487: which file differs?
    found = Difference.between({"a.bin": "0", "b": "1"}, {"a.bin": "2", "b": "1", ".DS_Store": "3"})
    assert found.sentence() == "'a.bin' was changed and '.DS_Store' was added"
    assert "delete .DS_Store" in found.advice()


def test_what_the_hubs_client_leaves_in_a_directory_is_named_with_what_to_do() -> None:
    """`hf download --local-dir` writes times there, so no two downloads have one digest."""
    name = ".cache/huggingface/download/config.json.metadata"
    assert "delete .cache/huggingface" in Difference.between({name: "0" * 64}, {name: "1" * 64}).advice()
    assert not Difference.between({}, {"my.cache/huggingface/x": "0" * 64, ".cache/x": "1" * 64}).advice()


def test_a_file_with_the_same_bytes_under_another_name_was_renamed() -> None:
    found = Difference.between({"a": "0", "b": "1"}, {"a": "0", "c": "1"})
    assert (found.renamed, found.added, found.removed) == ((("b", "c"),), (), ())
    assert found.sentence() == "'b' was renamed to 'c'"


def test_three_are_named_and_the_rest_is_counted_with_foreign_files_last() -> None:
    # sigstore/model-transparency #22, #374, #453: two clones of one repository differ by much of .git.
    after = {f".git/{number}": "0" for number in range(40)} | {"model.bin": "2"}
    found = Difference.between({"model.bin": "1"}, after)
    assert found.sentence().startswith("'model.bin' was changed, '.git/0' was added, '.git/1' was added and 38 more")
    assert "git archive HEAD | tar -x -C DIR" in found.advice()


def test_names_cannot_steer_a_terminal_or_pretend_to_be_a_sentence() -> None:
    names = ["\x1b[31m", "gnp\u202eexe", "two\nlines", "x" * 5000, "it's", "'a' was removed and 'b"]
    found = Difference.between({}, dict.fromkeys(names, "0"))
    for name in names:
        said = Difference.between({}, {name: "0"}).sentence()
        assert said.isprintable()
        assert len(said) < 400
    assert Difference.between({}, {"'a' was removed and 'b": "0"}).sentence() == (
        "\"'a' was removed and 'b\" was added"
    )
    assert len(found.sentence()) < 1000


def test_nothing_differs() -> None:
    found = Difference.between({"a": "0"}, {"a": "0"})
    assert not found
    assert found.sentence() == "no file differs"


@given(before=FILES, after=FILES)
def test_every_change_is_said_once_and_the_difference_leads_from_one_to_the_other(
    before: dict[str, str], after: dict[str, str]
) -> None:
    found = Difference.between(before, after)
    made = dict(before)
    for name in found.removed:
        del made[name]
    moved = {new: made.pop(old) for old, new in found.renamed}
    made |= moved
    made |= {name: after[name] for name in (*found.changed, *found.added)}
    assert made == after
    assert bool(found) == (before != after)
    parts = len(found.changed) + len(found.added) + len(found.removed) + len(found.renamed)
    assert (f"{parts - SHOWN} more" in found.sentence()) == (parts > SHOWN)
