"""What ``gate`` and ``run`` share: judge, write the verdict, say why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from weighbridge import __version__
from weighbridge._files import write_atomically
from weighbridge.cli import _views, _write
from weighbridge.cli._explain import explain
from weighbridge.cli._options import EXIT_CODES
from weighbridge.cli._outlet import format_options, note
from weighbridge.clock import Clock
from weighbridge.evidence.keys import Signer
from weighbridge.evidence.store import DirectoryStore, require_outside, results_of
from weighbridge.gate.decision import Decision
from weighbridge.gate.judge import judge
from weighbridge.gate.verdict import write_verdict
from weighbridge.model.digest import ModelFiles
from weighbridge.oci.image import ModelImage
from weighbridge.policy import Policy
from weighbridge.report.interface import ReportInput
from weighbridge.trust import VERDICT, Trust

VERDICT_SUFFIX = ".verdict.sigstore.json"
"""How the default file name of a verdict ends."""


C = TypeVar("C", bound=Callable[..., Any])


def outcome_options(function: C) -> C:
    """Add the options that say where the outcome goes and how it is shown."""
    path = click.Path(path_type=Path)
    for option in (
        format_options(_write.FORMATS),
        click.option("--explain", is_flag=True, help="Show every requirement and what satisfied it."),
        click.option("--report", type=path, help="Write a report too; its ending decides the format."),
        click.option(
            "-o",
            "--output",
            "verdict",
            type=path,
            help="The verdict. [default: MODEL.verdict.sigstore.json; for a model in the Hub's cache "
            "ORG--NAME-REVISION.verdict.sigstore.json in the current directory]",
        ),
    ):
        function = option(function)
    return function


def verdict_path(model: Path, chosen: Path | None) -> Path:
    """Return where the verdict goes: the chosen path, or beside the model as ``results_of`` names it."""
    if chosen is not None:
        return chosen
    place = results_of(model)
    return place.with_name(place.name + VERDICT_SUFFIX)


def check_destinations(model: Path, *, store: DirectoryStore, verdict: Path, report: Path | None) -> None:
    """Refuse, before any work is done, what could not be written at its end.

    Raises:
        UsageError: For a place inside the model, or a report whose name does not say its format.
    """
    store.require_outside(model)
    require_outside(verdict, model=model, what="the verdict")
    if report is not None:
        require_outside(report, model=model, what="the report")
        _write.format_for(report, None)


def judge_and_write(
    model: Path,
    image: ModelImage,
    *,
    policy: Policy,
    trust: Trust,
    store: DirectoryStore,
    signer: Signer | None,
    verdict: Path,
    output: str,
    report: Path | None,
    clock: Clock,
) -> int:
    """Judge a model by what is in the store, sign the verdict, print it, and return the exit code."""
    now = clock()
    # A key that may not sign verdicts is found out before one is written that nobody would accept.
    role = trust.role_of(signer.public, signs=VERDICT, now=now).role if signer is not None else None
    files = list(store.read())
    if not files:
        click.echo(f"note: {store.path} holds no evidence; another place can be named with --evidence", err=True)
    present = ModelFiles.of(dict(image.files))
    decision = judge(image.digest, policy=policy, trust=trust, files=files, now=now, present=present)
    if signer is not None:
        data = write_verdict(
            decision, name=model.name, version=__version__, signer=signer, manifest=image.manifest_digest
        )
        write_atomically(verdict, data)
        written = [f"verdict: {verdict}"]
    else:
        written = ["no verdict was written: there is no --key"]
    place = _views.place_of(model)
    key_id = signer.public.id if signer is not None else None
    view = _views.of_decision(decision, model=model.name, files=files, signed_by=role, signed_key=key_id, place=place)
    try:
        if report is not None:
            _write.write(_write.render(view, output=_write.format_for(report, None)), to=report)
            written.append(f"report: {report}")
        _show(decision, view, output)
    finally:
        # Below the tables, since what is weak about a verdict comes first; and also when the report failed.
        for line in written:
            note(line, form=output)
    return EXIT_CODES[decision.result.value]


def _show(decision: Decision, view: ReportInput, output: str) -> None:
    match output:
        case "text":
            _write.show(view)
        case "explain":
            click.echo(explain(decision))
        case _:
            _write.write(_write.render(view, output=output), to=None)
