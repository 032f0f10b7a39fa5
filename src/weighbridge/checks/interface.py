"""The one interface behind which every check stands.

A check is a module with ``run(request) -> CheckOutput``. It runs in a worker process that can read the model and
the named inputs, and nothing else: no key, no network. What it returns is parsed as hostile input by the parent,
so it may carry findings and measurements, never a subject, a time, a signer or a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Protocol

from msgspec import Meta

from weighbridge._struct import Wire
from weighbridge.evidence.measurements import Measurements
from weighbridge.evidence.record import CheckName, Finding, Undecided

MAX_FINDINGS: Final = 10_000
"""Most findings, and most undecided places, that one check may report."""

ColumnName = Annotated[str, Meta(min_length=1, max_length=256)]
Proportion = Annotated[float, Meta(gt=0.0, lt=1.0)]


class DependencyAuditOptions(Wire, tag_field="check", tag="dependency-audit"):
    """What to audit: requirements files, lock files, installed environments; and the advisory bundle to use."""

    advisories: str
    requirements: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def inputs(self) -> tuple[str, ...]:
        """Return the paths that the worker may read beside the model, with the files that requirements include."""
        from weighbridge.checks.dependencies.sources.requirement_tree import included_files

        nested = (str(path) for name in self.requirements for path in included_files(Path(name)))
        return (self.advisories, *self.requirements, *nested, *self.locks, *self.environments)


class ModelScanOptions(Wire, tag_field="check", tag="model-scan"):
    """The scan needs the model only."""

    def inputs(self) -> tuple[str, ...]:
        """Return the paths that the worker may read beside the model."""
        return ()


class RobustnessOptions(Wire, tag_field="check", tag="robustness"):
    """The attack's data and budget.

    ``data`` is a file or folder that ``weighbridge.checks.data`` reads; ``label`` is its column of labels, by name or
    position, and ``bounds`` are those of its numbers, where it does not say so itself. ``epsilon`` is a share of the
    width of the bounds. ``at_least`` and ``confidence`` are the policy's limit when it is known. Without ``seed`` the
    one is taken that follows from model and data; a seed that somebody chose makes evidence that does not count, and
    so does a label or bounds that the policy does not say.
    """

    data: str
    epsilon: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.1
    queries: Annotated[int, Meta(ge=10, le=1_000_000)] = 1_000
    samples: Annotated[int, Meta(ge=1, le=100_000)] = 200
    seed: Annotated[int, Meta(ge=0, lt=2**32)] | None = None
    at_least: Proportion | None = None
    confidence: Proportion = 0.95
    label: ColumnName | None = None
    bounds: tuple[float, float] | None = None

    def inputs(self) -> tuple[str, ...]:
        """Return the paths that the worker may read beside the model."""
        return (self.data,)


class LeakageOptions(Wire, tag_field="check", tag="leakage"):
    """Examples that were trained on and examples that were not; ``label`` and ``bounds`` as for robustness.

    ``rates`` are the false-positive rates, ``confidences`` the confidence levels at which the true-positive rate is
    measured; every pair is reported.
    """

    members: str
    non_members: str
    rates: tuple[Proportion, ...] = (0.01, 0.05, 0.1)
    confidences: tuple[Proportion, ...] = (0.9, 0.95, 0.99)
    seed: Annotated[int, Meta(ge=0, lt=2**32)] | None = None
    label: ColumnName | None = None
    bounds: tuple[float, float] | None = None

    def inputs(self) -> tuple[str, ...]:
        """Return the paths that the worker may read beside the model."""
        return (self.members, self.non_members)


Options = DependencyAuditOptions | ModelScanOptions | RobustnessOptions | LeakageOptions


class ModelFile(Wire, omit_defaults=True):
    """One file of the model, as the parent lists it and a check reads it: by ``weighbridge.checks.reading`` only.

    With a ``descriptor``, which a worker inherits, ``path`` lies beneath that directory, and without a path the bytes
    are the descriptor's own from ``start`` on. Without a descriptor ``path`` says where the file is. ``elsewhere``
    counts the names that the file had outside the model, by hard links, where it lay on disk.
    """

    name: str
    size: int
    descriptor: int | None = None
    path: str = ""
    start: int = 0
    elsewhere: int = 0


class CheckRequest(Wire, omit_defaults=True):
    """What the parent asks of a worker: the model by name, its files, and the check's options."""

    model: str
    options: Options
    files: tuple[ModelFile, ...] = ()

    @property
    def check(self) -> CheckName:
        """Return the check that these options belong to."""
        return CheckName(str(self.options.__struct_config__.tag))

    def readable(self) -> tuple[Path, ...]:
        """Return every path that the worker must be able to open: never the model's own when it has a private copy."""
        inputs = tuple(Path(name) for name in self.options.inputs())
        if any(file.descriptor is None for file in self.files):
            return (Path(self.model), *inputs)
        beneath = {file.descriptor for file in self.files if file.descriptor is not None and file.path}
        return (*(Path(f"/proc/self/fd/{descriptor}") for descriptor in sorted(beneath)), *inputs)

    def inherited(self) -> tuple[int, ...]:
        """Return the descriptors that the worker must be given."""
        return tuple(sorted({file.descriptor for file in self.files if file.descriptor is not None}))


class CheckOutput(Wire):
    """What a check hands back. Measurements are absent only when nothing could be measured."""

    findings: Annotated[tuple[Finding, ...], Meta(max_length=MAX_FINDINGS)] = ()
    undecided: Annotated[tuple[Undecided, ...], Meta(max_length=MAX_FINDINGS)] = ()
    measurements: Measurements | None = None


class Check(Protocol):
    """A module that examines a model inside a worker."""

    def run(self, request: CheckRequest, /) -> CheckOutput:
        """Examine the model; raise nothing for bad input but report it as a finding or as undecided."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one worker: seconds of wall clock and of CPU, bytes of address space and of output, open files."""

    seconds: int
    cpu_seconds: int
    memory: int
    output: int = 24 * 1024 * 1024
    files: int = 256


MODULES: Final[dict[CheckName, str]] = {
    CheckName.DEPENDENCY_AUDIT: "weighbridge.checks.dependencies.check",
    CheckName.MODEL_SCAN: "weighbridge.checks.model_scan.check",
    CheckName.ROBUSTNESS: "weighbridge.checks.robustness.check",
    CheckName.LEAKAGE: "weighbridge.checks.leakage.check",
}
"""Where each check lives. A worker imports the one it is asked for, and no other."""

_GIB: Final = 1024**3

LIMITS: Final[dict[CheckName, Limits]] = {
    CheckName.DEPENDENCY_AUDIT: Limits(seconds=120, cpu_seconds=120, memory=2 * _GIB),
    CheckName.MODEL_SCAN: Limits(seconds=900, cpu_seconds=900, memory=2 * _GIB),
    CheckName.ROBUSTNESS: Limits(seconds=1800, cpu_seconds=3600, memory=16 * _GIB),
    CheckName.LEAKAGE: Limits(seconds=900, cpu_seconds=1800, memory=16 * _GIB),
}
"""How much each check may take before it is stopped and counts as undecided."""
