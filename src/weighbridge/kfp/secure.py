"""Put a model through every check that a policy asks for, and give on only what the gate released."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kfp import dsl
from kfp.dsl.base_component import BaseComponent
from kfp.dsl.pipeline_channel import PipelineArtifactChannel
from kfp.dsl.pipeline_task import PipelineTask

from weighbridge.errors import UsageError
from weighbridge.evidence.record import CheckName
from weighbridge.kfp.components import Unpinned, components
from weighbridge.pipelines.spec import KEYS, PASSPHRASE
from weighbridge.policy import (
    DependencyAuditRequirement,
    LeakageRequirement,
    ModelScanRequirement,
    Policy,
    RequirementSpec,
    RobustnessRequirement,
)
from weighbridge.trust import Trust, read_bytes

RUN: Final = dsl.PIPELINE_JOB_ID_PLACEHOLDER
"""Becomes the id of the run when it runs, so nothing that a cache kept from another run counts."""

Artifact = Any
"""An output of a task or an input of a pipeline; the library has no common type for both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What the checks need beside the model, as artifacts; only what the policy asks for must be there."""

    requirements: Artifact = None
    lock: Artifact = None
    advisories: Artifact = None
    test: Artifact = None
    members: Artifact = None
    non_members: Artifact = None
    signatures: Artifact = None
    """Signatures of inputs, for a policy that asks for signed ones."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """Names of Kubernetes Secrets, mounted by kfp-kubernetes into the two tasks that sign and into no other.

    ``signing`` holds ``ROLE.key`` for every role of the policy, ``verifier`` holds ``verifier.key``. ``passphrase``
    holds an entry ROLE with the passphrase of each role, or one entry ``passphrase`` for all of them; it is mounted
    into both tasks, unless the verifier's is in a Secret of its own, ``verifier_passphrase``.
    """

    signing: str
    verifier: str
    passphrase: str
    verifier_passphrase: str | None = None


def secure(
    model: Artifact,
    *,
    policy: Path | str,
    trust: Path | str,
    image: str | Unpinned,
    data: Data | None = None,
    secrets: Secrets | None = None,
    name: str = "model",
) -> PipelineArtifactChannel:
    """Add the tasks to the pipeline that is being defined, and return the model that the gate releases.

    Call it inside a ``@dsl.pipeline`` function. Policy and trust are read now and become part of the pipeline; the
    verdict names both by digest, so admission does not depend on what a submitter puts there. Caching is off for each
    task. Without ``secrets`` nothing is mounted, and the platform has to.

    Raises:
        PolicyError, TrustError, ParseError: When a document is not what it must be.
        UsageError: When an input is missing that the policy asks for, or the image has no digest.
    """
    texts = {"policy": read_bytes(Path(policy)).decode(), "trust": read_bytes(Path(trust)).decode()}
    judged_by = Policy.parse(texts["policy"].encode(), name=str(policy))
    Trust.parse(texts["trust"].encode(), name=str(trust))
    made = components(image=image)
    measured = {}
    for requirement in judged_by.requirements:
        step, arguments = _arguments(requirement.spec, data or Data())
        task = _task(made[step], model=model, run=RUN, **arguments)
        measured[requirement.check.value.replace("-", "_")] = task.outputs["measured"]
    if data is not None and data.signatures is not None:
        measured["signatures"] = data.signatures
    signed = _task(made["sign-model"], model=model, run=RUN, policy=texts["policy"], name=name, **measured)
    gate = _task(made["gate"], model=model, evidence=signed.outputs["evidence"], run=RUN, name=name, **texts)
    if secrets is not None:
        _mount(signed, secrets.signing, secrets.passphrase)
        _mount(gate, secrets.verifier, secrets.verifier_passphrase or secrets.passphrase)
    verified: PipelineArtifactChannel = gate.outputs["verified"]
    return verified


def _task(component: BaseComponent, **arguments: Any) -> PipelineTask:  # noqa: ANN401 - as the library has it
    task: PipelineTask = component(**arguments)
    task.set_caching_options(False)
    return task


def _arguments(spec: RequirementSpec, data: Data) -> tuple[str, dict[str, Any]]:
    match spec:
        case ModelScanRequirement():
            return "model-scan", {}
        case DependencyAuditRequirement():
            if data.requirements is None and data.lock is None:
                raise _missing(CheckName.DEPENDENCY_AUDIT, "requirements or lock")
            given = {"requirements": data.requirements, "lock": data.lock, "advisories": data.advisories}
            return "dependency-audit", {key: value for key, value in given.items() if value is not None}
        case RobustnessRequirement(limits=limits):
            wanted = limits.accuracy_under_attack
            return "robustness-test", {
                "data": _needed(data.test, CheckName.ROBUSTNESS, "test"),
                "epsilon": limits.epsilon,
                "at_least": wanted.at_least,
                "confidence": wanted.confidence,
                "queries": limits.queries,
                "samples": limits.examples,
            }
        case LeakageRequirement(limits=leakage):
            return "leakage-test", {
                "members": _needed(data.members, CheckName.LEAKAGE, "members"),
                "non_members": _needed(data.non_members, CheckName.LEAKAGE, "non_members"),
                "fpr": leakage.membership.tpr_at_fpr,
                "confidence": leakage.membership.confidence,
            }


def _needed(artifact: Artifact, check: CheckName, name: str) -> Artifact:
    if artifact is None:
        raise _missing(check, name)
    return artifact


def _missing(check: CheckName, name: str) -> UsageError:
    return UsageError(f"the policy asks for {check}, which needs {name}", remedy=f"give Data({name}=...)")


def _mount(task: PipelineTask, keys: str, passphrase: str) -> None:
    try:
        from kfp import kubernetes  # noqa: PLC0415 - only a backend needs it
    except ImportError:
        raise UsageError(
            "mounting Secrets needs the package kfp-kubernetes", remedy="pip install kfp-kubernetes"
        ) from None
    kubernetes.use_secret_as_volume(task, secret_name=keys, mount_path=KEYS)
    kubernetes.use_secret_as_volume(task, secret_name=passphrase, mount_path=PASSPHRASE)
