"""What a pod that can reach an accelerator must look like, whatever its models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weighbridge.admission._reasons import Reason, ReasonCode
from weighbridge.admission.accelerators import HOST_WAYS, Match, Way, shown
from weighbridge.admission.images import manifest_of
from weighbridge.admission.pods import Pod
from weighbridge.admission.workloads import WorkloadUse

HARMLESS_VOLUMES: Final = frozenset({"emptyDir", "configMap", "secret", "downwardAPI", "projected"})
"""Volumes that start empty, or hold what the cluster's own objects say; at most 1 MiB of that."""

_LIST_IT: Final = "list the images in `workloads` of the policy"


@dataclass(frozen=True, slots=True)
class Facts:
    """A pod, its ways to an accelerator, the workload that covers it and how many models it names."""

    pod: Pod
    ways: tuple[Match, ...]
    workload: WorkloadUse
    models: int
    """How many image volumes there are, with or without a digest."""


def pod_reasons(facts: Facts) -> tuple[Reason, ...]:
    """Return every reason to hold a pod that lies in its shape."""
    return (
        *_placement(facts),
        *_host_access(facts),
        *_containers(facts),
        *_volumes(facts),
        *_without_model(facts),
    )


def _placement(facts: Facts) -> Iterator[Reason]:
    for match in facts.ways:
        if match.way is Way.NODE_NAME:
            remedy = "choose nodes with nodeSelector or affinity, which the scheduler follows"
            yield Reason(ReasonCode.NODE_NAME, match.why, remedy, match.path)
        elif match.way is Way.TOO_MANY:
            yield Reason(ReasonCode.TOO_MANY_CONTAINERS, match.why, "split the pod", match.path)


def _host_access(facts: Facts) -> Iterator[Reason]:
    if facts.workload.system:
        return
    for match in facts.ways:
        if match.way in HOST_WAYS:
            yield Reason(
                ReasonCode.HOST_ACCESS,
                f"the pod reaches the node itself, past everything that is verified: {match.why}",
                f"take this away, or {_LIST_IT} with purpose system",
                match.path,
            )


def _containers(facts: Facts) -> Iterator[Reason]:
    for path, container in facts.pod.containers():
        if manifest_of(container.image) is None:
            yield Reason(
                ReasonCode.IMAGE_NOT_PINNED,
                f"the container {shown(container.name)} has the image {shown(container.image)} without a digest, and a "
                "tag can name another image tomorrow",
                "write the image as NAME@sha256:DIGEST",
                f"{path}.image",
            )
    if facts.workload.allowed:
        return
    for index, container in enumerate(facts.pod.spec.ephemeral_containers):
        yield Reason(
            ReasonCode.EPHEMERAL_CONTAINER,
            f"the container {shown(container.name)} was added to debug a pod that can reach an accelerator, and could "
            "load any model",
            "debug a copy of the pod without accelerator (`kubectl debug --copy-to`)",
            facts.pod.path(f"spec.ephemeralContainers[{index}]"),
        )


def _volumes(facts: Facts) -> Iterator[Reason]:
    if facts.workload.allowed:
        return
    for index, volume in enumerate(facts.pod.spec.volumes):
        for source in sorted(volume.keys() - {"name", "image"} - HARMLESS_VOLUMES):
            yield Reason(
                ReasonCode.UNBOUND_VOLUME,
                f"nothing binds the bytes of the volume {shown(str(volume.get('name', '')))} ({shown(source)}) to a "
                "verdict, and a model could be loaded from it",
                f"mount the model as an image volume by digest (`weighbridge push`), or {_LIST_IT}",
                facts.pod.path(f"spec.volumes[{index}].{source}"),
            )


def _without_model(facts: Facts) -> Iterator[Reason]:
    if facts.models or facts.workload.allowed:
        return
    way = facts.ways[0]
    found = f"the pod can reach an accelerator ({way.path}: {way.why}) and mounts no model"
    if facts.workload.expired:
        yield Reason(
            ReasonCode.WORKLOAD_EXPIRED,
            f"{found}; the workload of the policy that allowed it expired at {facts.workload.expired}",
            "have its owner renew it in `workloads` of the policy",
            way.path,
        )
        return
    yield Reason(
        ReasonCode.NO_MODEL,
        f"{found}; no workload of the policy lists this namespace and the images of all its containers",
        f"mount the model as an image volume by digest (`weighbridge push`), or {_LIST_IT}",
        way.path,
    )
