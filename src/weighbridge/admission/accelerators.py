"""Tell by which ways a pod can reach an accelerator.

The ways are data (``accelerators.yaml``), from which ``cel`` derives the same answer for the API server. Names are
default-deny: a resource, runtime class or scheduler that is not known to be harmless counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Annotated, Final

from msgspec import Meta

from weighbridge import _yaml
from weighbridge._struct import Wire
from weighbridge.admission.pods import Container, Pod, Resources

MAX_CONTAINERS: Final = 64
"""Most containers in one list of a pod; more count as a way of their own, so that the cost of looking is bounded."""

MAX_SHOWN: Final = 160
"""Most characters of a pod's own text that a message repeats."""

Word = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9./_-]*\Z")]
"""Text that needs no escape in CEL."""


class Entry(Wire):
    """One name and why it is listed."""

    name: Word
    why: str


class Names(Wire):
    """Names that are known not to hand out accelerators."""

    allowed: tuple[Entry, ...]
    allowed_prefixes: tuple[Entry, ...] = ()


class Environment(Wire):
    """Variables that choose devices, unless their value is one of ``inactive``."""

    suffixes: tuple[Entry, ...]
    names: tuple[Entry, ...]
    allowed: tuple[Entry, ...]
    inactive: tuple[Word, ...]


class AcceleratorRules(Wire):
    """Everything by which a pod can reach an accelerator."""

    resources: Names
    runtime_classes: Names
    schedulers: Names
    annotations: tuple[Entry, ...]
    environment: Environment
    mount_paths: tuple[Entry, ...]
    capabilities: tuple[Entry, ...]
    host_paths: tuple[Entry, ...]
    host_path_types: tuple[Entry, ...]


class Way(StrEnum):
    """A kind of way to an accelerator."""

    RESOURCE = "resource"
    CLAIM = "claim"
    RUNTIME_CLASS = "runtime-class"
    SCHEDULER = "scheduler"
    NODE_NAME = "node-name"
    ANNOTATION = "annotation"
    ENVIRONMENT = "environment"
    MOUNT = "mount"
    PRIVILEGED = "privileged"
    CAPABILITY = "capability"
    HOST_PID = "host-pid"
    HOST_PATH = "host-path"
    TOO_MANY = "too-many-containers"


HOST_WAYS: Final = frozenset({Way.PRIVILEGED, Way.CAPABILITY, Way.HOST_PID, Way.HOST_PATH})
"""Ways that lead to the node itself, and so past everything that is verified about a pod."""


@dataclass(frozen=True, slots=True)
class Match:
    """One way that a pod shows: where, what kind and why it counts."""

    path: str
    way: Way
    why: str


@cache
def load_rules() -> AcceleratorRules:
    """Read the rules that come with the package."""
    name = "accelerators.yaml"
    return _yaml.load(resources.files(__package__).joinpath(name).read_bytes(), name=name).convert(AcceleratorRules)


def find_ways(pod: Pod, *, rules: AcceleratorRules) -> tuple[Match, ...]:
    """Return every way by which the pod can reach an accelerator; none means that it is none of our business."""
    return (*_pod_ways(pod, rules), *_container_ways(pod, rules), *_volume_ways(pod, rules))


def shown(text: str) -> str:
    """Return a pod's own text for a message: quoted, without control characters, not too long."""
    return repr(text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}...")


def _pod_ways(pod: Pod, rules: AcceleratorRules) -> Iterator[Match]:
    spec = pod.spec
    if spec.resource_claims:
        yield Match(pod.path("spec.resourceClaims"), Way.CLAIM, "a resource claim may hand out any device")
    if not _known(spec.runtime_class_name, rules.runtime_classes):
        why = f"the runtime class {shown(spec.runtime_class_name)} is not known to hand out no devices"
        yield Match(pod.path("spec.runtimeClassName"), Way.RUNTIME_CLASS, why)
    if not _known(spec.scheduler_name, rules.schedulers):
        why = f"the scheduler {shown(spec.scheduler_name)} is not known to hand out no accelerators"
        yield Match(pod.path("spec.schedulerName"), Way.SCHEDULER, why)
    if spec.node_name and not pod.scheduled:
        why = f"the pod chooses the node {shown(spec.node_name)} itself and passes by the scheduler"
        yield Match(pod.path("spec.nodeName"), Way.NODE_NAME, why)
    if spec.host_pid:
        yield Match(pod.path("spec.hostPID"), Way.HOST_PID, "the processes of the node can be reached")
    for key in pod.metadata.annotations:
        for entry in rules.annotations:
            if key.startswith(entry.name):
                yield Match(pod.path(f"metadata.annotations[{shown(key)}]"), Way.ANNOTATION, entry.why)
                break
    yield from _resource_ways(pod.path("spec.resources"), spec.resources, rules)


def _container_ways(pod: Pod, rules: AcceleratorRules) -> Iterator[Match]:
    for name, items in (
        ("containers", pod.spec.containers),
        ("initContainers", pod.spec.init_containers),
        ("ephemeralContainers", pod.spec.ephemeral_containers),
    ):
        if len(items) > MAX_CONTAINERS:
            why = f"{len(items)} containers, of which at most {MAX_CONTAINERS} are looked at"
            yield Match(pod.path(f"spec.{name}"), Way.TOO_MANY, why)
    for path, container in pod.containers():
        yield from _resource_ways(f"{path}.resources", container.resources, rules)
        yield from _confinement_ways(path, container, rules)
        yield from _injection_ways(path, container, rules)


def _resource_ways(path: str, found: Resources, rules: AcceleratorRules) -> Iterator[Match]:
    if found.claims:
        yield Match(f"{path}.claims", Way.CLAIM, "a resource claim may hand out any device")
    for kind, names in (("limits", found.limits), ("requests", found.requests)):
        for name in names:
            if not _known(name, rules.resources):
                why = f"{shown(name)} is not on the list of resources that are no accelerators"
                yield Match(f"{path}.{kind}[{shown(name)}]", Way.RESOURCE, why)


def _confinement_ways(path: str, container: Container, rules: AcceleratorRules) -> Iterator[Match]:
    context = container.security_context
    if context.privileged:
        why = "a privileged container reaches every device of the node"
        yield Match(f"{path}.securityContext.privileged", Way.PRIVILEGED, why)
    added = {entry.name: entry.why for entry in rules.capabilities}
    for index, capability in enumerate(context.capabilities.add):
        name = _upper(capability).removeprefix("CAP_")
        if name in added:
            why = added[name]
            yield Match(f"{path}.securityContext.capabilities.add[{index}]", Way.CAPABILITY, why)


def _injection_ways(path: str, container: Container, rules: AcceleratorRules) -> Iterator[Match]:
    for index, variable in enumerate(container.env):
        why = _chooses_devices(variable.name, rules.environment)
        if why and (variable.value_from is not None or variable.value not in rules.environment.inactive):
            yield Match(f"{path}.env[{index}]", Way.ENVIRONMENT, f"{shown(variable.name)}: {why}")
    for index, mount in enumerate(container.volume_mounts):
        for entry in rules.mount_paths:
            if entry.name in mount.mount_path:
                yield Match(f"{path}.volumeMounts[{index}].mountPath", Way.MOUNT, entry.why)


def _chooses_devices(name: str, environment: Environment) -> str:
    if any(name == entry.name for entry in environment.allowed):
        return ""
    named = (entry.why for entry in environment.names if name == entry.name)
    ending = (entry.why for entry in environment.suffixes if name.endswith(entry.name))
    return next(named, "") or next(ending, "")


def _volume_ways(pod: Pod, rules: AcceleratorRules) -> Iterator[Match]:
    for index, volume in enumerate(pod.spec.volumes):
        host = volume.get("hostPath")
        if host is None:
            continue
        path, kind = (host.get("path", ""), host.get("type", "")) if isinstance(host, dict) else ("", "")
        why = why_sensitive(str(path), str(kind), rules)
        if why:
            yield Match(pod.path(f"spec.volumes[{index}].hostPath"), Way.HOST_PATH, why)


def why_sensitive(path: str, kind: str, rules: AcceleratorRules) -> str:
    """Return why a path of the node leads to an accelerator; nothing when it does not."""
    for entry in rules.host_path_types:
        if kind == entry.name:
            return f"{shown(path)} is {entry.why}"
    steps = [step for step in path.split("/") if step not in ("", ".")]
    if ".." in steps:
        return f"{shown(path)} steps back, and could lead anywhere"
    whole = joined(steps)
    for entry in rules.host_paths:
        listed = joined(entry.name.split("/")[1:])
        if whole.startswith(listed) or listed.startswith(whole) or not steps:
            return f"{shown(path)} leads to {entry.name}: {entry.why}"
    return ""


def joined(steps: list[str]) -> str:
    """Return the steps of a path between slashes, so that one path begins another only at the end of a step."""
    return f"/{'/'.join(steps)}/"


def _known(name: str, names: Names) -> bool:
    if not name:
        return True
    return any(name == entry.name for entry in names.allowed) or any(
        name.startswith(entry.name) for entry in names.allowed_prefixes
    )


def _upper(text: str) -> str:
    # As CEL's upperAscii, which leaves all other letters alone.
    return "".join(letter.upper() if letter.isascii() else letter for letter in text)
