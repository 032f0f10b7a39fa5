"""The parts of a pod that matter for admission, read strictly.

A pod has hundreds of fields and gains some with each Kubernetes version, so unknown ones are passed over; but a known
one with the wrong type refuses, because a reader that skips it would see another pod than the node.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Self, dataclass_transform

import msgspec
from msgspec import Meta

from weighbridge import _json
from weighbridge.errors import ParseError

MAX_POD_DEPTH: Final = 48
"""Deepest nesting inside a pod."""

MAX_POD_VALUES: Final = 100_000
"""Most values of a pod; the API server's own limit on its size is about 1.5 MiB."""

CONTAINER_LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
"""Where a pod lists containers."""

Text = Annotated[str, Meta(max_length=65_536)]
Mapping = dict[str, object]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A part of a pod. What it does not name is passed over."""


class EnvVar(_Part):
    """One variable; where it comes ``value_from`` elsewhere, its value is not known here."""

    name: Text
    value: Text = ""
    value_from: Mapping | None = None


class Resources(_Part):
    """What a container or pod asks for. Quantities stay as written."""

    requests: Mapping = {}
    limits: Mapping = {}
    claims: tuple[Mapping, ...] = ()


class Capabilities(_Part):
    """Capabilities beyond those of the runtime's default."""

    add: tuple[Text, ...] = ()


class SecurityContext(_Part):
    """How far a container is confined."""

    privileged: bool = False
    capabilities: Capabilities = Capabilities()


class VolumeMount(_Part):
    """Where a container sees a volume."""

    mount_path: Text
    name: Text = ""


class Container(_Part):
    """A container of any of the three lists."""

    name: Text = ""
    image: Text = ""
    env: tuple[EnvVar, ...] = ()
    resources: Resources = Resources()
    security_context: SecurityContext = SecurityContext()
    volume_mounts: tuple[VolumeMount, ...] = ()


class Condition(_Part):
    """A line of the status."""

    type: Text
    status: Text


class Status(_Part):
    """What the cluster says about the pod."""

    conditions: tuple[Condition, ...] = ()


class PodMetadata(_Part):
    """The pod's own words about itself; nothing is trusted for them."""

    name: Text = ""
    generate_name: Text = ""
    namespace: Text = ""
    uid: Text = ""
    annotations: dict[str, Text] = {}


class PodSpec(_Part):
    """The body of a pod."""

    containers: tuple[Container, ...] = ()
    init_containers: tuple[Container, ...] = ()
    ephemeral_containers: tuple[Container, ...] = ()
    volumes: tuple[Mapping, ...] = ()
    resources: Resources = Resources()
    resource_claims: tuple[Mapping, ...] = ()
    runtime_class_name: Text = ""
    scheduler_name: Text = ""
    node_name: Text = ""
    host_pid: bool = msgspec.field(default=False, name="hostPID")


class _PodObject(_Part):
    spec: PodSpec
    metadata: PodMetadata = PodMetadata()
    status: Status = Status()


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as far as admission looks at it. ``prefix`` is where it stands in its document, for messages."""

    metadata: PodMetadata
    spec: PodSpec
    status: Status
    prefix: str = ""

    @classmethod
    def parse(cls, value: object, *, what: str = "the pod", prefix: str = "") -> Self:
        """Read a pod, or a template of one, from plain values.

        Raises:
            ParseError: When a part that matters is not what it must be, or there is too much of it.
        """
        found = _json.convert(_without_nulls(value, what), _PodObject, what=what)
        return cls(metadata=found.metadata, spec=found.spec, status=found.status, prefix=prefix)

    @property
    def name(self) -> str:
        """Return the pod's name, or the beginning of a name that it has yet to get."""
        return self.metadata.name or self.metadata.generate_name

    @property
    def scheduled(self) -> bool:
        """Tell whether the cluster says that the scheduler chose the pod's node.

        The API server clears the status of a pod that is created, and sets this condition when it binds one.
        """
        return any(item.type == "PodScheduled" and item.status == "True" for item in self.status.conditions)

    def containers(self) -> tuple[tuple[str, Container], ...]:
        """Return every container of every list with its path."""
        lists = (self.spec.containers, self.spec.init_containers, self.spec.ephemeral_containers)
        return tuple(
            (self.path(f"spec.{name}[{index}]"), container)
            for name, items in zip(CONTAINER_LISTS, lists, strict=True)
            for index, container in enumerate(items)
        )

    def path(self, inside: str) -> str:
        """Return the path of a part of the pod within its document."""
        return f"{self.prefix}.{inside}" if self.prefix else inside


def _without_nulls(value: object, what: str) -> object:
    # To Kubernetes a null field is an absent one.
    left = MAX_POD_VALUES

    def walk(item: object, depth: int) -> object:
        nonlocal left
        left -= 1
        if left < 0:
            raise ParseError(f"{what} has more than {MAX_POD_VALUES} values")
        if depth > MAX_POD_DEPTH:
            raise ParseError(f"{what} nests deeper than {MAX_POD_DEPTH} levels")
        if isinstance(item, dict):
            return {key: walk(inner, depth + 1) for key, inner in item.items() if inner is not None}
        if isinstance(item, list | tuple):
            return [walk(inner, depth + 1) for inner in item]
        return item

    return walk(value, 0)
