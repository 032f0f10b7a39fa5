"""Decide whether a pod may use the accelerators that it can reach.

The decision is a pure function: it reads no network, no clock and no cluster, and nothing that a pod says about itself
in labels, annotations or status is believed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from weighbridge.admission._pod_rules import Facts, pod_reasons
from weighbridge.admission._reasons import Reason, ReasonCode
from weighbridge.admission.accelerators import Match, find_ways, load_rules
from weighbridge.admission.images import model_images
from weighbridge.admission.judging import ModelJudgement, judge_model
from weighbridge.admission.pods import Pod
from weighbridge.admission.policies import PolicySet
from weighbridge.admission.verdicts import VerdictIndex
from weighbridge.admission.workloads import WorkloadUse, use_of_workload
from weighbridge.errors import PolicyError, TrustError
from weighbridge.policy import Policy
from weighbridge.trust import Trust

__all__ = ["GATE", "Match", "ModelJudgement", "Outcome", "PodDecision", "Reason", "ReasonCode", "decide"]

GATE: Final = "weighbridge.dev/verified"
"""Name of the scheduling gate that holds a pod until it is decided."""

Mode = Literal["audit", "warn", "enforce"]


class Outcome(StrEnum):
    """What becomes of a pod."""

    NOT_HELD = "not-held"
    ADMIT = "admit"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class PodDecision:
    """What becomes of a pod and why.

    ``outcome`` is what the rules say, whatever the mode; in ``audit`` and ``warn`` a hold is only reported. Where no
    policy can be found, the mode is ``enforce``. A hold has at least one reason, and nothing else has any.
    """

    outcome: Outcome
    mode: Mode
    policy: str | None = None
    reasons: tuple[Reason, ...] = ()
    models: tuple[ModelJudgement, ...] = ()
    ways: tuple[Match, ...] = ()
    workload: WorkloadUse | None = None


def decide(
    pod: Pod, *, namespace: str, policies: PolicySet, trust: Trust, verdicts: VerdictIndex, now: datetime
) -> PodDecision:
    """Decide about one pod.

    Args:
        pod: The pod as it is to be, or is.
        namespace: Where it is to be; what the pod says about it is not read.
        policies: Every policy that there is.
        trust: Who may sign verdicts, and what is revoked.
        verdicts: Every verdict that is at hand.
        now: The present.
    """
    ways = find_ways(pod, rules=load_rules())
    try:
        policy = policies.holding_in(namespace)
    except PolicyError as error:
        if not ways:
            return PodDecision(Outcome.NOT_HELD, mode="enforce")
        reason = Reason(ReasonCode.NO_POLICY, error.message, error.remedy)
        return PodDecision(Outcome.HOLD, mode="enforce", reasons=(reason,), ways=ways)
    if not ways:
        return PodDecision(Outcome.NOT_HELD, mode=policy.mode, policy=policy.name)
    return _decide_held(pod, namespace, policy, ways, trust, verdicts, now)


def _decide_held(
    pod: Pod,
    namespace: str,
    policy: Policy,
    ways: tuple[Match, ...],
    trust: Trust,
    verdicts: VerdictIndex,
    now: datetime,
) -> PodDecision:
    workload = use_of_workload(pod, namespace=namespace, policy=policy, now=now)
    images, reasons = model_images(pod)
    reasons += pod_reasons(Facts(pod=pod, ways=ways, workload=workload, models=len(images) + len(reasons)))
    models: tuple[ModelJudgement, ...] = ()
    if images:
        try:
            trust.require_current(now)
        except TrustError as error:
            reasons += (Reason(ReasonCode.TRUST_EXPIRED, error.message, error.remedy),)
        else:
            models = tuple(judge_model(item, policy=policy, trust=trust, verdicts=verdicts, now=now) for item in images)
            reasons += tuple(model.reason for model in models if model.reason is not None)
    return PodDecision(
        outcome=Outcome.HOLD if reasons else Outcome.ADMIT,
        mode=policy.mode,
        policy=policy.name,
        reasons=reasons,
        models=models,
        ways=ways,
        workload=workload if workload.allowed else None,
    )
