"""Judge one model of a pod: find the newest authentic verdict about its manifest, and ask whether it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from weighbridge.admission._reasons import Reason, ReasonCode
from weighbridge.admission.images import ModelImage
from weighbridge.admission.verdicts import StoredVerdict, VerdictIndex
from weighbridge.errors import VerificationError, WeighbridgeError
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.demands import DEMANDS
from weighbridge.gate.summary import Verdict
from weighbridge.gate.verdict import authenticate_verdict
from weighbridge.policy import Policy
from weighbridge.trust import Trust

_CODES: Final = {
    "times": ReasonCode.VERDICT_EXPIRED,
    "model": ReasonCode.REVOKED,
    "policy-listed": ReasonCode.POLICY_NOT_LISTED,
    "policy": ReasonCode.REVOKED,
    "keys": ReasonCode.REVOKED,
    "trust-name": ReasonCode.OTHER_TRUST,
    "trust-version": ReasonCode.TRUST_OUTDATED,
    "result": ReasonCode.VERDICT_FAILED,
}


@dataclass(frozen=True, slots=True)
class ModelJudgement:
    """What is known about one model of a pod. Without ``reason`` it may be loaded, by this ``verdict``."""

    image: ModelImage
    reason: Reason | None
    verdict: Verdict | None = None
    stored: str = ""
    """The name of the verdict that counted."""


def judge_model(
    image: ModelImage, *, policy: Policy, trust: Trust, verdicts: VerdictIndex, now: datetime
) -> ModelJudgement:
    """Judge one model by the verdicts at hand, under the policy of the pod's namespace.

    Of several authentic verdicts by that policy the newest counts, so that a failed one ends an older passed one; one
    that no trusted verifier signed counts for nothing and hides nothing.
    """
    stored = verdicts.about(image.manifest)
    if not stored:
        return ModelJudgement(image, _none_found(image, verdicts))
    authentic: list[tuple[StoredVerdict, Verdict]] = []
    refused: list[str] = []
    for item in stored:
        try:
            found = authenticate_verdict(item.data, model=item.model, trust=trust, now=now, what=item.name)
        except WeighbridgeError as error:
            refused.append(f"{item.name}: {error.message}")
        else:
            authentic.append((item, found))
    if not authentic:
        return ModelJudgement(image, _not_trusted(image, refused))
    # By the namespace's own policy first: a verdict by an older one that is still listed ends none by this.
    own = [pair for pair in authentic if policy.is_named(pair[1].policy_digest)]
    by_policy = own or [pair for pair in authentic if _is_by(pair[1], policy, trust)]
    if not by_policy:
        return ModelJudgement(image, _other_policy(image, authentic[0][1], policy))
    # Of verdicts of one second one that did not pass counts, then the name decides: never the order of a list.
    item, verdict = max(
        by_policy, key=lambda pair: (pair[1].time, pair[1].result is not VerdictResult.PASSED, pair[0].name)
    )
    reason = _demand(image, item, verdict, policy, trust, now) or _bound(image, item, verdict, policy)
    return ModelJudgement(image, reason, verdict=verdict, stored=item.name)


def _is_by(verdict: Verdict, policy: Policy, trust: Trust) -> bool:
    # A name alone proves nothing: whoever has models judged could have judged one by a policy of this name that asks
    # for nothing. One that the trust document lists under the name counts, so that a new version can be rolled out.
    return verdict.policy_name == policy.name and any(map(trust.lists_policy, verdict.policy_digests))


def _bound(image: ModelImage, stored: StoredVerdict, verdict: Verdict, policy: Policy) -> Reason | None:
    if policy.mode != "enforce" or not verdict.unbound:
        return None
    roles = ", ".join(sorted({item.role.value for item in verdict.unbound}))
    return _reason(
        ReasonCode.INPUTS_UNBOUND,
        image,
        f"{stored.name}: nothing binds what it was judged on ({roles} unbound), and where a policy enforces that "
        "releases no pod",
        f"bind {roles} in the policy by a digest or by a role that signs, and have the model judged again",
    )


def _require_policy(policy: Policy) -> Callable[[Verdict, Trust, datetime], None]:
    def demand(verdict: Verdict, trust: Trust, _: datetime) -> None:
        digests = {*verdict.policy_digests}
        if policy.is_named(verdict.policy_digest):
            digests |= {policy.digest, policy.file_digest}
        for digest in sorted(digests):
            trust.require_unrevoked_policy(digest)

    return demand


def _demand(
    image: ModelImage, stored: StoredVerdict, verdict: Verdict, policy: Policy, trust: Trust, now: datetime
) -> Reason | None:
    for name, demand in {**DEMANDS, "policy": _require_policy(policy)}.items():
        try:
            demand(verdict, trust, now)
        except VerificationError as error:
            return _reason(_CODES[name], image, f"{stored.name}: {error.message}", error.remedy)
    return None


def _none_found(image: ModelImage, verdicts: VerdictIndex) -> Reason:
    unread = f", and {len(verdicts.unreadable)} cannot be read" if verdicts.unreadable else ""
    return _reason(
        ReasonCode.NO_VERDICT,
        image,
        f"of {len(verdicts.by_name)} verdicts at hand none is about sha256:{image.manifest}{unread}",
        "have the model judged (`weighbridge run`) and publish its verdict (`weighbridge push --model-verdict`)",
    )


def _not_trusted(image: ModelImage, refused: list[str]) -> Reason:
    more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
    return _reason(
        ReasonCode.SIGNER_NOT_TRUSTED,
        image,
        f"no verdict about it is authentic: {refused[0]}{more}",
        "have the model judged by a verifier whose key the trust document lists",
    )


def _other_policy(image: ModelImage, verdict: Verdict, policy: Policy) -> Reason:
    return _reason(
        ReasonCode.OTHER_POLICY,
        image,
        f"its verdict is by the policy {verdict.policy_name} sha256:{verdict.policy_digest}, and this namespace has "
        f"the policy {policy.name} sha256:{policy.digest}",
        f"have the model judged by the policy {policy.name} as it is in the cluster",
    )


def _reason(code: ReasonCode, image: ModelImage, message: str, remedy: str) -> Reason:
    return Reason(
        code,
        f"the model {image.reference} of the volume {image.volume!r} is not verified: {message}",
        remedy,
        image.path,
    )
