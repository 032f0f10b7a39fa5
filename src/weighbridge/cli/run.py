"""``weighbridge run MODEL``."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from weighbridge._files import read_limited
from weighbridge.checks.dependencies.advisories import packaged_bundle
from weighbridge.cli._data_options import BOUNDS, FORMATS, LABEL
from weighbridge.cli._judge import check_destinations, judge_and_write, outcome_options, verdict_path
from weighbridge.cli._look import perform_look
from weighbridge.cli._missing import need_of_file, needs_of_inputs, needs_of_keys, require_everything
from weighbridge.cli._options import (
    EVIDENCE,
    MODEL,
    evidence_directory,
    examined_image,
    new_nonce,
    viewed,
)
from weighbridge.cli._passphrases import PASSPHRASE_FILE, keep_others_out, open_key
from weighbridge.cli._progress import working
from weighbridge.clock import system_clock
from weighbridge.errors import UsageError
from weighbridge.evidence.inputs import signatures_beside
from weighbridge.evidence.store import DirectoryStore
from weighbridge.gate.run import RunInputs, plan, run_checks, sign_record, signing_roles, store_signatures
from weighbridge.policy import Policy
from weighbridge.report._text import clean
from weighbridge.trust import Trust

PATH = click.Path(path_type=Path)
INPUT = click.Path(path_type=Path, exists=True)
MAX_SECRET = 4096
"""Largest file of a platform's secret, in bytes."""

VERIFIER = "verifier"
"""The role whose key signs the verdict, by the name of its file."""


@click.command(short_help="Run every check that a policy asks for, then the gate.")
@MODEL
@click.option(
    "--policy", type=PATH, help="What must hold. [default: the starter policy, for looking; nothing is signed]"
)
@click.option("--trust", type=PATH, help="Who may sign what.")
@click.option("--keys", type=PATH, help="Directory with ROLE.key for every role, and verifier.key.")
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
    policy: Path | None,
    trust: Path | None,
    keys: Path | None,
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

    Without --policy it is a look: the built-in starter policy is applied to a scan, and to an audit and the other
    checks where their inputs are named. Nothing is signed, and no platform accepts what comes out.

    Checks run side by side, each in a worker without keys or network, and all read one private view of the model; the
    verdict is about those bytes. No key is opened before the last worker is gone. How many examples are attacked, how
    hard and with which seed is not the caller's to say. The signature of an input is taken from beside it
    (FILE.sigstore.json). Exit code 0: passed, 1: failed, 2: undecided.
    """
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
    signing = Signing(policy, trust, keys, passphrase_file)
    if signing.nothing:
        _require_no_use_of_signing(evidence, seed_secret, verdict, explain=explain)
        return perform_look(model, inputs, output=output, report=report)
    policy, trust, keys = signing.complete(model, inputs)
    judged_by, trusted = Policy.read(policy), Trust.read(trust)
    _warn_of_unlisted(judged_by, trusted, policy, trust)
    store = DirectoryStore(evidence_directory(model, evidence))
    target = verdict_path(model, verdict)
    check_destinations(model, store=store, verdict=target, report=report)
    # From here on, and not only while a key is open: what is found now is what will be signed.
    keep_others_out()
    requests = plan(judged_by, model=model, inputs=inputs)
    roles = signing_roles(judged_by)
    everyone = {*roles.values(), VERIFIER}
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


@dataclass(frozen=True, slots=True)
class Signing:
    """What makes a run count: a policy, trust and keys. All of them are given, or none."""

    policy: Path | None
    trust: Path | None
    keys: Path | None
    passphrases: Path | None

    @property
    def nothing(self) -> bool:
        """Tell whether nothing of it was given, so that the run is a look."""
        return self == Signing(None, None, None, None)

    def complete(self, model: Path, inputs: RunInputs) -> tuple[Path, Path, Path]:
        """Return policy, trust and keys, when these and everything that the policy asks for are there.

        Raises:
            UsageError: When anything is missing, after one table of all of it.
            InputError: When the policy is there and none.
        """
        needs = [
            need_of_file(self.policy, option="--policy", why="a policy says what must hold"),
            need_of_file(self.trust, option="--trust", why="a trust document says who may sign what"),
        ]
        roles = {VERIFIER}
        if self.policy is not None and not needs[0].missing:
            asked = Policy.read(self.policy)
            roles |= set(signing_roles(asked).values())
            needs += needs_of_inputs(asked, inputs)
        needs += needs_of_keys(self.keys, self.passphrases, roles=roles)
        require_everything(needs, model=model)
        assert self.policy is not None and self.trust is not None and self.keys is not None  # noqa: S101, PT018
        return self.policy, self.trust, self.keys


def _require_no_use_of_signing(
    evidence: Path | None, seed_secret: Path | None, verdict: Path | None, *, explain: bool
) -> None:
    given = {"--evidence": evidence, "--seed-secret": seed_secret, "-o": verdict, "--explain": explain or None}
    for option, value in given.items():
        if value is not None:
            raise UsageError(
                f"{option} is for a run that counts, and without --policy nothing is signed",
                remedy=f"give --policy, --trust and --keys, or leave {option} out; --report FILE writes a report",
            )


def _warn_of_unlisted(policy: Policy, trusted: Trust, policy_path: Path, trust_path: Path) -> None:
    """Say before minutes are spent that no verdict by this policy will count; only the gate may say what it is."""
    if trusted.policies and not any(trusted.lists_policy(one) for one in (policy.digest, policy.file_digest)):
        places = f"{shlex.quote(str(trust_path))} {shlex.quote(str(policy_path))}"
        click.echo(clean(f"mind: {trust_path} does not list this policy, so the verdict will be undecided"), err=True)
        click.echo(clean(f"  next step: weighbridge trust policy {places}"), err=True)
