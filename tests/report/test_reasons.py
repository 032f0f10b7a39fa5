"""What is undecided is shown with the code of its reason and the next step, in every format."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from tests.report import samples
from weighbridge.evidence.record import CheckName, Undecided
from weighbridge.report import html, junit, markdown, sarif
from weighbridge.report.check_json import check_report
from weighbridge.report.groups import group_undecided
from weighbridge.report.rules import described, page_of, undecided_name, undecided_rule
from weighbridge.report.terminal import render_check

STEP = "export what is served"
CODE = "no-parser-hdf5"


@pytest.mark.parametrize("module", [markdown, html, junit])
def test_code_and_step_are_shown(module: object) -> None:
    text = module.render(samples.undecided())  # type: ignore[attr-defined]
    assert f"undecided[{CODE}]" in text
    assert STEP in text


def test_the_terminal_shows_them() -> None:
    report = samples.undecided()
    view = next(view for view in report.evidence if view.record.check is CheckName.MODEL_SCAN)
    out = io.StringIO()
    Console(file=out, width=300).print(render_check(check_report(view.record, model="m", digest=samples.DIGEST)))
    assert f"undecided[{CODE}]" in out.getvalue()
    assert f"/docs/reasons/{CODE}" in out.getvalue()
    assert STEP in out.getvalue()


def test_sarif_has_a_rule_a_reason_with_its_page() -> None:
    runs = json.loads(sarif.render(samples.undecided()))["runs"]
    (run,) = [run for run in runs if run["tool"]["driver"]["name"].endswith("model-scan")]
    (result,) = [one for one in run["results"] if one["kind"] == "open"]
    assert result["ruleId"] == f"undecided/{CODE}"
    assert STEP in result["properties"]["remedy"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["helpUri"].endswith(f"/docs/reasons/{CODE}")
    assert "Keras" in rule["fullDescription"]["text"]


def test_a_reason_that_is_not_known_is_plainly_undecided() -> None:
    assert undecided_rule("of-a-newer-version") == "undecided"
    assert undecided_name("") == "undecided"
    known = described("undecided/of-a-newer-version")
    assert known is not None
    assert known.id == "undecided"
    assert page_of(known).endswith("/docs/rules/undecided")


def test_places_of_one_reason_are_one_row() -> None:
    places = tuple(Undecided(location=name, reason="r", code="c", remedy="s") for name in ("a", "b"))
    other = Undecided(location="d", reason="r", code="other", remedy="s")
    groups = group_undecided((*places, other))
    assert [(group.code, group.places) for group in groups] == [("c", ("a", "b")), ("other", ("d",))]
