"""The admission decision about manifests in files, with the code that decides in a cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from weighbridge import _yaml
from weighbridge.admission.decision import Outcome, PodDecision, decide
from weighbridge.admission.judging import ModelJudgement
from weighbridge.admission.policies import PolicySet
from weighbridge.admission.templates import FoundPod, find_pods, render
from weighbridge.admission.verdicts import VerdictIndex
from weighbridge.clock import format_instant
from weighbridge.errors import ParseError
from weighbridge.report.admission import (
    SCHEMA,
    AdmissionReport,
    AllowedWorkload,
    CheckedPod,
    MountedModel,
    PlacedReason,
    PlacedWay,
    UndecidedFile,
)
from weighbridge.trust import Trust

DEFAULT_NAMESPACE: Final = "default"
"""Where an object goes that names no namespace."""

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that a decision takes beside the pod."""

    policies: PolicySet
    trust: Trust
    verdicts: VerdictIndex
    now: datetime
    namespace: str | None = None
    """Where objects go, whatever they say; nothing leaves them where they say."""


def check_files(files: tuple[tuple[str, bytes], ...], *, surroundings: Surroundings) -> AdmissionReport:
    """Decide about every pod that the files make; a file that cannot be read does not keep the others from it."""
    pods: list[CheckedPod] = []
    undecided: list[UndecidedFile] = []
    for name, data in files:
        try:
            pods += _check_file(name, data, surroundings)
        except ParseError as error:
            undecided.append(UndecidedFile(file=name, reason=error.message, remedy=error.remedy))
    held = any(pod.outcome == Outcome.HOLD.value for pod in pods)
    return AdmissionReport(
        schema=SCHEMA,
        verdict="failed" if held else "undecided" if undecided else "passed",
        pods=tuple(pods),
        undecided=tuple(undecided),
    )


def _check_file(name: str, data: bytes, surroundings: Surroundings) -> list[CheckedPod]:
    documents = _yaml.load_manifests(data, name=name)
    if not documents:
        raise ParseError(f"{name} is empty", remedy="give manifests")
    return [
        _checked(name, document, found, surroundings)
        for document in documents
        for found in find_pods(document.value, what=f"{name}:{document.line()}")
    ]


def _checked(file: str, document: _yaml.Document, found: FoundPod, surroundings: Surroundings) -> CheckedPod:
    namespace = surroundings.namespace or found.namespace or DEFAULT_NAMESPACE
    decision = decide(
        found.pod,
        namespace=namespace,
        policies=surroundings.policies,
        trust=surroundings.trust,
        verdicts=surroundings.verdicts,
        now=surroundings.now,
    )
    return CheckedPod(
        file=file,
        line=document.line(*found.path),
        kind=found.kind,
        name=found.name,
        namespace=namespace,
        path=render(found.path),
        exact=found.exact,
        outcome=decision.outcome.value,
        mode=decision.mode,
        policy=decision.policy,
        reasons=tuple(
            PlacedReason(
                code=reason.code.value,
                message=reason.message,
                remedy=reason.remedy,
                path=reason.path,
                line=document.line(*(_steps(reason.path) or found.path)),
            )
            for reason in decision.reasons
        ),
        ways=tuple(PlacedWay(way=way.way.value, path=way.path, why=way.why) for way in decision.ways),
        models=tuple(_model(model) for model in decision.models),
        workload=_workload(decision),
    )


def _model(judged: ModelJudgement) -> MountedModel:
    verdict = judged.verdict
    return MountedModel(
        reference=judged.image.reference,
        verified=judged.reason is None,
        verdict=judged.stored,
        model="" if verdict is None else str(verdict.model),
        valid_until="" if verdict is None else format_instant(verdict.valid_until),
        weaknesses=() if verdict is None else verdict.weaknesses,
    )


def _workload(decision: PodDecision) -> AllowedWorkload | None:
    use = decision.workload
    if use is None or use.purpose is None:
        return None
    return AllowedWorkload(purpose=use.purpose, owner=use.owner, expires=use.expires)


def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(int(index) if index else key for key, index in _STEP.findall(path))
