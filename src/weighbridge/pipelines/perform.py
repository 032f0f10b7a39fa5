"""Do one step: from its inputs to its outputs and what is to be known about each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge import __version__
from weighbridge._files import read_limited, write_atomically
from weighbridge.checks.dependencies.advisories import packaged_bundle
from weighbridge.checks.interface import (
    DependencyAuditOptions,
    LeakageOptions,
    ModelScanOptions,
    Options,
    RobustnessOptions,
)
from weighbridge.clock import Clock, format_instant
from weighbridge.errors import UsageError
from weighbridge.evidence.bundle import MAX_BUNDLE_BYTES
from weighbridge.evidence.inputs import read_signatures
from weighbridge.evidence.keys import Signer
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.store import DirectoryStore
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.run import MAX_FORESEEN_TRIES, confidences_for, signing_roles, store_signatures
from weighbridge.gate.verdict import verify_verdict, write_verdict
from weighbridge.model.digest import ALGORITHM, hash_model
from weighbridge.pipelines.call import Call
from weighbridge.pipelines.handover import Handover
from weighbridge.pipelines.measure import measure
from weighbridge.pipelines.release import Render, judge_run, release
from weighbridge.pipelines.sign import sign_handovers
from weighbridge.policy import Policy
from weighbridge.trust import Trust

Metadata = dict[str, dict[str, str | int | float | bool | None]]
"""What is known about each output that was written, by its name."""

OpenKey = Callable[[Path, Path | None], Signer]
"""Opens a key file with its passphrase in a file or directory; called as late as possible."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a step did: the metadata of its outputs, one line for the log, and why it stops the pipeline, if it does."""

    metadata: Metadata
    line: str
    stops: str = ""
    result: str = "passed"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a step takes from outside: the time, keys, and how a report is written."""

    clock: Clock
    open_key: OpenKey
    render: Render


def perform(call: Call, around: Surroundings) -> Outcome:
    """Do a step.

    Raises:
        WeighbridgeError: When it could not be done; no output counts then.
    """
    name = call.step.name
    if name in _OPTIONS:
        return _check(call, _OPTIONS[name](call), around)
    return _OTHERS[name](call, around)


def _check(call: Call, options: Options, around: Surroundings) -> Outcome:
    handover = measure(call.path("model"), options, run=call.text("run"), clock=around.clock)
    data = handover.write(call.outputs["measured"])
    found, open_ends = len(handover.findings), len(handover.undecided)
    return Outcome(
        {
            "measured": {
                "check": handover.check.value,
                "sha256": hashlib.sha256(data).hexdigest(),
                ALGORITHM: handover.examined,
                "findings": found,
                "undecided": open_ends,
                "confinement": handover.confinement.summary,
            }
        },
        f"measured, {found} findings, {open_ends} undecided, not signed; {handover.confinement.summary}",
    )


def _audit_options(call: Call) -> Options:
    requirements, lock = call.optional_path("requirements"), call.optional_path("lock")
    if requirements is None and lock is None:
        raise UsageError("there is nothing to audit", remedy="give requirements or lock")
    return DependencyAuditOptions(
        advisories=str(call.optional_path("advisories") or packaged_bundle()),
        requirements=() if requirements is None else (str(requirements),),
        locks=() if lock is None else (str(lock),),
    )


def _robustness_options(call: Call) -> Options:
    at_least = call.number("at_least")
    return RobustnessOptions(
        data=str(call.path("data")),
        epsilon=call.number("epsilon"),
        queries=call.integer("queries"),
        samples=call.integer("samples"),
        at_least=at_least if 0 < at_least < 1 else None,
        confidence=call.number("confidence"),
    )


def _leakage_options(call: Call) -> Options:
    usual = LeakageOptions(members="", non_members="")
    fpr = call.number("fpr")
    return LeakageOptions(
        members=str(call.path("members")),
        non_members=str(call.path("non_members")),
        # Lower rates than the policy's would need more rows than it takes to answer it.
        rates=tuple(sorted({fpr, *(rate for rate in usual.rates if rate > fpr)})),
        confidences=confidences_for(call.number("confidence"), usual.confidences, tries=MAX_FORESEEN_TRIES),
    )


def _sign(call: Call, around: Surroundings) -> Outcome:
    handovers = [
        Handover.read(path, check=check)
        for check in CheckName
        if (path := call.optional_path(check.value.replace("-", "_"))) is not None
    ]
    passphrase = _passphrase(call)
    digest, written = sign_handovers(
        handovers,
        model=call.path("model"),
        name=call.text("name"),
        run=call.text("run"),
        store=DirectoryStore(call.outputs["evidence"]),
        signer=lambda check: around.open_key(_key_for(call, check), passphrase),
        clock=around.clock,
    )
    signatures = call.optional_path("signatures")
    if signatures is not None:
        store = DirectoryStore(call.outputs["evidence"])
        written += store_signatures(read_signatures(signatures), model=digest, store=store)
    return Outcome(
        {"evidence": {ALGORITHM: digest.hex, "files": len(written), "run": call.text("run")}},
        f"signed {len(handovers)} checks of {digest}",
    )


def _key_for(call: Call, check: CheckName) -> Path:
    if key := call.text("key"):
        return Path(key)
    if "policy" not in call.values:
        raise UsageError(
            "which role signs is not known without a policy", remedy="give --policy with --keys, or one --key"
        )
    roles = signing_roles(Policy.parse(call.document("policy"), name="policy"))
    if check not in roles:
        raise UsageError(
            f"the policy does not ask for {check}, so no role signs it",
            remedy="leave that check out, or add it to the policy",
        )
    return Path(call.text("keys"), f"{roles[check]}.key")


def _passphrase(call: Call) -> Path | None:
    # The default is where the image expects it; when nothing is mounted there, the environment has it.
    given = call.text("passphrase_file")
    return Path(given) if given and Path(given).exists() else None


def _gate(call: Call, around: Surroundings) -> Outcome:
    model = call.path("model")
    policy = Policy.parse(call.document("policy"), name="policy")
    trust = Trust.parse(call.document("trust"), name="trust")
    signer = around.open_key(Path(call.text("key")), _passphrase(call))
    judgement = judge_run(
        model,
        evidence=call.path("evidence"),
        policy=policy,
        trust=trust,
        signer=signer,
        run=call.text("run") or None,
        clock=around.clock,
    )
    decision = judgement.decision
    verdict = write_verdict(
        decision, name=call.text("name"), version=__version__, signer=signer, manifest=judgement.manifest
    )
    write_atomically(call.outputs["verdict"], verdict)
    write_atomically(call.outputs["report"], around.render(judgement).encode())
    common: dict[str, str | int | float | bool | None] = {
        ALGORITHM: decision.model.hex,
        "manifest": str(judgement.manifest),
        "result": decision.result.value,
        "policySha256": policy.digest,
    }
    metadata: Metadata = {"verdict": {**common, "sha256": hashlib.sha256(verdict).hexdigest()}, "report": dict(common)}
    if decision.result is not VerdictResult.PASSED:
        reasons = [item.reason for item in decision.outcomes if item.result is not VerdictResult.PASSED]
        reasons += [item.reason for item in decision.problems]
        return Outcome(
            metadata,
            f"{decision.result.value}: {decision.model}",
            stops="; ".join(reasons),
            result=decision.result.value,
        )
    release(model, call.outputs["verified"], digest=decision.model)
    metadata["verified"] = {**common, "validUntil": format_instant(decision.valid_until)}
    passed = f"passed: {decision.model}, until {format_instant(decision.valid_until)}"
    return Outcome(metadata, _minded(decision.weaknesses, passed))


def _minded(weaknesses: tuple[str, ...], line: str) -> str:
    return "".join(f"mind: {sentence}; " for sentence in weaknesses) + line


def _verify(call: Call, around: Surroundings) -> Outcome:
    policy = Policy.parse(call.document("policy"), name="policy") if "policy" in call.values else None
    found = verify_verdict(
        read_limited(call.path("verdict"), limit=MAX_BUNDLE_BYTES, what="the verdict"),
        model=hash_model(call.path("model")),
        trust=Trust.parse(call.document("trust"), name="trust"),
        now=around.clock(),
        what="the verdict",
        policy=policy,
    )
    release(call.path("model"), call.outputs["verified"], digest=found.model)
    until = format_instant(found.valid_until)
    facts: dict[str, str | int | float | bool | None] = {
        ALGORITHM: found.model.hex,
        "policySha256": found.policy_digest,
        "validUntil": until,
    }
    return Outcome({"verified": facts}, _minded(found.weaknesses, f"verified: {found.model}, until {until}"))


_OPTIONS: Final[Mapping[str, Callable[[Call], Options]]] = {
    "dependency-audit": _audit_options,
    "model-scan": lambda _: ModelScanOptions(),
    "robustness-test": _robustness_options,
    "leakage-test": _leakage_options,
}
_OTHERS: Final[Mapping[str, Callable[[Call, Surroundings], Outcome]]] = {
    "sign-model": _sign,
    "gate": _gate,
    "verify-model": _verify,
}
