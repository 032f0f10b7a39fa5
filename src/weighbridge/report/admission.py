"""The report of `weighbridge check`: what would become of every pod that some manifests make."""

from __future__ import annotations

from typing import Final, Literal

from weighbridge import _json
from weighbridge._struct import Wire

SCHEMA: Final[Literal["weighbridge.dev/admission-report/v1"]] = "weighbridge.dev/admission-report/v1"
"""Name and version of the format."""


class PlacedReason(Wire):
    """Why a pod is held, what to do, and where in the file the cause stands."""

    code: str
    message: str
    remedy: str
    path: str
    line: int


class PlacedWay(Wire):
    """One way by which a pod can reach an accelerator."""

    way: str
    path: str
    why: str


class MountedModel(Wire):
    """A model that a pod mounts, and the verdict that counts for it; empty where there is none."""

    reference: str
    verified: bool
    verdict: str
    model: str
    valid_until: str
    weaknesses: tuple[str, ...] = ()
    """What is weak about the verdict, one sentence each; first of all it has to be said."""


class AllowedWorkload(Wire):
    """The entry of the policy by which a pod needs no model."""

    purpose: Literal["training", "interactive", "system"]
    owner: str
    expires: str


class CheckedPod(Wire):
    """A pod, the object that makes it, and what would become of it.

    ``exact`` is false where the pod was put together from parts of a kind that is not one of Kubernetes.
    """

    file: str
    line: int
    kind: str
    name: str
    namespace: str
    path: str
    exact: bool
    outcome: Literal["not-held", "admit", "hold"]
    mode: Literal["audit", "warn", "enforce"]
    policy: str | None
    reasons: tuple[PlacedReason, ...]
    ways: tuple[PlacedWay, ...]
    models: tuple[MountedModel, ...]
    workload: AllowedWorkload | None


class UndecidedFile(Wire):
    """A file about which nothing can be said, and why."""

    file: str
    reason: str
    remedy: str


class AdmissionReport(Wire):
    """Every pod of every file.

    ``verdict`` is failed when a pod is held, in whatever mode, and else undecided when a file cannot be read.
    """

    schema: Literal["weighbridge.dev/admission-report/v1"]
    verdict: Literal["passed", "failed", "undecided"]
    pods: tuple[CheckedPod, ...]
    undecided: tuple[UndecidedFile, ...]


def write_json(report: AdmissionReport) -> str:
    """Return the report as indented JSON."""
    return _json.dumps_pretty(report) + "\n"
