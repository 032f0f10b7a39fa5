"""What a consumer runs before loading a model. It imports nothing heavy and needs no network."""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path

from weighbridge._files import read_limited
from weighbridge.clock import Clock, system_clock
from weighbridge.errors import InputError, VerificationError, WeighbridgeError
from weighbridge.evidence.bundle import MAX_BUNDLE_BYTES, read_bundle
from weighbridge.evidence.dsse import verify_envelope
from weighbridge.evidence.statement import Statement
from weighbridge.evidence.store import DirectoryStore, beside
from weighbridge.gate.evidence import verify_evidence
from weighbridge.gate.mismatch import claimed_model, naming_files, recorded_files
from weighbridge.gate.verdict import VSA, Verdict, verify_verdict
from weighbridge.model.digest import Digest, ModelFiles, Progress, hash_files
from weighbridge.policy import Policy
from weighbridge.trust import VERDICT, Trust


def verify(
    model: str | Path,
    *,
    verdict: str | Path,
    trust: str | Path,
    policy: str | Path | None = None,
    evidence: str | Path | None = None,
    clock: Clock = system_clock,
    progress: Progress | None = None,
) -> Verdict:
    """Return the verdict when these bytes may be loaded; raise otherwise.

    The model is hashed again, the verdict's signature is verified by the trust document, and its times, its subject
    and everything that was revoked are checked. With ``policy``, the verdict must have been judged by that file.

    When the verdict is about other bytes, the refusal names the files that differ if trusted evidence about the judged
    model lies in ``evidence``, by default the directory of that name beside the model. It is not read otherwise.

    Raises:
        weighbridge.WeighbridgeError: Whatever does not hold; there is no other way to say no.
    """
    trusted = Trust.read(Path(trust))
    wanted = Policy.read(Path(policy)).digest if policy is not None else None
    data = read_limited(Path(verdict), limit=MAX_BUNDLE_BYTES, what="the verdict")
    present = hash_files(Path(model), progress=progress)
    now, what = clock(), Path(verdict).name
    try:
        return verify_verdict(data, model=present.digest, trust=trusted, now=now, what=what, policy_digest=wanted)
    except VerificationError as error:
        judged = _judged_model(data, trust=trusted, now=now, what=what)
        if judged is None or judged == present.digest:
            raise
        store = DirectoryStore(Path(evidence) if evidence is not None else beside(Path(model)))
        raise _explained(error, judged, present=present, store=store, trust=trusted, now=now) from None


def _judged_model(data: bytes, *, trust: Trust, now: datetime, what: str) -> Digest | None:
    """Return the model that an authentic verdict is about."""
    try:
        envelope = read_bundle(data, what=what)
        key = verify_envelope(envelope, keys=tuple(trusted.key for trusted in trust.keys))
        statement = Statement.parse(envelope.content(), what=what)
        trust.role_of(key, signs=VERDICT, now=now)
    except WeighbridgeError:
        return None
    return claimed_model(statement) if statement.predicate_type == VSA else None


def _explained(
    error: VerificationError,
    judged: Digest,
    *,
    present: ModelFiles,
    store: DirectoryStore,
    trust: Trust,
    now: datetime,
) -> VerificationError:
    files = _files_of(judged, store=store, trust=trust, now=now)
    if files is not None:
        return naming_files(error, judged=files, present=present)
    return VerificationError(
        f"{error.message}. Trusted evidence of the judged model would say which files differ; {store.path} holds none",
        remedy=error.remedy,
    )


def _files_of(judged: Digest, *, store: DirectoryStore, trust: Trust, now: datetime) -> ModelFiles | None:
    try:
        for file in store.read():
            with contextlib.suppress(WeighbridgeError):
                found = None if file.problem else verify_evidence(file, model=judged, trust=trust, now=now)
                files = recorded_files(found.record, model=judged) if found is not None else None
                if files is not None:
                    return files
    except InputError:
        pass  # no directory, or one that holds too much: the refusal stands without
    return None
