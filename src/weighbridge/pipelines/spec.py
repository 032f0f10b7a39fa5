"""Which steps there are and what each takes and gives: the one table behind the command line and the components."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final


class Kind(enum.Enum):
    """What an input is."""

    PATH = "a file or directory; an artifact in Kubeflow Pipelines"
    DOCUMENT = "a file; its text as a parameter in Kubeflow Pipelines"
    TEXT = "text"
    INTEGER = "a whole number"
    NUMBER = "a number"


class Need(enum.Enum):
    """Whether an input may be left out."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a step. ``name`` is in snake case, as in Kubeflow Pipelines; options have dashes."""

    name: str
    help: str
    kind: Kind = Kind.PATH
    need: Need = Need.REQUIRED
    default: str | int | float | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a step: its name, and the file or directory that ``--out DIR`` puts it into."""

    name: str
    file: str
    help: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step."""

    name: str
    help: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]


KEYS: Final = "/var/run/weighbridge/keys"
"""Where a container that signs has its keys mounted, ``ROLE.key`` each."""

PASSPHRASE: Final = "/var/run/weighbridge/passphrase"  # noqa: S105
"""Where a container that signs has its passphrases mounted: a file ROLE for each key, or ``passphrase`` for all."""

_OPTIONAL: Final = Need.OPTIONAL
_MODEL: Final = Input("model", "The model: a directory or one file.")
_NAME: Final = Input("name", "What the model is called in evidence.", Kind.TEXT, _OPTIONAL, "model")
_RUN: Final = Input("run", "Id of the run; evidence of another run does not count.", Kind.TEXT)
_KEY: Final = Input("key", "Private key file.", Kind.TEXT, _OPTIONAL)
_PASSPHRASE: Final = Input(
    "passphrase_file", "Passphrase: a file, or a directory of ROLE.", Kind.TEXT, _OPTIONAL, PASSPHRASE
)
_POLICY: Final = Input("policy", "What must hold.", Kind.DOCUMENT)
_TRUST: Final = Input("trust", "Who may sign what.", Kind.DOCUMENT)
_CONFIDENCE: Final = Input("confidence", "Confidence that the policy asks for.", Kind.NUMBER, _OPTIONAL, 0.95)
_MEASURED: Final = Output("measured", "measured.json", "What was measured, unsigned.")
_VERIFIED: Final = Output("verified", "model", "The model, released only when passed.")

STEPS: Final[dict[str, Step]] = {
    step.name: step
    for step in (
        Step(
            "dependency-audit",
            "Audit dependencies of a model against advisories.",
            (
                _MODEL,
                _RUN,
                Input("requirements", "Requirements file.", need=_OPTIONAL),
                Input("lock", "Lock file.", need=_OPTIONAL),
                Input("advisories", "Advisory bundle; else the packaged snapshot.", need=_OPTIONAL),
            ),
            (_MEASURED,),
        ),
        Step("model-scan", "Scan a model for code and for what cannot be judged.", (_MODEL, _RUN), (_MEASURED,)),
        Step(
            "robustness-test",
            "Attack a model and measure what it withstands.",
            (
                _MODEL,
                Input("data", "Labelled examples: CSV, Parquet, Arrow, npz, npy or a folder."),
                _RUN,
                Input("epsilon", "Largest change, a share of the range.", Kind.NUMBER, _OPTIONAL, 0.1),
                Input("queries", "Model calls an example.", Kind.INTEGER, _OPTIONAL, 1_000),
                Input("samples", "Examples to attack.", Kind.INTEGER, _OPTIONAL, 200),
                Input("at_least", "Accuracy that the policy asks for; 0: not told.", Kind.NUMBER, _OPTIONAL, 0.0),
                _CONFIDENCE,
            ),
            (_MEASURED,),
        ),
        Step(
            "leakage-test",
            "Measure what a model gives away about its training data.",
            (
                _MODEL,
                Input("members", "Labelled rows that were trained on; formats as of data."),
                Input("non_members", "Labelled rows that were not trained on."),
                _RUN,
                Input("fpr", "False-positive rate that the policy asks about.", Kind.NUMBER, _OPTIONAL, 0.01),
                _CONFIDENCE,
            ),
            (_MEASURED,),
        ),
        Step(
            "sign-model",
            "Sign what checks measured. The model is hashed and never opened.",
            (
                _MODEL,
                _RUN,
                Input("dependency_audit", "What the dependency audit measured.", need=_OPTIONAL),
                Input("model_scan", "What the model scan measured.", need=_OPTIONAL),
                Input("robustness", "What the robustness test measured.", need=_OPTIONAL),
                Input("leakage", "What the leakage test measured.", need=_OPTIONAL),
                Input("signatures", "Signed inputs: a bundle, or a directory of them.", need=_OPTIONAL),
                Input("policy", "With --keys: says which role signs a check.", Kind.DOCUMENT, _OPTIONAL),
                Input("keys", "Directory with ROLE.key for every role.", Kind.TEXT, _OPTIONAL, KEYS),
                _KEY,
                _PASSPHRASE,
                _NAME,
            ),
            (Output("evidence", "evidence", "Signed evidence: a directory of bundles."),),
        ),
        Step(
            "gate",
            "Judge the evidence by a policy, sign the verdict, release the model when it passed.",
            (
                _MODEL,
                Input("evidence", "Directory of evidence."),
                _POLICY,
                _TRUST,
                Input("run", "Id of the run; evidence of another run does not count.", Kind.TEXT, _OPTIONAL),
                Input("key", "Private key of the verifier.", Kind.TEXT, _OPTIONAL, f"{KEYS}/verifier.key"),
                _PASSPHRASE,
                _NAME,
            ),
            (
                _VERIFIED,
                Output("verdict", "verdict.sigstore.json", "The signed verdict, whatever it says."),
                Output("report", "report.md", "The report, for people."),
            ),
        ),
        Step(
            "verify-model",
            "Verify a verdict about these bytes and release the model.",
            (
                _MODEL,
                Input("verdict", "The verdict that the gate wrote."),
                _TRUST,
                Input("policy", "Demand that the verdict was judged by this.", Kind.DOCUMENT, _OPTIONAL),
            ),
            (_VERIFIED,),
        ),
    )
}
"""Every step by name."""
