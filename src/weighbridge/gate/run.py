"""Run every check that a policy asks for: plan, examine in parallel, sign when the last worker is gone."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from weighbridge.checks.interface import (
    CheckRequest,
    DependencyAuditOptions,
    LeakageOptions,
    ModelScanOptions,
    Options,
    RobustnessOptions,
)
from weighbridge.checks.run import run_check
from weighbridge.clock import Clock
from weighbridge.errors import UsageError
from weighbridge.evidence.bundle import write_bundle
from weighbridge.evidence.cyclonedx import bill_of_materials
from weighbridge.evidence.keys import Signer
from weighbridge.evidence.measurements import InputRole
from weighbridge.evidence.predicates import CYCLONEDX, statement_of
from weighbridge.evidence.record import CheckName, CheckRecord
from weighbridge.evidence.statement import Statement
from weighbridge.evidence.store import DirectoryStore
from weighbridge.gate.statistics import tightened
from weighbridge.model.digest import Digest, ManifestDigest
from weighbridge.model.view import PrivateView
from weighbridge.policy import (
    DataBinding,
    DependencyAuditRequirement,
    LeakageRequirement,
    ModelScanRequirement,
    Policy,
    RequirementSpec,
    RobustnessRequirement,
)

FORESEEN_TRIES: Final = 20
"""For so many earlier tries a leakage check measures the confidence that they cost, where the policy ends none."""

MAX_FORESEEN_TRIES: Final = 100
"""The same where the policy allows more: after so many an approver has to look."""


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What checks need beside the model; only what the policy asks for must be there.

    ``label`` and ``bounds`` are for data of which the policy does not say them.
    """

    advisories: Path | None = None
    requirements: tuple[Path, ...] = ()
    locks: tuple[Path, ...] = ()
    environments: tuple[Path, ...] = ()
    data: Path | None = None
    members: Path | None = None
    non_members: Path | None = None
    label: str | None = None
    bounds: tuple[float, float] | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Return every input that is a file, beside which its signature may lie."""
        single = (self.advisories, self.data, self.members, self.non_members)
        return (*self.requirements, *self.locks, *(path for path in single if path is not None))


def plan(policy: Policy, *, model: Path, inputs: RunInputs) -> tuple[CheckRequest, ...]:
    """Turn the policy's requirements into requests, with the policy's own limits as the checks' targets.

    Raises:
        UsageError: When an input is missing that a required check needs; nothing has run by then.
    """
    return tuple(
        CheckRequest(model=os.path.abspath(model), options=_options(requirement.spec, inputs, policy))
        for requirement in policy.requirements
    )


def _options(spec: RequirementSpec, inputs: RunInputs, policy: Policy) -> Options:
    match spec:
        case ModelScanRequirement():
            return ModelScanOptions()
        case DependencyAuditRequirement():
            if not (inputs.requirements or inputs.locks or inputs.environments):
                raise _missing("dependency-audit", "--lock, -r or --environment")
            return DependencyAuditOptions(
                advisories=_path(inputs.advisories, "dependency-audit", "--advisories"),
                requirements=_paths(inputs.requirements),
                locks=_paths(inputs.locks),
                environments=_paths(inputs.environments),
            )
        case RobustnessRequirement(limits=limits):
            wanted = limits.accuracy_under_attack
            label, bounds = _of_data(inputs, policy, InputRole.TEST)
            return RobustnessOptions(
                data=_path(inputs.data, "robustness", "--data"),
                epsilon=limits.epsilon,
                queries=limits.queries,
                samples=limits.examples,
                at_least=wanted.at_least if 0 < wanted.at_least < 1 else None,
                confidence=wanted.confidence,
                label=label,
                bounds=bounds,
            )
        case LeakageRequirement(limits=leakage) as spec:
            plain = LeakageOptions(
                members=_path(inputs.members, "leakage", "--members"),
                non_members=_path(inputs.non_members, "leakage", "--non-members"),
            )
            membership = leakage.membership
            label, bounds = _of_data(inputs, policy, InputRole.MEMBERS)
            return LeakageOptions(
                members=plain.members,
                non_members=plain.non_members,
                # Lower rates than the policy's would need more rows than it takes to answer it.
                rates=tuple(sorted({membership.tpr_at_fpr, *(r for r in plain.rates if r > membership.tpr_at_fpr)})),
                confidences=confidences_for(
                    membership.confidence, plain.confidences, tries=spec.max_tries or FORESEEN_TRIES
                ),
                label=label,
                bounds=bounds,
            )


def _of_data(inputs: RunInputs, policy: Policy, role: InputRole) -> tuple[str | None, tuple[float, float] | None]:
    # What the policy says is what counts, so nobody has to repeat it.
    binding = policy.binding(role)
    if not isinstance(binding, DataBinding):
        return inputs.label, inputs.bounds
    return inputs.label or binding.label, inputs.bounds or binding.bounds


def confidences_for(confidence: float, usual: tuple[float, ...], *, tries: int = FORESEEN_TRIES) -> tuple[float, ...]:
    """Return the confidences to measure at: the policy's, what so many tries may make of it, and the usual ones."""
    after_tries = (tightened(confidence, tries=number) for number in range(min(tries, MAX_FORESEEN_TRIES) + 1))
    return tuple(sorted({*usual, *after_tries}))


def _path(path: Path | None, check: str, option: str) -> str:
    if path is None:
        raise _missing(check, option)
    return os.path.abspath(path)


def _paths(paths: tuple[Path, ...]) -> tuple[str, ...]:
    return tuple(os.path.abspath(path) for path in paths)


def _missing(check: str, option: str) -> UsageError:
    return UsageError(f"the policy asks for {check}, which needs {option}", remedy=f"give {option}")


def run_checks(
    requests: Sequence[CheckRequest],
    *,
    view: PrivateView,
    clock: Clock,
    nonce: Callable[[], str],
    secrets: Sequence[Path],
    seed_secret: bytes | None = None,
) -> tuple[CheckRecord, ...]:
    """Run the checks side by side, as many as there are cores, and return their records in the same order.

    All of them read one view of the model.
    When this returns, every worker is gone; only then may a key be opened.
    """
    jobs = max(1, min(len(requests), len(os.sched_getaffinity(0))))
    stop = Event()

    def examine(request: CheckRequest) -> CheckRecord:
        return run_check(
            request,
            view=view,
            clock=clock,
            nonce=nonce(),
            secrets=secrets,
            stop=stop,
            seed_secret=seed_secret,
        )

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        pending = [pool.submit(examine, request) for request in requests]
        try:
            return tuple(future.result() for future in pending)
        except BaseException:
            # Ctrl-C or a refused request: leaving the pool would wait for workers that may run for half an hour.
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def signing_roles(policy: Policy) -> Mapping[CheckName, str]:
    """Return the role that signs each check's evidence: the first that its requirement names."""
    return {requirement.check: requirement.spec.signers[0] for requirement in policy.requirements}


def sign_record(
    record: CheckRecord,
    *,
    model: Digest,
    name: str,
    store: DirectoryStore,
    signer: Signer,
    manifest: ManifestDigest | None = None,
) -> list[Path]:
    """Sign a record and write it; an audit also leaves a bill of materials. Return the files.

    Raises:
        OutputError: When a file cannot be written; each file is whole or absent.
    """
    statements = [(record.check.value, statement_of(record, model=model, name=name, manifest=manifest))]
    if record.check is CheckName.DEPENDENCY_AUDIT:
        bom = bill_of_materials(record, model=model, name=name)
        about = Statement.about(model, name=name, predicate_type=CYCLONEDX, predicate=bom, manifest=manifest)
        statements.append(("cyclonedx", about))
    return [
        store.write(write_bundle(statement.encode(), signer=signer), kind=kind, model=model, nonce=record.nonce)
        for kind, statement in statements
    ]


def store_signatures(signatures: Sequence[bytes], *, model: Digest, store: DirectoryStore) -> list[Path]:
    """Put signed inputs beside the evidence that rests on them, each once, and return the new files.

    Raises:
        OutputError: When one cannot be written.
    """
    present = {file.sha256 for file in store.read()} if store.path.is_dir() else set()
    written = []
    for data in signatures:
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in present:
            written.append(store.write(data, kind="input", model=model, nonce=sha256))
            present.add(sha256)
    return written
