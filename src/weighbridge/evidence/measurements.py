"""What each check measures, as types: the gate applies a policy's limits to these and to nothing else."""

from __future__ import annotations

import enum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from weighbridge._struct import Wire

Proportion = Annotated[float, Meta(ge=0.0, le=1.0)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
ShortText = Annotated[str, Meta(max_length=4096)]


class InputRole(enum.StrEnum):
    """What an input is to a check. A policy says for each role what binds it."""

    TEST = "test"
    MEMBERS = "members"
    NON_MEMBERS = "nonMembers"
    REQUIREMENTS = "requirements"
    LOCK = "lock"
    ENVIRONMENT = "environment"
    ADVISORIES = "advisories"


class BoundsFrom(enum.StrEnum):
    """Who says between which bounds the values of a data set lie. ``rows`` are the smallest and the largest of them."""

    FILE = "file"
    DEFAULT = "default"
    ROWS = "rows"
    CALLER = "caller"


class Input(Wire, omit_defaults=True):
    """A file that a check read beside the model, by content, and what it was to the check.

    ``rows`` counts what it holds: examples, packages or records. Evidence of the first release has neither ``role``
    nor ``size``. Data sets also say how many of their examples differ from all others and between which ``bounds``
    their values lie, ``bounds_from`` whom that is known, and which column was the ``label``, by its name or position.
    """

    name: ShortText
    sha256: Sha256
    rows: Count
    role: InputRole | None = None
    size: Count | None = None
    kind: ShortText = ""
    distinct: Count | None = None
    bounds: tuple[float, float] | None = None
    bounds_from: BoundsFrom | None = None
    label: ShortText = ""


# --- model scan ---------------------------------------------------------------------------------------------------


How = Literal["parsed", "data", "undecided"]
"""What became of a byte: a parser read it, passed over it as numbers or text that nothing can run, or nobody did."""


class CoveredRange(Wire, omit_defaults=True):
    """What became of ``length`` bytes from ``start`` on: of the file, or of the ``member`` unpacked from it."""

    start: Count
    length: Count
    how: How
    member: ShortText = ""


class Coverage(Wire, omit_defaults=True):
    """What became of every byte of one file.

    The three sums are of the file's own bytes and give its size. ``ranges`` tile the file, and then each member, one
    after the other; short parsed pieces between data may be told as data there. ``more`` counts the ranges that are
    left out.
    """

    parsed: Count = 0
    data: Count = 0
    undecided: Count = 0
    ranges: tuple[CoveredRange, ...] = ()
    more: Count = 0


class FileCoverage(Wire, omit_defaults=True):
    """What the scan did with one file: every byte range is accounted for, or the file is not clean.

    ``path`` is the file's name inside the model, as it is. ``sha256`` is of the bytes that were scanned, None for what
    could not be read: the gate computes the model's digest from these, so a scan of other bytes does not count.
    ``coverage`` is missing for what could not be read, and in evidence of earlier releases.
    """

    path: ShortText
    format: ShortText
    size: Count
    sha256: Sha256 | None
    state: Literal["clean", "refused", "undecided"]
    coverage: Coverage | None = None


class ModelScanMeasurements(Wire, tag_field="kind", tag="model-scan"):
    """Coverage of a scan: one entry for every file of the model, and the allow lists by digest."""

    files: tuple[FileCoverage, ...]
    allow_lists: dict[ShortText, Sha256]


# --- dependency audit ---------------------------------------------------------------------------------------------


class AdvisoryDatabase(Wire, omit_defaults=True):
    """The advisories that an audit used. ``built`` is the bundle's own date, which is what its age counts from.

    ``counts`` has the number of records in force by source; ``name`` and ``size`` are the file's.
    """

    sha256: Sha256
    built: Annotated[str, Meta(max_length=40)]
    records: Count
    withdrawn: Count
    sources: tuple[ShortText, ...]
    name: ShortText = ""
    size: Count | None = None
    counts: dict[ShortText, Count] = msgspec.field(default_factory=dict)


class AuditedComponent(Wire):
    """One package that was judged."""

    name: ShortText
    version: ShortText


class DependencyAuditMeasurements(Wire, tag_field="kind", tag="dependency-audit"):
    """What was audited against what. ``components`` are sorted by name and version, so re-audits can be compared."""

    database: AdvisoryDatabase
    sources: tuple[Input, ...]
    components: tuple[AuditedComponent, ...]


# --- robustness and leakage ---------------------------------------------------------------------------------------


class Control(Wire):
    """A test of the attack itself. One that did not hold makes the whole check undecided."""

    name: ShortText
    held: bool
    detail: ShortText


# --- robustness ---------------------------------------------------------------------------------------------------


class CurvePoint(Wire):
    """Accuracy that was left after at most so many queries an example."""

    queries: Count
    accuracy: Proportion


class Picture(Wire):
    """One example as it was and as the attack changed it; pixels are base64 of unsigned bytes, row by row."""

    height: Annotated[int, Meta(ge=1, le=64)]
    width: Annotated[int, Meta(ge=1, le=64)]
    clean: Annotated[str, Meta(max_length=8192)]
    adversarial: Annotated[str, Meta(max_length=8192)]
    label: int
    clean_prediction: int
    adversarial_prediction: int


class RobustnessEntry(Wire):
    """One attacked model file. ``correct`` and ``survived`` are of ``examples``; survived <= correct <= examples."""

    path: ShortText
    framework: ShortText
    examples: Count
    correct: Count
    survived: Count
    queries: Count
    curve: tuple[CurvePoint, ...]
    controls: tuple[Control, ...]
    pictures: tuple[Picture, ...]


class RobustnessMeasurements(Wire, tag_field="kind", tag="robustness"):
    """Accuracy under attack of every loadable file of the model.

    The figures are of examples that an attack did not break, so they bound true robustness from above: at best
    "not falsified". ``epsilon`` is a share of the width of ``bounds``, in which all inputs
    lie: 0.1 is as strong for pixels up to 255 as for those up to 1.
    """

    data: Input
    norm: Literal["linf"]
    epsilon: Annotated[float, Meta(gt=0.0, le=1.0)]
    bounds: tuple[float, float]
    attack: ShortText
    queries_per_example: Count
    seed: Count
    entries: tuple[RobustnessEntry, ...]


# --- leakage ------------------------------------------------------------------------------------------------------


class RateAtFpr(Wire):
    """True-positive rate of the membership attack at one false-positive rate, with an interval that holds.

    ``lower`` and ``upper`` are each one-sided bounds at ``confidence`` and account for the estimated threshold.
    """

    fpr: Proportion
    confidence: Proportion
    tpr: Proportion
    lower: Proportion
    upper: Proportion


class RocPoint(Wire):
    """One point of the attack's ROC."""

    fpr: Proportion
    tpr: Proportion


class LeakageEntry(Wire, omit_defaults=True):
    """One examined model file.

    ``verbatim_training_rows`` of the ``rows_looked_up`` lie in the file as they are; a row of one repeated value is not
    looked up. Evidence of the first release says neither that nor ``controls``.
    """

    path: ShortText
    framework: ShortText
    attack: ShortText
    auc: Proportion
    rates: tuple[RateAtFpr, ...]
    roc: tuple[RocPoint, ...]
    verbatim_training_rows: Count
    arrays_examined: Count
    rows_looked_up: Count | None = None
    controls: tuple[Control, ...] = ()


class LeakageMeasurements(Wire, tag_field="kind", tag="leakage"):
    """How well membership can be told from the outputs of every loadable file, and rows kept inside it."""

    members: Input
    non_members: Input
    entries: tuple[LeakageEntry, ...]


Measurements = ModelScanMeasurements | DependencyAuditMeasurements | RobustnessMeasurements | LeakageMeasurements


def inputs_of(measured: Measurements | None) -> tuple[Input, ...]:
    """Return every input of a check with its role, whatever the measurements call it."""
    match measured:
        case RobustnessMeasurements(data=data):
            return (msgspec.structs.replace(data, role=InputRole.TEST),)
        case LeakageMeasurements(members=members, non_members=others):
            return (
                msgspec.structs.replace(members, role=InputRole.MEMBERS),
                msgspec.structs.replace(others, role=InputRole.NON_MEMBERS),
            )
        case DependencyAuditMeasurements(database=used, sources=sources):
            bundle = Input(
                name=used.name or "advisories",
                sha256=used.sha256,
                rows=used.records,
                role=InputRole.ADVISORIES,
                size=used.size,
                kind="osv-bundle",
            )
            return (*sources, bundle)
        case ModelScanMeasurements() | None:
            return ()
