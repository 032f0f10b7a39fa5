"""Several models in one call: one report, and the worst exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import click

from weighbridge.checks.interface import ModelScanOptions
from weighbridge.cli import _write, fail
from weighbridge.cli._checks import Destination, Examined, examine
from weighbridge.cli._options import EXIT_CODES
from weighbridge.cli._outlet import Outlet
from weighbridge.errors import InputError, UsageError, WeighbridgeError
from weighbridge.gate.decision import VerdictResult
from weighbridge.report._text import clean
from weighbridge.report.check_json import ModelScanReport, ScanReports, Unread, write_json
from weighbridge.report.facts import result_of

TOGETHER: Final = frozenset({"text", "json", "sarif", "markdown"})
"""Formats in which a report can be about several models."""


def perform_all(models: tuple[Path, ...], options: ModelScanOptions, *, destination: Destination) -> int:
    """Scan each model, write one report of all, and return the worst exit code.

    What keeps one model from being examined is said, counts as undecided, and keeps no other from it.

    Raises:
        UsageError: For a format that is about one model, or an output inside one of them; nothing has run by then.
    """
    outlet = destination.output
    if outlet.form not in TOGETHER:
        raise UsageError(
            f"a report in {outlet.form} is about one model", remedy=f"scan one, or choose {', '.join(sorted(TOGETHER))}"
        )
    for model in models:
        outlet.require_outside(model)
    found: list[Examined] = []
    unread: list[Unread] = []
    for model in models:
        try:
            found.append(examine(model, options, destination=destination))
        except UsageError:
            raise
        except WeighbridgeError as error:
            fail(error.message, remedy=error.remedy, label=clean(str(model)))
            unread.append(Unread(name=model.name, reason=error.message, remedy=error.remedy))
    results = [VerdictResult(result_of(item.record)) for item in found]
    worst = VerdictResult.worst([*results, *(VerdictResult.UNDECIDED for _ in unread)])
    _require_room_for_unread(unread, outlet.form)
    _deliver(found, unread, worst, outlet)
    return EXIT_CODES[worst.value]


def _require_room_for_unread(unread: list[Unread], form: str) -> None:
    # Whoever reads such a report later would take a model that is not in it for one in which nothing was found.
    if unread and form not in ("text", "json"):
        names = ", ".join(clean(one.name) for one in unread)
        raise InputError(
            f"nothing was written: a report in {form} has no place for what could not be read ({names})",
            remedy="scan the others alone, or choose json",
        )


def _deliver(found: list[Examined], unread: list[Unread], worst: VerdictResult, outlet: Outlet) -> None:
    match outlet.form:
        case "text":
            from weighbridge.report.terminal import render

            parts = [render(item.report(), least=outlet.least) for item in found]
            _write.show_rich(*parts, to=outlet.file)
            total = f"{len(found) + len(unread)} models, together: {worst}"
            if outlet.file is None:
                click.echo(total)
            else:
                lines = [f"could not be read: {clean(one.name)}: {clean(one.reason)}" for one in unread]
                with outlet.file.open("a", encoding="utf-8") as file:
                    file.write("\n".join([*lines, total]) + "\n")
        case "json":
            reports = tuple(report for item in found if isinstance(report := item.json(), ModelScanReport))
            whole = ScanReports(
                schema="weighbridge.dev/model-scan-reports/v1",
                verdict=worst.value,
                reports=reports,
                unread=tuple(unread),
            )
            _write.write(write_json(whole), to=outlet.file)
        case "sarif":
            logs = [json.loads(_write.render(item.report(), output="sarif")) for item in found]
            log = {
                **(logs[0] if logs else {"version": "2.1.0"}),
                "runs": [run for each in logs for run in each["runs"]],
            }
            _write.write(json.dumps(log, indent=2, ensure_ascii=True) + "\n", to=outlet.file)
        case form:
            _write.write("\n".join(_write.render(item.report(), output=form) for item in found), to=outlet.file)
