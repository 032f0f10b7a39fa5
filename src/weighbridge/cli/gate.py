"""``weighbridge gate MODEL``."""

from __future__ import annotations

from pathlib import Path

import click

from weighbridge.cli._judge import check_destinations, judge_and_write, outcome_options, verdict_path
from weighbridge.cli._options import (
    EVIDENCE,
    MODEL,
    evidence_directory,
    identify_image,
)
from weighbridge.cli._passphrases import PASSPHRASE_FILE, open_key
from weighbridge.clock import system_clock
from weighbridge.evidence.store import DirectoryStore
from weighbridge.policy import Policy
from weighbridge.trust import Trust

PATH = click.Path(path_type=Path)


@click.command(short_help="Judge the evidence of a model by a policy.")
@MODEL
@click.option("--policy", type=PATH, required=True, help="What must hold.")
@click.option("--trust", type=PATH, required=True, help="Who may sign what.")
@EVIDENCE
@click.option("--key", type=PATH, help="Private key of the verifier; without one no verdict is written.")
@PASSPHRASE_FILE
@outcome_options
def command(
    model: Path,
    policy: Path,
    trust: Path,
    evidence: Path | None,
    key: Path | None,
    passphrase_file: Path | None,
    verdict: Path | None,
    report: Path | None,
    explain: bool,
    output: str,
) -> int:
    """Judge MODEL: hash it again, verify all evidence by TRUST, apply the POLICY, and sign the verdict.

    Exit code 0: passed, 1: failed, 2: undecided, which refuses just the same.
    """
    judged_by, trusted = Policy.read(policy), Trust.read(trust)
    store = DirectoryStore(evidence_directory(model, evidence))
    target = verdict_path(model, verdict)
    check_destinations(model, store=store, verdict=target, report=report)
    signer = open_key(key, passphrase=passphrase_file) if key else None
    return judge_and_write(
        model,
        identify_image(model),
        policy=judged_by,
        trust=trusted,
        store=store,
        signer=signer,
        verdict=target,
        output="explain" if explain else output,
        report=report,
        clock=system_clock,
    )
