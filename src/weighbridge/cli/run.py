"""``weighbridge run MODEL``."""

from __future__ import annotations

from pathlib import Path

import click

from weighbridge._files import read_limited
from weighbridge.checks.dependencies.advisories import packaged_bundle
from weighbridge.cli._data_options import BOUNDS, FORMATS, LABEL
from weighbridge.cli._judge import check_destinations, judge_and_write, outcome_options, verdict_path
from weighbridge.cli._options import (
    EVIDENCE,
    MODEL,
    evidence_directory,
    examined_image,
    new_nonce,
    viewed,
)
from weighbridge.cli._passphrases import PASSPHRASE_FILE, keep_others_out, locate_passphrase, open_key
from weighbridge.cli._progress import working
from weighbridge.clock import system_clock
from weighbridge.errors import UsageError
from weighbridge.evidence.inputs import signatures_beside
from weighbridge.evidence.store import DirectoryStore
from weighbridge.gate.run import RunInputs, plan, run_checks, sign_record, signing_roles, store_signatures
from weighbridge.policy import Policy
from weighbridge.trust import Trust

PATH = click.Path(path_type=Path)
INPUT = click.Path(path_type=Path, exists=True)
MAX_SECRET = 4096
"""Largest file of a platform's secret, in bytes."""

VERIFIER = "verifier"
"""The role whose key signs the verdict, by the name of its file."""


@click.command(short_help="Run every check that a policy asks for, then the gate.")
@MODEL
@click.option("--policy", type=PATH, required=True, help="What must hold.")
@click.option("--trust", type=PATH, required=True, help="Who may sign what.")
@click.option("--keys", type=PATH, required=True, help="Directory with ROLE.key for every role, and verifier.key.")
@PASSPHRASE_FILE
@EVIDENCE
@click.option("-r", "--requirement", "requirements", type=INPUT, multiple=True, help="Requirements file to audit.")
@click.option("--lock", "locks", type=INPUT, multiple=True, help="Lock file to audit.")
@click.option("--environment", "environments", type=INPUT, multiple=True, help="site-packages directory to audit.")
@click.option("--advisories", type=INPUT, help="Advisory bundle. [default: the snapshot that comes with weighbridge]")
@click.option("--data", type=INPUT, help=f"Test examples for robustness: {FORMATS}.")
@click.option("--members", type=INPUT, help="Examples that were trained on, for leakage.")
@click.option("--non-members", type=INPUT, help="Examples that were not, for leakage.")
@LABEL
@BOUNDS
@click.option("--seed-secret", type=INPUT, help="For a platform: file with the secret behind the seeds of statistics.")
@outcome_options
def command(
    model: Path,
    policy: Path,
    trust: Path,
    keys: Path,
    passphrase_file: Path | None,
    evidence: Path | None,
    requirements: tuple[Path, ...],
    locks: tuple[Path, ...],
    environments: tuple[Path, ...],
    advisories: Path | None,
    data: Path | None,
    members: Path | None,
    non_members: Path | None,
    label: str | None,
    bounds: tuple[float, float] | None,
    seed_secret: Path | None,
    verdict: Path | None,
    report: Path | None,
    explain: bool,
    output: str,
) -> int:
    """Run every check that the POLICY asks for on MODEL, sign the evidence, and judge.

    Checks run side by side, each in a worker without keys or network, and all read one private view of the model; the
    verdict is about those bytes. No key is opened before the last worker is gone. How many examples are attacked, how
    hard and with which seed is not the caller's to say. The signature of an input is taken from beside it
    (FILE.sigstore.json). Exit code 0: passed, 1: failed, 2: undecided.
    """
    judged_by, trusted = Policy.read(policy), Trust.read(trust)
    store = DirectoryStore(evidence_directory(model, evidence))
    target = verdict_path(model, verdict)
    check_destinations(model, store=store, verdict=target, report=report)
    inputs = RunInputs(
        advisories=advisories or packaged_bundle(),
        requirements=requirements,
        locks=locks,
        environments=environments,
        data=data,
        members=members,
        non_members=non_members,
        label=label,
        bounds=bounds,
    )
    # From here on, and not only while a key is open: what is found now is what will be signed.
    keep_others_out()
    requests = plan(judged_by, model=model, inputs=inputs)
    roles = signing_roles(judged_by)
    everyone = {*roles.values(), VERIFIER}
    require_key_files(keys, roles=everyone)
    if passphrase_file is not None:
        for role in sorted(everyone):
            locate_passphrase(passphrase_file, role=role)
    secrets = [path for path in (keys, passphrase_file, seed_secret) if path is not None]
    secret = None if seed_secret is None else read_limited(seed_secret, limit=MAX_SECRET, what="the secret")
    signatures = signatures_beside(inputs.files)
    with viewed(model) as view:
        with working(f"{len(requests)} checks on {model.name}"):
            records = run_checks(
                requests, view=view, clock=system_clock, nonce=new_nonce, secrets=secrets, seed_secret=secret
            )
        image = examined_image(view)
    digest, manifest = view.digest, image.manifest_digest
    signers = {role: open_key(keys / f"{role}.key", passphrase=passphrase_file) for role in sorted(everyone)}
    for record in records:
        signer = signers[roles[record.check]]
        paths = sign_record(record, model=digest, manifest=manifest, name=model.name, store=store, signer=signer)
        for path in paths:
            click.echo(f"evidence: {path}", err=True)
    for path in store_signatures(signatures, model=digest, store=store):
        click.echo(f"signed input: {path}", err=True)
    return judge_and_write(
        model,
        image,
        policy=judged_by,
        trust=trusted,
        store=store,
        signer=signers[VERIFIER],
        verdict=target,
        output="explain" if explain else output,
        report=report,
        clock=system_clock,
    )


def require_key_files(keys: Path, *, roles: set[str]) -> None:
    """Return when there is a key file for each role, before minutes are spent on checks; none is opened.

    Raises:
        UsageError: Naming the first that is missing.
    """
    for role in sorted(roles):
        if not (keys / f"{role}.key").is_file():
            raise UsageError(
                f"{keys / role}.key is missing, which signs for the role {role}",
                remedy=f"give the directory with --keys, or make the key with `weighbridge keys new {role} -o {keys}`",
            )
