"""What must hold before a model may run: requirements, their limits, waivers and the separation of signers.

A policy is parsed strictly: an empty one, an unknown check, field or role refuses with file and line. Its digest is
the sha256 of its bytes, so that a verdict names exactly the text it was judged by.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Meta

from weighbridge import _yaml
from weighbridge._struct import Wire
from weighbridge.clock import parse_duration, parse_instant
from weighbridge.errors import ParseError, PolicyError
from weighbridge.evidence.record import CheckName, Severity
from weighbridge.trust import Label, Metadata, read_bytes

DEFAULT_VALIDITY: Final = "7d"
"""How long a verdict is valid at most when the policy does not say."""

DEFAULT_MAX_AGE: Final = "30d"
"""How old evidence may be when its requirement does not say."""

MAX_REQUIREMENTS: Final = 64
"""Most requirements of one policy."""

MAX_NAMESPACES: Final = 256
"""Most namespaces that a policy, or one of its workloads, names."""

MAX_WORKLOADS: Final = 64
"""Most workloads of one policy."""

Confidence = Annotated[float, Meta(ge=0.5, lt=1.0)]
"""How sure a bound must be. Below one half a "lower" bound lies above what was measured, so 0.05 meant for 0.95 would
turn the limit around."""

Rate = Annotated[float, Meta(gt=0.0, lt=1.0)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Span = Annotated[str, Meta(pattern="^[1-9][0-9]{0,4}[smhdw]$")]


class DependencyAuditLimits(Wire):
    """Findings at ``severity`` or above fail; so do malware and unknown severity unless they are said to warn."""

    severity: Severity = Severity.HIGH
    unknown_severity: Literal["fail", "warn"] = "fail"
    malware: Literal["fail", "warn"] = "fail"
    database_max_age: Span = "7d"


class ModelScanLimits(Wire):
    """Findings at ``severity`` or above fail; what the scan could not judge refuses always."""

    severity: Severity = Severity.LOW


class AccuracyLimit(Wire):
    """Accuracy under attack must be at least this, by an exact one-sided bound at this confidence."""

    at_least: Share
    confidence: Confidence = 0.95


class RobustnessLimits(Wire):
    """The attack must have been at least this strong, and the model must have kept this accuracy.

    ``epsilon`` is a share of the range of the inputs.
    """

    norm: Literal["linf"]
    epsilon: Annotated[float, Meta(gt=0.0, le=1.0)]
    accuracy_under_attack: AccuracyLimit


class MembershipLimit(Wire):
    """The attack's true-positive rate at this false-positive rate is at most this, at this confidence."""

    tpr_at_fpr: Rate
    at_most: Share
    confidence: Confidence = 0.95


class LeakageLimits(Wire):
    """Bounds on membership inference, and the number of training rows that the artifact may hold."""

    membership: MembershipLimit
    verbatim_training_rows: Annotated[int, Meta(ge=0)] = 0


class _Requirement(Wire, tag_field="check"):
    signers: Annotated[tuple[Label, ...], Meta(min_length=1)]
    max_age: Span = DEFAULT_MAX_AGE


class DependencyAuditRequirement(_Requirement, tag="dependency-audit"):
    """Dependencies were audited against fresh advisories."""

    limits: DependencyAuditLimits = DependencyAuditLimits()


class ModelScanRequirement(_Requirement, tag="model-scan"):
    """Every byte of the model was scanned and nothing was found."""

    limits: ModelScanLimits = ModelScanLimits()


class RobustnessRequirement(_Requirement, kw_only=True, tag="robustness"):
    """The model kept its accuracy under attack."""

    limits: RobustnessLimits


class LeakageRequirement(_Requirement, kw_only=True, tag="leakage"):
    """The model does not give its training data away."""

    limits: LeakageLimits


RequirementSpec = DependencyAuditRequirement | ModelScanRequirement | RobustnessRequirement | LeakageRequirement


class WaiverSpec(Wire):
    """A dated exception: one advisory, by its id or an alias, with a reason and an owner.

    Findings of other checks have no name that stays true of the next model, so they cannot be waived.
    """

    check: Literal["dependency-audit"]
    id: Annotated[str, Meta(min_length=1, max_length=128)]
    reason: Annotated[str, Meta(min_length=1, max_length=1024)]
    owner: Annotated[str, Meta(min_length=1, max_length=256)]
    expires: str


Namespace = Annotated[str, Meta(pattern=r"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")]
ImageDigest = Annotated[str, Meta(max_length=512, pattern=r"\A([^@\s]+@)?sha256:[0-9a-f]{64}\Z")]
"""A container image by digest, with or without its name; a tag alone names nothing."""


class WorkloadSpec(Wire):
    """Pods that may use an accelerator without a model: where, what for, which images, who answers, until when."""

    namespaces: Annotated[tuple[Namespace, ...], Meta(min_length=1, max_length=MAX_NAMESPACES)]
    purpose: Literal["training", "interactive", "system"]
    images: Annotated[tuple[ImageDigest, ...], Meta(min_length=1, max_length=256)]
    owner: Annotated[str, Meta(min_length=1, max_length=256)]
    expires: str


class PolicySpec(Wire):
    """The body of a policy.

    ``namespaces``, ``default`` and ``workloads`` are for admission: where the policy holds, whether it holds where no
    other does, and which pods may use an accelerator without a model.
    """

    requirements: Annotated[tuple[RequirementSpec, ...], Meta(max_length=MAX_REQUIREMENTS)]
    mode: Literal["audit", "warn", "enforce"] = "enforce"
    confinement: Literal["required", "recorded"] = "required"
    valid_for: Span = DEFAULT_VALIDITY
    separation: tuple[Annotated[tuple[Label, ...], Meta(min_length=1)], ...] = ()
    waivers: tuple[WaiverSpec, ...] = ()
    namespaces: Annotated[tuple[Namespace, ...], Meta(max_length=MAX_NAMESPACES)] = ()
    default: bool = False
    workloads: Annotated[tuple[WorkloadSpec, ...], Meta(max_length=MAX_WORKLOADS)] = ()


class PolicyDocument(Wire):
    """A policy as it is on disk and in a cluster."""

    api_version: Literal["weighbridge.dev/v1alpha1"]
    kind: Literal["ModelPolicy"]
    metadata: Metadata
    spec: PolicySpec


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of a policy and where it stands."""

    spec: RequirementSpec
    line: int
    max_age: timedelta

    @property
    def check(self) -> CheckName:
        """Return the check whose evidence is required."""
        return CheckName(str(self.spec.__struct_config__.tag))


@dataclass(frozen=True, slots=True)
class Waiver:
    """One dated exception and where it stands."""

    spec: WaiverSpec
    line: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of pod that may use an accelerator without a model, and where it stands."""

    spec: WorkloadSpec
    line: int
    expires: datetime
    images: frozenset[str]
    """The sha256 of each image, in hex."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy with at least one requirement. ``digest`` is the sha256 of its bytes."""

    name: str
    file: str
    digest: str
    mode: Literal["audit", "warn", "enforce"]
    confinement: Literal["required", "recorded"]
    valid_for: timedelta
    requirements: tuple[Requirement, ...]
    separation: tuple[frozenset[str], ...]
    waivers: tuple[Waiver, ...]
    namespaces: frozenset[str] = frozenset()
    default: bool = False
    workloads: tuple[Workload, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Policy:
        """Read a policy file.

        Raises:
            ParseError: When it is not what it must be, with file and line.
            PolicyError: When it requires nothing, or the same twice.
        """
        return cls.parse(read_bytes(path), name=path.name)

    @classmethod
    def parse(cls, data: bytes, *, name: str) -> Policy:
        """Parse a policy; see ``read``."""
        document = _yaml.load(data, name=name)
        document.require_kind("ModelPolicy")
        parsed = document.convert(PolicyDocument)
        spec = parsed.spec
        requirements = tuple(
            Requirement(
                spec=item,
                line=document.line("spec", "requirements", index),
                max_age=parse_duration(item.max_age, what="maxAge"),
            )
            for index, item in enumerate(spec.requirements)
        )
        _require_some(requirements, name)
        return cls(
            name=parsed.metadata.name,
            file=name,
            digest=hashlib.sha256(data).hexdigest(),
            mode=spec.mode,
            confinement=spec.confinement,
            valid_for=parse_duration(spec.valid_for, what="validFor"),
            requirements=requirements,
            separation=_separation(spec, document),
            waivers=tuple(
                _waiver(item, document.line("spec", "waivers", index), name) for index, item in enumerate(spec.waivers)
            ),
            namespaces=frozenset(spec.namespaces),
            default=spec.default,
            workloads=tuple(
                _workload(item, spec, document.line("spec", "workloads", index), name)
                for index, item in enumerate(spec.workloads)
            ),
        )


def _require_some(requirements: tuple[Requirement, ...], name: str) -> None:
    if not requirements:
        raise PolicyError(
            f"{name} requires nothing; an empty policy would let every model pass",
            remedy="add at least one requirement",
        )
    seen: dict[CheckName, int] = {}
    for requirement in requirements:
        if requirement.check in seen:
            raise PolicyError(
                f"{name}:{requirement.line}: {requirement.check} is required twice "
                f"(first in line {seen[requirement.check]})",
                remedy="merge the two requirements",
            )
        seen[requirement.check] = requirement.line


def _separation(spec: PolicySpec, document: _yaml.Document) -> tuple[frozenset[str], ...]:
    line = document.line("spec", "separation")
    if len(spec.separation) == 1:
        raise PolicyError(
            f"{document.name}:{line}: separation has one group, which separates nothing",
            remedy="name at least two groups of roles, or leave separation out",
        )
    groups = tuple(frozenset(group) for group in spec.separation)
    for role in sorted(frozenset().union(*groups)):
        if sum(role in group for group in groups) > 1:
            raise PolicyError(f"{document.name}:{line}: the role {role} stands in two groups of the separation")
    return groups


def _waiver(item: WaiverSpec, line: int, name: str) -> Waiver:
    try:
        return Waiver(spec=item, line=line, expires=parse_instant(item.expires, what="expires"))
    except ParseError as error:
        raise ParseError(f"{name}:{line}: {error.message}") from None


def _workload(item: WorkloadSpec, spec: PolicySpec, line: int, name: str) -> Workload:
    # Elsewhere another policy decides, so the entry would look like a permission and never be one.
    outside = sorted(set(item.namespaces) - set(spec.namespaces))
    if outside and not spec.default:
        raise PolicyError(
            f"{name}:{line}: the workload names the namespace {outside[0]}, which this policy does not",
            remedy="add it to the policy's namespaces, or write the workload into the policy that names it",
        )
    try:
        expires = parse_instant(item.expires, what="expires")
    except ParseError as error:
        raise ParseError(f"{name}:{line}: {error.message}") from None
    images = frozenset(image.rpartition("sha256:")[2] for image in item.images)
    return Workload(spec=item, line=line, expires=expires, images=images)
