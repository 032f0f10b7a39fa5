"""Pods, policies and signed verdicts for tests of admission; tests change one thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from tests.builders import NOW, POLICY, make_keys, trust_bytes
from weighbridge.admission.decision import PodDecision, decide
from weighbridge.admission.pods import Pod
from weighbridge.admission.policies import PolicySet
from weighbridge.admission.verdicts import VerdictIndex
from weighbridge.clock import format_instant
from weighbridge.evidence.bundle import write_bundle
from weighbridge.evidence.keys import PrivateKey
from weighbridge.evidence.statement import Statement
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.summary import (
    LEVEL,
    VERIFIER_ID,
    VSA,
    DigestedResource,
    InputSummary,
    RequirementSummary,
    TrustReference,
    VerdictDetail,
    VerificationSummary,
    Verifier,
)
from weighbridge.model.digest import Digest
from weighbridge.policy import Policy
from weighbridge.trust import Trust

Manifest = dict[str, Any]

MODEL = Digest("a" * 64)
MANIFEST = "b" * 64
OTHER = "c" * 64
APP = f"registry.example/app@sha256:{'d' * 64}"
TOOL = f"registry.example/tool@sha256:{'e' * 64}"
GPU: Manifest = {"resources": {"limits": {"nvidia.com/gpu": 1}}}


def policy_text(*, name: str = "production", more: str = "  default: true\n") -> str:
    """Return a policy's text; ``more`` stands at the end of its spec."""
    return POLICY.replace("{name: production}", f"{{name: {name}}}") + more


def policy(*, name: str = "production", more: str = "  default: true\n") -> Policy:
    return Policy.parse(policy_text(name=name, more=more).encode(), name=f"{name}.yaml")


def workload(
    *, namespace: str = "team", purpose: str = "training", image: str = APP, expires: str = "2026-12-31"
) -> str:
    return (
        "  default: true\n  workloads:\n"
        f'    - {{namespaces: [{namespace}], purpose: {purpose}, images: ["{image}"], owner: us, expires: {expires}}}\n'
    )


def container(**changes: Any) -> Manifest:
    return {"name": "app", "image": APP, **changes}


def volume(manifest: str = MANIFEST, *, name: str = "model", reference: str = "") -> Manifest:
    return {"name": name, "image": {"reference": reference or f"registry.example/model@sha256:{manifest}"}}


def pod(*, containers: Any = None, volumes: Any = None, **spec: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "team"},
        "spec": {
            "containers": [container(**GPU)] if containers is None else containers,
            "volumes": [volume()] if volumes is None else volumes,
            **spec,
        },
    }


@dataclass
class Verdicts:
    """Signed verdicts under a set of keys."""

    keys: dict[str, PrivateKey] = field(default_factory=make_keys)

    @property
    def trust(self) -> Trust:
        return Trust.parse(trust_bytes(self.keys), name="trust.yaml")

    def summary(
        self,
        *,
        result: VerdictResult = VerdictResult.PASSED,
        time: datetime = NOW - timedelta(hours=1),
        model: Digest = MODEL,
        policy_name: str = "production",
        policy_digest: str = "",
        trust_version: int = 1,
        trust_name: str = "production",
        valid_for: timedelta = timedelta(days=7),
        inputs: tuple[InputSummary, ...] = (),
    ) -> VerificationSummary:
        policy_digest = policy_digest or policy(name=policy_name).digest
        passed = result is VerdictResult.PASSED
        return VerificationSummary(
            verifier=Verifier(id=VERIFIER_ID, version={"weighbridge": "0"}),
            time_verified=format_instant(time),
            resource_uri=str(model),
            policy=DigestedResource(uri=policy_name, digest={"sha256": policy_digest}),
            input_attestations=(),
            verification_result="PASSED" if passed else "FAILED",
            verified_levels=(LEVEL,) if passed else (),
            slsa_version="1.0",
            detail=VerdictDetail(
                result=result,
                policy=policy_name,
                mode="enforce",
                trust=TrustReference(name=trust_name, version=trust_version, sha256="0" * 64),
                valid_until=format_instant(time + valid_for),
                requirements=(
                    RequirementSummary(
                        check="model-scan",
                        result=result,
                        reason="the scan found a thing" if not passed else "",
                        keys=(self.keys["scanner"].public.id,),
                        inputs=inputs,
                    ),
                ),
                problems=(),
            ),
        )

    def sign(
        self, *, role: str = "verifier", manifests: tuple[str, ...] = (MANIFEST,), model: Digest = MODEL, **changes: Any
    ) -> bytes:
        statement = Statement.about(
            model, name="model", predicate_type=VSA, predicate=self.summary(model=model, **changes)
        )
        images = tuple(
            msgspec.structs.replace(statement.subject[0], digest={"sha256": manifest}) for manifest in manifests
        )
        statement = msgspec.structs.replace(statement, subject=(*statement.subject, *images))
        return write_bundle(statement.encode(), signer=self.keys[role])


@dataclass
class Cluster:
    """Everything that a decision takes beside the pod, good as it is."""

    signed: Verdicts = field(default_factory=Verdicts)
    policies: tuple[Policy, ...] = field(default_factory=lambda: (policy(),))
    bundles: dict[str, bytes] = field(default_factory=dict)
    trust: Trust | None = None
    now: datetime = NOW

    def decide(self, manifest: Manifest, *, namespace: str = "team") -> PodDecision:
        return decide(
            Pod.parse(manifest),
            namespace=namespace,
            policies=PolicySet.of(self.policies),
            trust=self.trust or self.signed.trust,
            verdicts=VerdictIndex.of(self.bundles.items()),
            now=self.now,
        )


def good_cluster(**changes: Any) -> Cluster:
    """Return a cluster with one verdict that admits ``pod()``."""
    signed = Verdicts()
    return Cluster(**{"signed": signed, "bundles": {"good": signed.sign()}, **changes})


def codes(decision: PodDecision) -> list[str]:
    return [reason.code.value for reason in decision.reasons]
