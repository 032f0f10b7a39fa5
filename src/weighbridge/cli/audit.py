"""``weighbridge audit [MODEL]``."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from weighbridge.checks.dependencies.advisories import packaged_bundle
from weighbridge.checks.interface import DependencyAuditOptions
from weighbridge.cli._checks import Destination, check_options, perform, perform_without_model
from weighbridge.cli._environment import this_environment
from weighbridge.cli._offers import AUDIT_OPTIONS, offers_for
from weighbridge.cli._outlet import SEVERITY, Outlet
from weighbridge.cli._places import MODEL_PATH
from weighbridge.cli._stdin import MAX_REQUIREMENTS, as_files
from weighbridge.errors import UsageError

INPUT = click.Path(path_type=Path, exists=True)
INPUT_OR_STDIN = click.Path(path_type=Path, exists=True, allow_dash=True)


@click.command(short_help="Audit dependencies against advisories.")
@click.argument("model", type=MODEL_PATH, required=False)
@check_options
@click.option(
    "-r",
    "--requirement",
    "requirements",
    type=INPUT_OR_STDIN,
    multiple=True,
    help="Requirements file; - is the standard input.",
)
@click.option("--lock", "locks", type=INPUT, multiple=True, help="uv.lock, poetry.lock or pylock.toml.")
@click.option("--environment", "environments", type=INPUT, multiple=True, help="An installed site-packages directory.")
@click.option("--advisories", type=INPUT, help="Advisory bundle. [default: the snapshot that comes with weighbridge]")
@SEVERITY
def command(
    model: Path | None,
    evidence: Path | None,
    key: Path | None,
    passphrase_file: Path | None,
    output: Outlet,
    requirements: tuple[Path, ...],
    locks: tuple[Path, ...],
    environments: tuple[Path, ...],
    advisories: Path | None,
    least: str | None,
) -> int:
    """Audit dependencies against known advisories, offline: those that MODEL is trained or served with.

    Without MODEL the report is about the audited files, and nothing can be signed. Without anything it is about the
    active Python environment: that of $VIRTUAL_ENV, else of the Python on PATH, which is not started.

    What is not pinned, or comes from an URL, is undecided, never clean. The snapshot that comes with weighbridge is
    old on purpose: it is for trying out; build a current bundle with `weighbridge advisories build`.
    """
    outlet = output.showing(least)
    if not (requirements or locks or environments):
        environments = (_active_environment(model),)
    if model is None and (key is not None or evidence is not None):
        raise UsageError("evidence is about a model, and none is named", remedy="name the MODEL, or leave --key out")
    with as_files(requirements, limit=MAX_REQUIREMENTS) as files:
        options = DependencyAuditOptions(
            advisories=os.path.abspath(advisories or packaged_bundle()),
            requirements=tuple(os.path.abspath(path) for path in files),
            locks=tuple(os.path.abspath(path) for path in locks),
            environments=tuple(os.path.abspath(path) for path in environments),
        )
        if model is None:
            return perform_without_model(options, output=outlet)
        return perform(model, options, destination=Destination(outlet, evidence, key, passphrase_file))


def _active_environment(model: Path | None) -> Path:
    if model is not None:
        # What a model is served with is for somebody to say: this environment need not be it.
        if (model / "pyvenv.cfg").is_file() or model.name == "site-packages":
            raise UsageError(
                f"{model} is an environment of Python and no model",
                remedy=f"weighbridge audit --environment {shlex.quote(str(model))}",
            )
        offers = [f"{offer.option} {offer.path}" for offer in offers_for(model) if offer.option in AUDIT_OPTIONS]
        there = f"; there is {', '.join(offers)}" if offers else ""
        raise UsageError(
            f"nothing says what {model.name} is served with{there}", remedy="give -r, --lock or --environment"
        )
    found = this_environment(os.environ)
    click.echo(f"auditing the environment {found.path}, of {found.found_by}", err=True)
    return found.path
