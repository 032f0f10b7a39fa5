"""Why a pod is held."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """What kind of reason it is; a stable name for programs."""

    NO_POLICY = "no-policy"
    TRUST_EXPIRED = "trust-expired"
    NODE_NAME = "node-name"
    TOO_MANY_CONTAINERS = "too-many-containers"
    IMAGE_NOT_PINNED = "image-not-pinned"
    EPHEMERAL_CONTAINER = "ephemeral-container"
    HOST_ACCESS = "host-access"
    UNBOUND_VOLUME = "unbound-volume"
    MODEL_NOT_PINNED = "model-not-pinned"
    NO_MODEL = "no-model"
    WORKLOAD_EXPIRED = "workload-expired"
    NO_VERDICT = "no-verdict"
    SIGNER_NOT_TRUSTED = "signer-not-trusted"
    OTHER_POLICY = "other-policy"
    POLICY_NOT_LISTED = "policy-not-listed"
    VERDICT_EXPIRED = "verdict-expired"
    REVOKED = "revoked"
    TRUST_OUTDATED = "trust-outdated"
    OTHER_TRUST = "other-trust"
    INPUTS_UNBOUND = "inputs-unbound"
    VERDICT_FAILED = "verdict-failed"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: what was expected and what was found, the next step, and the part of the pod that it is about."""

    code: ReasonCode
    message: str
    remedy: str
    path: str = ""
