"""``weighbridge check FILE...``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from weighbridge import __version__
from weighbridge._files import read_limited
from weighbridge.cli._options import EXIT_CODES
from weighbridge.cli._outlet import format_options
from weighbridge.cli._places import STANDARD_INPUT
from weighbridge.clock import system_clock

if TYPE_CHECKING:
    from weighbridge.admission.offline import Surroundings
    from weighbridge.report.admission import AdmissionReport, CheckedPod

_PATH: Final = click.Path(path_type=Path)
_HELD: Final = {
    "enforce": "held",
    "warn": "would be held (the policy only warns)",
    "audit": "would be held (the policy only audits)",
}


@click.command(short_help="Say which pods of manifests may use an accelerator.")
@click.argument("files", nargs=-1, required=True, type=_PATH, metavar="FILE...")
@click.option("--policy", "policies", type=_PATH, multiple=True, required=True, help="A policy; several may be given.")
@click.option("--trust", type=_PATH, required=True, help="Who may sign verdicts.")
@click.option("--verdict", "verdicts", type=_PATH, multiple=True, help="A verdict that the gate wrote.")
@click.option(
    "--model-verdict", "objects", type=_PATH, multiple=True, help="A file of ModelVerdict objects, as push writes it."
)
@click.option("--namespace", "-n", help="Decide for this namespace, whatever the manifests say.")
@format_options(["text", "json", "sarif"])
def command(
    files: tuple[Path, ...],
    policies: tuple[Path, ...],
    trust: Path,
    verdicts: tuple[Path, ...],
    objects: tuple[Path, ...],
    namespace: str | None,
    output: str,
) -> int:
    """Say what would become of every pod that the manifests in FILE... make: a Pod, or anything that embeds one.

    A FILE may hold several documents; - is the standard input. The decision is the one that the cluster makes, by the
    same code. Exit code 0 when no pod is held, 1 when one is, 2 when a file cannot be decided. A policy that only warns
    or audits changes the words, not the exit code.
    """
    from weighbridge.admission.offline import check_files
    from weighbridge.report.admission import write_json
    from weighbridge.report.admission_sarif import render

    surroundings = _surroundings(policies, trust, verdicts, objects, namespace)
    report = check_files(tuple(_read(path) for path in files), surroundings=surroundings)
    if output == "json":
        click.echo(write_json(report), nl=False)
    elif output == "sarif":
        click.echo(render(report, version=__version__), nl=False)
    else:
        _show(report)
    return EXIT_CODES[report.verdict]


def _surroundings(
    policies: tuple[Path, ...],
    trust: Path,
    verdicts: tuple[Path, ...],
    objects: tuple[Path, ...],
    namespace: str | None,
) -> Surroundings:
    from weighbridge.admission.objects import read_model_verdicts
    from weighbridge.admission.offline import Surroundings
    from weighbridge.admission.policies import PolicySet
    from weighbridge.admission.verdicts import MAX_VERDICT_BYTES, VerdictIndex, read_verdict
    from weighbridge.policy import Policy
    from weighbridge.trust import Trust

    bundles = [(str(path), read_limited(path, limit=MAX_VERDICT_BYTES, what="the verdict")) for path in verdicts]
    for path in objects:
        bundles += read_model_verdicts(_read(path)[1], name=str(path))
    for name, data in bundles:
        read_verdict(name, data)  # a file that was named and is no verdict is a mistake of the caller
    return Surroundings(
        policies=PolicySet.of(Policy.read(path) for path in policies),
        trust=Trust.read(trust),
        verdicts=VerdictIndex.of(bundles),
        now=system_clock(),
        namespace=namespace,
    )


def _read(path: Path) -> tuple[str, bytes]:
    from weighbridge._yaml import MAX_MANIFEST_BYTES

    if str(path) == STANDARD_INPUT:
        return "standard input", sys.stdin.buffer.read(MAX_MANIFEST_BYTES + 1)
    return str(path), read_limited(path, limit=MAX_MANIFEST_BYTES, what="the file of manifests")


def _show(report: AdmissionReport) -> None:
    from weighbridge.report._text import clean, plural

    for pod in report.pods:
        _show_pod(pod)
    for item in report.undecided:
        place = "" if item.reason.startswith(item.file) else f"{item.file}: "
        click.echo("undecided: " + clean(f"{place}{item.reason}"))
        if item.remedy:
            click.echo(f"  next step: {clean(item.remedy)}")
    held = sum(pod.outcome == "hold" for pod in report.pods)
    click.echo(f"{plural(len(report.pods), 'pod')}, {held} held, {plural(len(report.undecided), 'file')} undecided")


def _show_pod(pod: CheckedPod) -> None:
    from weighbridge.report._text import clean

    words = {"not-held": "not held", "admit": "admitted", "hold": _HELD[pod.mode]}
    where = f"{pod.file}:{pod.line}"
    click.echo(clean(f"{words[pod.outcome]}: {pod.kind} {pod.name or '(no name)'} in {pod.namespace} ({where})"))
    if pod.outcome == "not-held":
        click.echo("  it can reach no accelerator")
    if not pod.exact:
        click.echo("  put together from parts of this kind; its controller may add more")
    for model in pod.models:
        for sentence in model.weaknesses:
            click.echo("  " + clean(f"mind: {sentence}"))
        if model.verified:
            click.echo("  " + clean(f"verified: {model.reference}, valid until {model.valid_until}"))
    if pod.workload is not None and pod.outcome == "admit":
        work = pod.workload
        click.echo("  " + clean(f"allowed as {work.purpose} workload of {work.owner} until {work.expires}"))
    for reason in pod.reasons:
        click.echo("  " + clean(f"line {reason.line}: {reason.message}"))
        click.echo("    " + clean(f"next step: {reason.remedy}"))
