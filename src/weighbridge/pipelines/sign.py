"""The second half of a check: sign what was measured. The model is hashed here and never opened."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from weighbridge import __version__
from weighbridge.checks.run import TOOL
from weighbridge.clock import Clock, format_instant
from weighbridge.errors import UsageError
from weighbridge.evidence.keys import Signer
from weighbridge.evidence.record import CheckName, CheckRecord, Tool
from weighbridge.evidence.store import DirectoryStore
from weighbridge.gate.run import sign_record
from weighbridge.model.digest import Digest
from weighbridge.oci.image import read_image
from weighbridge.pipelines.handover import Handover

_RANDOM_BYTES: Final = 16


def new_nonce(run: str) -> str:
    """Return 128 random bits in hex, with the run behind a dot."""
    return f"{secrets.token_hex(_RANDOM_BYTES)}.{run}"


def run_of(nonce: str) -> str:
    """Return the run that a nonce belongs to; empty when it was made outside a pipeline."""
    return nonce.partition(".")[2]


def sign_handovers(
    handovers: Iterable[Handover],
    *,
    model: Path,
    name: str,
    run: str,
    store: DirectoryStore,
    signer: Callable[[CheckName], Signer],
    clock: Clock,
) -> tuple[Digest, list[Path]]:
    """Sign the measurements of this run as evidence about the model, and return its digest and the files.

    Subject, times, tool and nonce are the signer's own. All handovers are judged before a key is asked for, so one
    that is refused leaves no evidence of any.

    Raises:
        ModelError: When the model has no digest.
        UsageError: When nothing was handed over, or the evidence would lie inside the model.
        VerificationError: When a handover is of other bytes or says that other files were read, is of another run or
            another version.
    """
    found = tuple(handovers)
    if not found:
        raise UsageError("nothing was handed over to be signed", remedy="give the outputs of the check steps")
    store.require_outside(model)
    tool = Tool(name=TOOL, version=__version__)
    image = read_image(model)
    for handover in found:
        handover.require(model=image.digest, files=image.files, run=run, tool=tool)
    now = format_instant(clock())
    written = []
    for handover in found:
        record = CheckRecord(
            check=handover.check,
            tool=tool,
            confinement=handover.confinement,
            nonce=new_nonce(run),
            started=now,
            finished=now,
            parameters=handover.parameters,
            findings=handover.findings,
            undecided=handover.undecided,
            measurements=handover.measurements,
            seed=handover.seed,
            tries=None if handover.seed is None else "unknown",
            view=handover.view,
            files=handover.files,
        )
        written += sign_record(
            record,
            model=image.digest,
            manifest=image.manifest_digest,
            name=name,
            store=store,
            signer=signer(handover.check),
        )
    return image.digest, written
