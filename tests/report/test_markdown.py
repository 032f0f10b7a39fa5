from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import samples
from weighbridge.evidence.record import CheckName, Undecided
from weighbridge.report import markdown
from weighbridge.report.interface import ReportInput
from weighbridge.report.markdown import code

ANY = st.text(st.characters(codec=None, categories=None), max_size=60)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")


@given(ANY | st.text("`|\\ <a\n", max_size=30))
def test_hostile_text_is_exactly_one_code_span(text: str) -> None:
    span = code(text)
    if span:
        match = SPAN.fullmatch(span)
        assert match is not None
        assert match[1] not in re.findall("`+", match[2])
        assert "|" not in span
        assert "\n" not in span


@pytest.mark.parametrize("sample", samples.SAMPLES)
def test_nothing_hostile_stands_outside_code(sample: str) -> None:
    outside = SPAN.sub("", markdown.render(samples.SAMPLES[sample]()))
    for sign in ("<script", "<img", "javascript:", "@someone", "http", "\x1b", "\u202e", "\x00"):
        assert sign not in outside
    tags = set(re.findall(r"<[^>]*>", outside))
    assert tags <= {"<details>", "<summary>", "</summary>", "</details>"}


@pytest.mark.parametrize("sample", samples.SAMPLES)
def test_every_row_of_a_table_has_its_columns(sample: str) -> None:
    for line in markdown.render(samples.SAMPLES[sample]()).splitlines():
        if line.startswith("|"):
            assert line.count("|") == 5


def test_verdict_comes_first() -> None:
    assert markdown.render(samples.passed()).startswith("### ✅ Weighbridge: passed\n")
    assert markdown.render(samples.undecided()).startswith("### ❔ Weighbridge: undecided\n")
    assert "no verdict" in markdown.render(samples.evidence_only()).splitlines()[0]


def test_a_low_figure_never_reads_as_a_pass() -> None:
    row = next(line for line in markdown.render(samples.failed()).splitlines() if "still right" in line)
    assert "passed" not in row
    assert "✅" not in row


def test_long_list_says_how_many_are_missing() -> None:
    view = samples.view(
        samples.record(CheckName.MODEL_SCAN, samples.scan(), findings=samples.payloads(45)), signer=None
    )
    text = markdown.render(ReportInput(model="m", digest=samples.DIGEST, evidence=(view,)))
    assert text.count("`forbidden-global`") == 20
    assert "25 more are not listed." in text


def test_comment_stays_below_what_a_forge_accepts() -> None:
    whole = samples.hostile()
    text = markdown.render(ReportInput(model="m", digest=samples.DIGEST, evidence=whole.evidence * 60))
    assert len(text) < 65_536
    assert "10 more are not listed." not in text
    assert "250 more are not listed." in text


def test_findings_of_one_kind_are_one_row_with_their_names_and_one_remedy() -> None:
    view = samples.view(samples.record(CheckName.MODEL_SCAN, samples.scan(), findings=samples.UNLISTED), signer=None)
    text = markdown.render(ReportInput(model="m", digest=samples.DIGEST, evidence=(view,)))
    (row,) = [line for line in text.splitlines() if "forbidden-global" in line]
    assert row.startswith("| high | `forbidden-global` ×10 ")
    assert all(row.count(f"`shop.layers.{name}`") == 1 for name in ("Gate", "Unit"))
    assert text.count(samples.UNLISTED[0].remedy) == 1


def test_places_of_one_reason_are_one_line() -> None:
    pictures = tuple(Undecided(location=f"{place}.png", reason="the format png is not judged") for place in range(9))
    view = samples.view(samples.record(CheckName.MODEL_SCAN, samples.scan(), undecided=pictures), signer=None)
    text = markdown.render(ReportInput(model="m", digest=samples.DIGEST, evidence=(view,)))
    assert "- `0.png`, `1.png`, `2.png` and 6 more: `the format png is not judged`" in text


def test_refusal_has_no_date_and_older_evidence_is_one_line() -> None:
    for sample in (samples.failed, samples.undecided, samples.revoked):
        assert "valid until" not in markdown.render(sample())
    assert "Every requirement holds, and the model is refused all the same" in markdown.render(samples.revoked())
    twice = markdown.render(samples.run_twice())
    assert "Not shown: 4 older results (not asked), 1 result that the policy does not ask for." in twice
    assert twice.count("verified by") == 4
