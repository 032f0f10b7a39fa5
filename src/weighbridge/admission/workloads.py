"""Pods that a policy lets use an accelerator without a model: training, notebooks, parts of the cluster itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from weighbridge.admission.images import manifest_of
from weighbridge.admission.pods import Pod
from weighbridge.clock import format_instant
from weighbridge.policy import Policy, Workload


@dataclass(frozen=True, slots=True)
class WorkloadUse:
    """Whether a workload of the policy covers a pod; ``expired`` says that one did until then."""

    purpose: Literal["training", "interactive", "system"] | None = None
    owner: str = ""
    expires: str = ""
    expired: str = ""

    @property
    def allowed(self) -> bool:
        """Tell whether the pod is covered now."""
        return self.purpose is not None

    @property
    def system(self) -> bool:
        """Tell whether the pod is covered as a part of the cluster, which may reach the node."""
        return self.purpose == "system"


def use_of_workload(pod: Pod, *, namespace: str, policy: Policy, now: datetime) -> WorkloadUse:
    """Return the workload that covers a pod: its namespace, and the images of all its containers, by digest.

    Where several do, one of purpose ``system`` counts first, and then the one that lasts longest.
    """
    images = {manifest_of(container.image) for _, container in pod.containers()}
    covering = [
        workload
        for workload in policy.workloads
        if namespace in workload.spec.namespaces and images and images <= workload.images
    ]
    current = [workload for workload in covering if now <= workload.expires]
    if current:
        best = max(current, key=_rank)
        return WorkloadUse(best.spec.purpose, best.spec.owner, format_instant(best.expires))
    if covering:
        return WorkloadUse(expired=format_instant(max(workload.expires for workload in covering)))
    return WorkloadUse()


def _rank(workload: Workload) -> tuple[bool, datetime]:
    return workload.spec.purpose == "system", workload.expires
