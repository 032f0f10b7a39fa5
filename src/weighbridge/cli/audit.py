"""``weighbridge audit [MODEL]``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from weighbridge.checks.dependencies.advisories import packaged_bundle
from weighbridge.checks.interface import DependencyAuditOptions
from weighbridge.cli._checks import Destination, check_options, perform, perform_without_model
from weighbridge.errors import UsageError

PATHS = click.Path(path_type=Path)
INPUT = click.Path(path_type=Path, exists=True)


@click.command(short_help="Audit dependencies against advisories.")
@click.argument("model", type=PATHS, required=False)
@check_options
@click.option("-r", "--requirement", "requirements", type=INPUT, multiple=True, help="Requirements file.")
@click.option("--lock", "locks", type=INPUT, multiple=True, help="uv.lock, poetry.lock or pylock.toml.")
@click.option("--environment", "environments", type=INPUT, multiple=True, help="An installed site-packages directory.")
@click.option("--advisories", type=INPUT, help="Advisory bundle. [default: the snapshot that comes with weighbridge]")
def command(
    model: Path | None,
    evidence: Path | None,
    key: Path | None,
    passphrase_file: Path | None,
    output: str,
    requirements: tuple[Path, ...],
    locks: tuple[Path, ...],
    environments: tuple[Path, ...],
    advisories: Path | None,
) -> int:
    """Audit dependencies against known advisories, offline: those that MODEL is trained or served with.

    Without MODEL the report is about the audited files, and nothing can be signed.

    What is not pinned, or comes from an URL, is undecided, never clean. The snapshot that comes with weighbridge is
    old on purpose: it is for trying out; build a current bundle with `weighbridge advisories build`.
    """
    if not (requirements or locks or environments):
        raise UsageError("there is nothing to audit", remedy="give -r, --lock or --environment")
    options = DependencyAuditOptions(
        advisories=os.path.abspath(advisories or packaged_bundle()),
        requirements=tuple(os.path.abspath(path) for path in requirements),
        locks=tuple(os.path.abspath(path) for path in locks),
        environments=tuple(os.path.abspath(path) for path in environments),
    )
    if model is None:
        if key is not None or evidence is not None:
            raise UsageError(
                "evidence is about a model, and none is named", remedy="name the MODEL, or leave --key out"
            )
        return perform_without_model(options, output=output)
    return perform(model, options, destination=Destination(output, evidence, key, passphrase_file))
