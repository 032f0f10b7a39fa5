"""What a consumer runs before loading a model. It imports nothing heavy and needs no network."""

from __future__ import annotations

from pathlib import Path

from weighbridge._files import read_limited
from weighbridge.clock import Clock, system_clock
from weighbridge.evidence.bundle import MAX_BUNDLE_BYTES
from weighbridge.gate.demands import UnsafeAnyPolicy
from weighbridge.gate.summary import Verdict
from weighbridge.gate.verdict import verify_verdict
from weighbridge.model.digest import Progress, hash_model
from weighbridge.policy import Policy
from weighbridge.trust import Trust


def verify(
    model: str | Path,
    *,
    verdict: str | Path,
    trust: str | Path,
    policy: str | Path | UnsafeAnyPolicy | None = None,
    clock: Clock = system_clock,
    progress: Progress | None = None,
) -> Verdict:
    """Return the verdict when these bytes may be loaded; raise otherwise.

    The model is hashed again, the verdict's signature is verified by the trust document, and its times, its subject
    and everything that was revoked are checked. The verdict must have been judged by the file ``policy``, or else by a
    policy that the trust document lists; ``UnsafeAnyPolicy()`` gives that up.

    Raises:
        weighbridge.WeighbridgeError: Whatever does not hold; there is no other way to say no.
    """
    trusted = Trust.read(Path(trust))
    wanted = policy if isinstance(policy, UnsafeAnyPolicy) or policy is None else Policy.read(Path(policy))
    data = read_limited(Path(verdict), limit=MAX_BUNDLE_BYTES, what="the verdict")
    return verify_verdict(
        data,
        model=hash_model(Path(model), progress=progress),
        trust=trusted,
        now=clock(),
        what=Path(verdict).name,
        policy=wanted,
    )
