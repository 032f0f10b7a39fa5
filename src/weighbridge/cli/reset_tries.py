"""``weighbridge reset-tries --check CHECK``."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from weighbridge._files import make_directory, write_new
from weighbridge.cli._passphrases import PASSPHRASE_FILE, open_key
from weighbridge.clock import system_clock
from weighbridge.evidence.bundle import SUFFIX
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.store import DirectoryStore
from weighbridge.evidence.tries import sign_reset, tries_in

PATH = click.Path(path_type=Path)
STATISTICS = (CheckName.ROBUSTNESS.value, CheckName.LEAKAGE.value)
"""Checks that come out otherwise when they are asked again."""


@click.command(short_help="Forgive earlier tries of a statistic, as an approver.")
@click.option("--check", type=click.Choice(STATISTICS), required=True, help="The check whose tries are forgiven.")
@click.option("--reason", required=True, help="Why, for whoever reads the evidence later.")
@click.option("--key", type=PATH, required=True, help="Private key of a role that signs tries-reset.")
@PASSPHRASE_FILE
@click.option("--evidence", type=PATH, required=True, help="The directory of evidence in which tries are counted.")
def command(check: str, reason: str, key: Path, passphrase_file: Path | None, evidence: Path) -> None:
    """Forgive the tries of a check that are in a directory of evidence now.

    Each try that did not pass tightens the confidence that the next needs, and `maxTries` of a policy ends them. The
    reset names each piece of evidence that it forgives, so a copy of it elsewhere forgives nothing. A failing result
    of the same model stands all the same.
    """
    tries = tries_in(DirectoryStore(evidence).read(), check=CheckName(check))
    signer = open_key(key, passphrase=passphrase_file)
    data = sign_reset(CheckName(check), evidence=tries, reason=reason, signer=signer, now=system_clock())
    make_directory(evidence)
    target = evidence / f"tries-reset-{check}-{hashlib.sha256(data).hexdigest()[:8]}{SUFFIX}"
    write_new(target, data)
    click.echo(f"{target}: {len(tries)} tries of {check} are forgiven, signed by {signer.public.id}")
