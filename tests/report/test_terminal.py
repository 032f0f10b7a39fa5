from __future__ import annotations

import io
import subprocess
import sys

import msgspec
import pytest
from rich.console import Console, RenderableType

from tests.report import samples
from tests.report.conftest import Golden
from weighbridge.evidence.record import CheckName, Finding, Severity
from weighbridge.report.check_json import check_report
from weighbridge.report.interface import ReportInput
from weighbridge.report.terminal import render, render_check, render_verdict


def shown(value: RenderableType, *, terminal: bool | None = None, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=terminal, color_system="truecolor" if terminal else None).print(value)
    return out.getvalue()


def checks(report: ReportInput) -> list[RenderableType]:
    return [
        render_check(check_report(view.record, model=report.model, digest=report.digest)) for view in report.evidence
    ]


def test_plain_text_where_there_is_no_terminal(golden: Golden) -> None:
    text = "".join(shown(value) for value in checks(samples.failed()))
    assert "\x1b" not in text
    golden(text, "failed-checks.txt")


def test_verdict_is_shown_with_every_requirement_and_next_step(golden: Golden) -> None:
    view = samples.failed().verdict
    assert view is not None
    text = shown(render_verdict(view))
    golden(text, "failed-verdict.txt")
    for words in ("Verdict: failed", "model-scan (policy line 7)", "next step:", "waived: PYSEC-2026-1177"):
        assert words in text


def test_colours_on_a_terminal() -> None:
    assert "\x1b[1;31mfindings" in shown(checks(samples.failed())[0], terminal=True)


@pytest.mark.parametrize("terminal", [True, False])
def test_hostile_text_reaches_no_terminal(*, terminal: bool) -> None:
    report = samples.hostile()
    assert report.verdict is not None
    values = [*checks(report), render_verdict(report.verdict), render(report)]
    text = "".join(shown(value, terminal=terminal, width=4000) for value in values)
    for sign in ("\x1b]", "\x1b[31mred", "\x07", "\x00", "\u202e", "\ufeff"):
        assert sign not in text
    assert "\\x1b[31mred" in text


def test_markup_of_rich_in_evidence_is_text() -> None:
    finding = Finding(
        rule="r",
        severity=Severity.LOW,
        message="[bold red]x[/] [link=http://a]y[/link]",
        location="a",
        remedy="",
    )
    record = samples.record(CheckName.MODEL_SCAN, samples.scan(), findings=(finding,))
    value = render_check(check_report(record, model="[red]m", digest=samples.DIGEST))
    assert "[bold red]x[/] [link=http://a]y[/link]" in shown(value, width=200)
    assert "[red]m" in shown(value)


def test_long_list_says_how_many_are_missing() -> None:
    record = samples.record(CheckName.MODEL_SCAN, samples.scan(), findings=samples.payloads(70))
    text = shown(render_check(check_report(record, model="m", digest=samples.DIGEST)))
    assert "20 kinds not listed" in text


def test_whole_report_without_verdict_names_signatures_and_rejected_files() -> None:
    report = samples.undecided()
    text = shown(render(ReportInput(model="m", digest=samples.DIGEST, evidence=report.evidence)), width=200)
    assert "not accepted: the signature does not verify" in text
    assert "is not accepted as evidence" in shown(render(samples.failed()), width=200)


def test_import_brings_in_neither_rich_nor_jinja() -> None:
    program = (
        "import sys, weighbridge.report.terminal, weighbridge.report.whole_json, weighbridge.report.markdown\n"
        "sys.exit(any(name in sys.modules for name in ('rich', 'jinja2', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_findings_of_one_kind_are_one_row_with_their_names_and_one_remedy() -> None:
    record = samples.record(CheckName.MODEL_SCAN, samples.scan(), findings=samples.UNLISTED * 4)
    text = shown(render_check(check_report(record, model="m", digest=samples.DIGEST)), width=400)
    assert text.count("forbidden-global") == 1
    assert "forbidden-global ×40" in text
    assert text.count("shop.layers.Mixer") == 1
    assert text.count(samples.UNLISTED[0].remedy) == 1
    assert "weights.pt!weights/data.pkl:100, 140, 180, 220 and 6 more" in text
    assert "40 findings: 40 high" in text


def test_names_of_one_kind_are_bounded() -> None:
    many = tuple(
        msgspec.structs.replace(samples.PAYLOAD, about=f"a.n{place}", message=f"{place}") for place in range(90)
    )
    text = shown(
        render_check(
            check_report(
                samples.record(CheckName.MODEL_SCAN, samples.scan(), findings=many), model="m", digest=samples.DIGEST
            )
        ),
        width=600,
    )
    assert "a.n19 and 70 more" in text
    assert "a.n20" not in text


def test_every_file_of_a_scan_has_a_line_and_the_worst_come_first() -> None:
    record = samples.record(CheckName.MODEL_SCAN, samples.scan(state="refused"), findings=(samples.PAYLOAD,))
    text = shown(render_check(check_report(record, model="m", digest=samples.DIGEST)))
    lines = [line.split()[0] for line in text.splitlines() if line.endswith("bytes") or "bytes " in line]
    assert lines[-4:] == ["classifier.pkl", "weights.pt", "classifier.onnx", "config.json"]


def test_nothing_is_green_in_a_verdict_that_refuses() -> None:
    for sample, green in ((samples.passed, True), (samples.revoked, False), (samples.failed, False)):
        console = Console(width=120, force_terminal=True, color_system="standard", file=io.StringIO())
        console.print(render(sample()))
        assert ("\x1b[1;32m" in console.file.getvalue()) is green  # type: ignore[attr-defined]


def test_older_evidence_is_one_line() -> None:
    text = shown(render(samples.run_twice()), width=160)
    assert "not shown: 4 older results (not asked), 1 result that the policy does not ask for" in text
    assert "valid until" not in shown(render(samples.revoked()), width=160)


def test_digest_is_explained_where_it_stands() -> None:
    text = shown(render(samples.evidence_only()), width=160)
    assert "(the digest of the whole model: names and bytes of all files)" in text
