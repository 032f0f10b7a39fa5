"""Every word that a newcomer cannot place is explained, on the page and in the documentation, in the same words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.report import samples
from weighbridge.checks.robustness import controls as robustness
from weighbridge.checks.runners import controls as runners
from weighbridge.report.html import render
from weighbridge.report.words import CONTROLS, GLOSSARY, doubted, meaning, plainly, question_of

PAGE = Path(__file__).parents[2] / "docs" / "words.md"


def test_every_control_of_every_check_has_plain_words() -> None:
    assert set(CONTROLS) >= {*robustness.REMEDIES, *runners.REMEDIES, "clean-accuracy-above-chance"}
    for asked in CONTROLS.values():
        assert asked.question.endswith("?")
        assert not asked.otherwise.endswith(".")


def test_the_page_in_the_documentation_says_the_same() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", text, flags=re.MULTILINE))
    assert table == {item.word: item.meaning for item in GLOSSARY}
    questions = re.findall(r"^\| `([a-z-]+)` \| (.+?) \| (.+?) \|$", text, flags=re.MULTILINE)
    assert questions == [(name, asked.question, asked.otherwise) for name, asked in CONTROLS.items()]


def test_words_are_each_there_once() -> None:
    anchors = [item.anchor for item in GLOSSARY]
    assert len(set(anchors)) == len(anchors)
    assert all(item.meaning.endswith(".") for item in GLOSSARY)
    with pytest.raises(KeyError):
        meaning("no such word")


def test_a_control_that_did_not_hold_is_said_in_plain_words_with_its_name_behind() -> None:
    said = plainly("the control attack-converged did not hold: the second half broke 9 of 50; raise --queries")
    assert said == (
        "the attack was still gaining when its queries ran out: the second half broke 9 of 50; raise --queries "
        "[attack-converged]"
    )
    assert doubted(["attack-converged", "new-one"]).endswith("queries ran out [attack-converged]; new-one")


@pytest.mark.parametrize("reason", ["", "the control new-one did not hold: x", "the opcode EXT4 is not followed"])
def test_what_is_not_known_stays_as_it_is(reason: str) -> None:
    assert plainly(reason) == reason
    assert question_of("new-one") == "new-one"


def test_no_bare_technical_word_is_left_on_a_page() -> None:
    for sample in ("passed", "failed", "undecided", "revoked", "run-twice"):
        page = re.sub(
            '<pre.*?</pre>|<details class="card plain words".*?</details>',
            "",
            render(samples.SAMPLES[sample]()),
            flags=re.DOTALL,
        )
        text = re.sub(r"<[^>]*>", " ", page)
        for word in ("does not count", "TPR", "FPR", "did not hold", "signature unverified"):
            assert word not in text
