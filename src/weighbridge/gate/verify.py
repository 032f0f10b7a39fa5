"""What a consumer runs before loading a model. It imports nothing heavy and needs no network."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from weighbridge._files import read_limited
from weighbridge.clock import Clock, system_clock
from weighbridge.errors import InputError, VerificationError, WeighbridgeError
from weighbridge.evidence.bundle import MAX_BUNDLE_BYTES, read_bundle
from weighbridge.evidence.dsse import verify_envelope
from weighbridge.evidence.statement import Statement
from weighbridge.evidence.store import DirectoryStore, beside
from weighbridge.gate.demands import UnsafeAnyPolicy
from weighbridge.gate.evidence import sort_evidence
from weighbridge.gate.mismatch import claimed_model, naming_files, recorded_files
from weighbridge.gate.summary import VSA, Verdict
from weighbridge.gate.verdict import verify_verdict
from weighbridge.model.digest import Digest, ModelFiles, Progress, hash_files
from weighbridge.policy import Policy
from weighbridge.trust import VERDICT, Trust


def verify(
    model: str | Path,
    *,
    verdict: str | Path,
    trust: str | Path,
    policy: str | Path | UnsafeAnyPolicy | None = None,
    evidence: str | Path | None = None,
    clock: Clock = system_clock,
    progress: Progress | None = None,
) -> Verdict:
    """Return the verdict when these bytes may be loaded; raise otherwise.

    The model is hashed again, the verdict's signature is verified by the trust document, and its times, its subject
    and everything that was revoked are checked. The verdict must have been judged by the file ``policy``, or else by a
    policy that the trust document lists; ``UnsafeAnyPolicy()`` gives that up.

    When the verdict is about other bytes, the refusal names the files that differ if trusted evidence about the judged
    model lies in ``evidence``. By default that is the directory of that name beside the model, or in the current
    directory when the model is a snapshot in the Hub's cache; and then the one beside the verdict. It is not read
    otherwise.

    Raises:
        weighbridge.WeighbridgeError: Whatever does not hold; there is no other way to say no.
    """
    trusted = Trust.read(Path(trust))
    wanted = policy if isinstance(policy, UnsafeAnyPolicy) or policy is None else Policy.read(Path(policy))
    data = read_limited(Path(verdict), limit=MAX_BUNDLE_BYTES, what="the verdict")
    present = hash_files(Path(model), progress=progress)
    now, what = clock(), Path(verdict).name
    try:
        return verify_verdict(data, model=present.digest, trust=trusted, now=now, what=what, policy=wanted)
    except VerificationError as error:
        judged = _judged_model(data, trust=trusted, now=now, what=what)
        if judged is None or judged == present.digest:
            raise
        usual = (beside(Path(model)), Path(verdict).absolute().parent / "evidence")
        places = usual if evidence is None else (Path(evidence),)
        raise _explained(error, judged, present=present, places=places, trust=trusted, now=now) from None


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
    places: tuple[Path, ...],
    trust: Trust,
    now: datetime,
) -> VerificationError:
    for place in places:
        files = _files_of(judged, store=DirectoryStore(place), trust=trust, now=now)
        if files is not None:
            return naming_files(error, judged=files, present=present)
    names = " or ".join(dict.fromkeys(str(place) for place in places))
    return VerificationError(
        f"{error.message}. Trusted evidence of the judged model would say which files differ; there is none in {names}",
        remedy=f"name its directory with --evidence to see which files differ; {error.remedy}",
    )


def _files_of(judged: Digest, *, store: DirectoryStore, trust: Trust, now: datetime) -> ModelFiles | None:
    try:
        found = sort_evidence(store.read(), model=judged, trust=trust, now=now)
    except InputError:
        return None  # no directory, or one that holds too much: the refusal stands without
    files = (recorded_files(item.record, model=judged) for item in found.evidence)
    return next((item for item in files if item is not None), None)
