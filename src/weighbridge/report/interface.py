"""What every report is made from: one frozen value, built by the caller from things it has verified or could not.

A report never reads a file, a clock or a key, and it never decides. What a signature is worth and what the verdict is
stand in the value; every text that came out of evidence counts as hostile and is cleaned where it is written.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal, Protocol

from weighbridge.evidence.record import CheckName, CheckRecord
from weighbridge.model.digest import Digest

Signature = Literal["verified", "unverified", "invalid"]
"""What is known of a signature: it holds, nobody looked (no trust was given), or it does not hold."""

Result = Literal["passed", "failed", "undecided"]
"""The three verdicts. Only ``passed`` passes."""

State = Literal["satisfied", "failed", "undecided"]
"""What became of one requirement."""


class OutputFormat(enum.StrEnum):
    """The formats a report can be written in."""

    HTML = "html"
    MARKDOWN = "markdown"
    SARIF = "sarif"
    JUNIT = "junit"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """One record and how far it can be believed.

    ``signer`` is the role of the key whose signature holds and ``key`` its fingerprint, ``source`` the name of the
    file, and ``why`` the reason for a signature that is not verified, or for evidence that nobody asked for.
    """

    record: CheckRecord
    signature: Signature
    source: str
    signer: str | None = None
    why: str = ""
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedView:
    """One file that does not count as evidence and could not even be read as a record, and why."""

    source: str
    reason: str
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementView:
    """One requirement of the policy: what became of it, why, and what to do. ``line`` is its line in the policy.

    ``inputs`` says in a sentence each what the check was done on and what binds it; ``notes`` is what a reader has to
    know beside the result.
    """

    check: CheckName
    state: State
    reason: str
    remedy: str = ""
    line: int | None = None
    waived: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """What the gate decided, by which policy and trust, and until when it holds.

    Instants are RFC 3339 texts. ``signed_by`` is the role that signed the verdict, None when nothing was signed, and
    ``signed_key`` the fingerprint of its key. ``policy_file`` is the name of the policy's file, without a directory.
    ``problems`` concern the whole and not one requirement. ``weaknesses`` come first wherever the verdict is shown.
    """

    verdict: Result
    policy_name: str
    policy_digest: str
    policy_mode: str = "enforce"
    trust_name: str
    trust_version: int
    time_verified: str
    valid_until: str
    requirements: tuple[RequirementView, ...]
    signed_by: str | None = None
    problems: tuple[str, ...] = ()
    weaknesses: tuple[str, ...] = ()
    signed_key: str | None = None
    policy_file: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the model lies, relative to the directory the program ran in, with slashes.

    ``base`` is what the names of its files are relative to: the model itself, or the directory of a model of one file;
    empty for the directory the program ran in.
    """

    model: str
    base: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInput:
    """Everything that a report shows about one model. ``place`` is None when it is not known or lies elsewhere.

    ``evidence`` is what the result rests on, or the newest of each check where nothing was judged. ``aside`` is
    evidence of the same model that nobody asked for, such as older runs: reports count it and list no findings of it.
    ``look`` is the answer of a look, which nobody signed and which counts nowhere.
    """

    model: str
    digest: Digest
    evidence: tuple[EvidenceView, ...]
    verdict: VerdictView | None = None
    rejected: tuple[RejectedView, ...] = ()
    place: Place | None = None
    aside: tuple[EvidenceView, ...] = ()
    look: Result | None = None


class Renderer(Protocol):
    """Turns a report's value into one document."""

    def __call__(self, report: ReportInput, /) -> str:
        """Return the document; the same value gives the same text."""
