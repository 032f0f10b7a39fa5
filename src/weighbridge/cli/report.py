"""``weighbridge report EVIDENCE``."""

from __future__ import annotations

from pathlib import Path

import click

from weighbridge.cli import _views, _write
from weighbridge.cli._options import identify
from weighbridge.cli._outlet import format_options
from weighbridge.clock import system_clock
from weighbridge.errors import UsageError
from weighbridge.evidence.store import DirectoryStore
from weighbridge.gate.judge import judge
from weighbridge.model.digest import Digest
from weighbridge.policy import Policy
from weighbridge.trust import Trust

PATH = click.Path(path_type=Path)


@click.command(short_help="Write a report of evidence for people or programs.")
@click.argument("evidence", type=PATH)
@click.option("--model", type=PATH, help="The model, whose digest is computed again.")
@click.option("--digest", help="The model's digest, when the model is not at hand.")
@click.option("--policy", type=PATH, help="Judge by this policy (with --trust).")
@click.option("--trust", type=PATH, help="Verify signatures by this trust document (with --policy).")
@click.option("-o", "--output", "written", type=PATH, help="File to write; its ending decides the format.")
@format_options(_write.FORMATS, default=None)
def command(
    evidence: Path,
    model: Path | None,
    digest: str | None,
    policy: Path | None,
    trust: Path | None,
    written: Path | None,
    output: str | None,
) -> int:
    """Write a report of the EVIDENCE directory: HTML, Markdown, SARIF, JUnit, JSON or text.

    With --policy and --trust the evidence is verified and judged as the gate would, without signing a verdict;
    otherwise the report says that nobody verified it. Writing a report exits with 0 whatever it says.
    """
    if (policy is None) != (trust is None):
        raise UsageError("--policy and --trust go together", remedy="give both or neither")
    if (model is None) == (digest is None):
        raise UsageError("the report is about one model", remedy="give --model or --digest")
    subject = identify(model) if model is not None else Digest.parse(digest or "")
    name = model.name if model is not None else str(subject)
    place = _views.place_of(model) if model is not None else None
    files = list(DirectoryStore(evidence).read())
    if policy is not None and trust is not None:
        decision = judge(subject, policy=Policy.read(policy), trust=Trust.read(trust), files=files, now=system_clock())
        view = _views.of_decision(decision, model=name, files=files, signed_by=None, place=place)
    else:
        view = _views.of_evidence(files, model=name, digest=subject, place=place)
    form = _write.format_for(written, output)
    if form == "text":
        _write.show(view, to=written)
    else:
        _write.write(_write.render(view, output=form), to=written)
    return 0
