"""What one check established about one model: the part of evidence that is ours.

A record carries facts only. It never says that a model may run: the gate says that, by a policy.
"""

from __future__ import annotations

import enum
from typing import Annotated, Final, Literal

from msgspec import Meta

from weighbridge._struct import Wire
from weighbridge.evidence.measurements import Count, Measurements, Sha256
from weighbridge.model.choice import ViewKind as ViewKind  # noqa: PLC0414 - part of a record, so found here too

MAX_TEXT: Final = 4096
"""Longest message, location or remedy, in characters; a worker that writes more is not believed."""

Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Name = Annotated[str, Meta(min_length=1, max_length=512)]
Instant = Annotated[str, Meta(max_length=40, description="RFC 3339 in UTC")]


class CheckName(enum.StrEnum):
    """The checks that exist. A policy that names another one is refused."""

    DEPENDENCY_AUDIT = "dependency-audit"
    MODEL_SCAN = "model-scan"
    ROBUSTNESS = "robustness"
    LEAKAGE = "leakage"


class Severity(enum.StrEnum):
    """How bad a finding is. ``unknown`` is not low: a policy decides on it separately."""

    UNKNOWN = "unknown"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Return the place in the order low < medium < high < critical; unknown has 0."""
        return _RANKS[self]


_RANKS: Final = {severity: place for place, severity in enumerate(Severity)}


class Component(Wire):
    """One installed or locked package: its normalised name, its version as written, how it came in."""

    name: Name
    version: Text
    path: tuple[Text, ...] = ()


class Finding(Wire):
    """One fact that a check reports against a model.

    ``rule`` is the stable id of the rule (kebab-case for ours, the advisory's id is in ``advisory``); ``location``
    is a path inside the model or input, with an offset or a line behind a colon where there is one. ``about`` is the
    one name that the finding is about, such as the global that a pickle imports, so that findings of one rule can be
    listed by name.
    """

    rule: Name
    severity: Severity
    message: Text
    location: Text
    remedy: Text
    advisory: Text | None = None
    aliases: tuple[Text, ...] = ()
    component: Component | None = None
    about: Text = ""


class Undecided(Wire, omit_defaults=True):
    """Something a check could not judge, and why. It is never the same as nothing found.

    ``code`` is the stable id of the reason (kebab-case), which the catalogue explains; ``remedy`` is the next step.
    Evidence of older versions has neither.
    """

    location: Text
    reason: Text
    code: Text = ""
    remedy: Text = ""


class Tool(Wire):
    """The program that did the check."""

    name: Name
    version: Name


class Confinement(Wire):
    """Which confinement was in force around the worker, as its launcher measured it before the model was opened.

    ``landlock_abi`` is 0 where the kernel has no Landlock. ``filesystem`` and ``network`` say what was really
    enforced; ``summary`` is the same in one sentence for people.
    """

    landlock_abi: int
    filesystem: bool
    network: bool
    seccomp: bool
    limits: dict[Name, int]
    summary: Text


class View(Wire):
    """The view of the model that a check was given. ``summary`` says the same in one sentence for people."""

    kind: ViewKind
    summary: Text


class ExaminedFile(Wire):
    """One file of the model as the check could read it: the checksum is of those bytes."""

    path: Text
    size: Count
    sha256: Sha256


class SeedSource(enum.StrEnum):
    """Where the seed of a statistic comes from. Of ``asker`` nothing follows: he can try until it passes."""

    DIGESTS = "digests"
    PLATFORM = "platform"
    ASKER = "asker"


class Seed(Wire):
    """The seed of all randomness of one check."""

    value: Annotated[int, Meta(ge=0, lt=2**32)]
    source: SeedSource


LABEL: Final = "label"
"""The parameter that has the label's column, where the caller named it."""

BOUNDS: Final = ("bounds_low", "bounds_high")
"""The parameters that have the bounds of the data, where the caller gave them."""


class CheckRecord(Wire, omit_defaults=True):
    """Everything that one run of one check established.

    ``nonce`` is random and makes two runs distinguishable; ``parameters`` are the options that change the result,
    by value, with inputs named by digest and never by a path of the machine. ``files`` are the model's files with the
    checksums of the bytes that were examined: the gate computes the model's digest from them. ``tries`` is how often a
    statistic was tried before, as far as whoever signs knows; ``requester`` is the account that asked for a review, as
    the platform recorded it. Evidence of the first release has none of the last five fields.
    """

    check: CheckName
    tool: Tool
    confinement: Confinement
    nonce: Name
    started: Instant
    finished: Instant
    parameters: dict[Name, str | int | float | bool]
    findings: tuple[Finding, ...]
    undecided: tuple[Undecided, ...]
    measurements: Measurements | None = None
    view: View | None = None
    files: tuple[ExaminedFile, ...] = ()
    seed: Seed | None = None
    tries: Literal["unknown"] | Count | None = None
    requester: Annotated[str, Meta(max_length=512)] | None = None
