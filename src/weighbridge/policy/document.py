"""A policy as it is on disk and in a cluster: its types, field by field."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta

from weighbridge._struct import Label, Wire
from weighbridge.policy.inputs import Acceptance, InputsSpec
from weighbridge.policy.limits import (
    DependencyAuditLimits,
    LeakageLimits,
    ModelScanLimits,
    RobustnessLimits,
    Span,
)
from weighbridge.trust import Metadata

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


class _Requirement(Wire, tag_field="check", omit_defaults=True):
    signers: Annotated[tuple[Label, ...], Meta(min_length=1)]
    max_age: Span = DEFAULT_MAX_AGE
    accepted: Acceptance | None = None


class DependencyAuditRequirement(_Requirement, tag="dependency-audit", omit_defaults=True):
    """Dependencies were audited against fresh advisories."""

    limits: DependencyAuditLimits = DependencyAuditLimits()


class ModelScanRequirement(_Requirement, tag="model-scan", omit_defaults=True):
    """Every byte of the model was scanned and nothing was found."""

    limits: ModelScanLimits = ModelScanLimits()


class RobustnessRequirement(_Requirement, kw_only=True, tag="robustness", omit_defaults=True):
    """The model kept its accuracy under attack.

    ``seed: platform`` counts only seeds that a platform made with a secret of its own. After ``max_tries`` tries that
    did not pass, nothing passes until an approver resets.
    """

    limits: RobustnessLimits
    seed: Literal["digests", "platform"] = "digests"
    max_tries: Annotated[int, Meta(ge=1, le=1_000)] | None = None


class LeakageRequirement(_Requirement, kw_only=True, tag="leakage", omit_defaults=True):
    """The model does not give its training data away. ``seed`` and ``max_tries`` as for robustness."""

    limits: LeakageLimits
    seed: Literal["digests", "platform"] = "digests"
    max_tries: Annotated[int, Meta(ge=1, le=1_000)] | None = None


StatisticsRequirement = RobustnessRequirement | LeakageRequirement
"""Requirements whose answer is a statistic: it may come out otherwise when it is asked again."""

RequirementSpec = DependencyAuditRequirement | ModelScanRequirement | RobustnessRequirement | LeakageRequirement


class WaiverSpec(Wire):
    """A dated exception: one advisory in one component, by the advisory's id or an alias, with a reason and an owner.

    One advisory can touch several components for several reasons, so a waiver names its own. Findings of other checks
    have no name that stays true of the next model, so they cannot be waived.
    """

    check: Literal["dependency-audit"]
    id: Annotated[str, Meta(min_length=1, max_length=128)]
    component: Annotated[str, Meta(min_length=1, max_length=256)]
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


class PolicySpec(Wire, omit_defaults=True):
    """The body of a policy.

    ``inputs`` says what binds the inputs of the checks, ``view`` whether evidence counts that was made where nothing
    but hashing before and after was possible. ``mode``, ``namespaces``, ``default`` and ``workloads`` are for
    admission: what becomes of a pod that is not verified, where the policy holds, whether it holds where no other
    does, and which pods may use an accelerator without a model.
    """

    requirements: Annotated[tuple[RequirementSpec, ...], Meta(max_length=MAX_REQUIREMENTS)]
    inputs: InputsSpec = InputsSpec()
    mode: Literal["audit", "warn", "enforce"] = "enforce"
    confinement: Literal["required", "recorded"] = "required"
    view: Literal["private", "recorded"] = "private"
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
