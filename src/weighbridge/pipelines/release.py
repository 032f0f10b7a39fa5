"""Give a model to what comes next: only after a passed verdict, and only the bytes that were judged."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from weighbridge._files import make_directory
from weighbridge.clock import Clock
from weighbridge.errors import ModelError, OutputError, UsageError
from weighbridge.evidence.keys import Signer
from weighbridge.evidence.store import DirectoryStore, StoredFile, require_outside
from weighbridge.gate.decision import Decision, Problem, VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.model.digest import Digest, ManifestDigest, ModelFiles, hash_model
from weighbridge.model.tree import Buffers, open_tree
from weighbridge.oci.image import read_image
from weighbridge.pipelines.sign import run_of
from weighbridge.policy import Policy
from weighbridge.trust import VERDICT, Trust


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision, the model's image by the same read, the files that it looked at, and the role that may sign it."""

    decision: Decision
    manifest: ManifestDigest
    files: tuple[StoredFile, ...]
    role: str


def judge_run(
    model: Path,
    *,
    evidence: Path,
    policy: Policy,
    trust: Trust,
    signer: Signer,
    run: str | None,
    clock: Clock,
) -> Judgement:
    """Judge a model by evidence; with ``run``, evidence of any other run speaks for nothing.

    Raises:
        InputError: When the evidence cannot be listed.
        ModelError: When the model has no digest.
        VerificationError: When the signer may not sign verdicts.
    """
    now = clock()
    # A key that may not sign verdicts is found out before one is written that nobody would accept.
    role = trust.role_of(signer.public, signs=VERDICT, now=now).role
    store = DirectoryStore(evidence)
    store.require_outside(model)
    files = tuple(store.read())
    image = read_image(model)
    present = ModelFiles.of(dict(image.files))
    decision = judge(image.digest, policy=policy, trust=trust, files=files, now=now, present=present)
    return Judgement(
        decision=decision if run is None else _of_run(decision, run),
        manifest=image.manifest_digest,
        files=files,
        role=role,
    )


def _of_run(decision: Decision, run: str) -> Decision:
    problems = tuple(
        Problem(
            VerdictResult.UNDECIDED,
            f"{item.file} is evidence of {f'run {other}' if other else 'no run'}, not of run {run}: "
            "the engine may have taken it from a cache",
            "turn caching off for the security steps and run the pipeline again",
        )
        for outcome in decision.outcomes
        for item in outcome.evidence
        if (other := run_of(item.record.nonce)) != run
    )
    if not problems:
        return decision
    return Decision(
        model=decision.model,
        policy=decision.policy,
        trust=decision.trust,
        time=decision.time,
        valid_until=decision.valid_until,
        outcomes=decision.outcomes,
        rejected=decision.rejected,
        problems=(*decision.problems, *problems),
    )


def release(model: Path, target: Path, *, digest: Digest) -> None:
    """Copy a model to a place where nothing is, and leave it there only when the copy has this digest.

    The copy is hashed, not the source: what the next step reads is what was judged, whoever writes to the source.
    A model that is a single file stays one; its name is part of its digest, so it is copied into a directory.

    Raises:
        ModelError: When the copy is not the model of this digest; nothing is left then.
        OutputError: When it cannot be copied.
        UsageError: When the target lies in the model or exists.
    """
    require_outside(target, model=model, what="the output")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} exists", remedy="give an output that is not there yet")
    make_directory(target.parent)
    staging = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        staging.mkdir()
        _copy(model, staging)
        if hash_model(staging) != digest:
            raise ModelError(
                "the model changed after it was judged; nothing was released",
                remedy="stop whatever writes there and try again",
            )
        with suppress(FileNotFoundError):
            target.rmdir()
        staging.rename(target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}; nothing was left behind") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _copy(model: Path, staging: Path) -> None:
    # Bytes only: modes and times are no part of a model, and another user has to read it. Of links only those are
    # followed that have a digest.
    buffer = Buffers().buffer()
    with open_tree(model) as tree:
        for entry in tree.entries:
            target = staging / entry.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as stream:
                for chunk in tree.read(entry, buffer=buffer):
                    stream.write(chunk)


Render = Callable[[Judgement], str]
"""Writes the report of a judgement."""
