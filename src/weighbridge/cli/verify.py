"""``weighbridge verify MODEL``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from weighbridge import _json
from weighbridge.cli import fail
from weighbridge.cli._options import EVIDENCE_PLACE, MODEL
from weighbridge.cli._outlet import format_options
from weighbridge.cli._progress import bytes_progress
from weighbridge.clock import format_instant
from weighbridge.errors import UsageError, VerificationError
from weighbridge.gate.demands import UnsafeAnyPolicy
from weighbridge.gate.verify import verify
from weighbridge.report._text import clean

REFUSED: Final = 1
"""Exit code when the model must not be loaded."""


@click.command(short_help="Say whether a model may be loaded.")
@MODEL
@click.option("--verdict", type=click.Path(path_type=Path), required=True, help="The verdict that the gate wrote.")
@click.option("--trust", type=click.Path(path_type=Path), required=True, help="Who may sign verdicts.")
@click.option("--policy", type=click.Path(path_type=Path), help="The policy that the verdict must be by.")
@click.option("--any-policy", is_flag=True, help="Take a verdict by whatever policy: then it says little.")
@click.option(
    "--evidence",
    type=click.Path(path_type=Path),
    help=f"Evidence that says which files differ from what was judged. [default: {EVIDENCE_PLACE}]",
)
@format_options(["text", "json"])
def command(
    model: Path,
    verdict: Path,
    trust: Path,
    policy: Path | None,
    any_policy: bool,
    evidence: Path | None,
    output: str,
) -> int:
    """Say whether MODEL may be loaded: exit code 0 when it may, 1 when it must not, 2 when nothing can be said.

    The model is hashed again, so a changed byte refuses, and the refusal names the files that differ where evidence of
    the judged model is at hand. The verdict must be by --policy, or by a policy that the trust document lists:
    --any-policy gives that up, and then whoever could have a policy of his own judged has a verdict too. Run this, or
    `weighbridge.verify(...)`, before you load.
    """
    if any_policy and policy is not None:
        raise UsageError("--policy and --any-policy exclude each other", remedy="give one of them")
    accepted = UnsafeAnyPolicy() if any_policy else policy
    if any_policy:
        click.echo("note: --any-policy takes a verdict by whatever policy, also by one that asks for nothing", err=True)
    try:
        with bytes_progress("hashing") as progress:
            found = verify(model, verdict=verdict, trust=trust, policy=accepted, evidence=evidence, progress=progress)
    except VerificationError as error:
        return _refuse(error, output=output)
    if output == "json":
        click.echo(
            _json.dumps_pretty(
                {
                    "verified": True,
                    "model": str(found.model),
                    "policy": {"name": found.policy_name, "mode": found.mode, "sha256": found.policy_digest},
                    "weaknesses": list(found.weaknesses),
                    "signer": found.signer,
                    "validUntil": format_instant(found.valid_until),
                }
            )
        )
        return 0
    for weakness in found.weaknesses:
        click.echo(f"mind: {clean(weakness)}")
    click.echo(f"verified: {found.model}")
    click.echo(f"  policy {found.policy_name} (mode {found.mode}) sha256:{found.policy_digest}")
    click.echo(f"  judged by {found.signer} at {format_instant(found.time)}")
    click.echo(f"  valid until {format_instant(found.valid_until)}")
    return 0


def _refuse(error: VerificationError, *, output: str) -> int:
    # A refusal is an answer, and goes where the other answer goes: who keeps the one in a file must find both there.
    if output == "json":
        click.echo(_json.dumps_pretty({"verified": False, "reason": error.message, "remedy": error.remedy}))
        return fail(error.message, remedy=error.remedy, label="refused", code=REFUSED)
    click.echo(f"refused: {clean(error.message)}")
    if error.remedy:
        click.echo(f"  next step: {clean(error.remedy)}")
    return REFUSED
