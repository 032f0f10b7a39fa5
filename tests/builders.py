"""Real keys, trust, policies, models and evidence for tests, made by code with sensible defaults."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec

from weighbridge.checks.interface import CheckRequest, ModelFile, Options
from weighbridge.clock import format_instant
from weighbridge.evidence.bundle import write_bundle
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import (
    AdvisoryDatabase,
    AuditedComponent,
    Control,
    CurvePoint,
    DependencyAuditMeasurements,
    FileCoverage,
    Input,
    InputRole,
    LeakageEntry,
    LeakageMeasurements,
    Measurements,
    ModelScanMeasurements,
    RateAtFpr,
    RobustnessEntry,
    RobustnessMeasurements,
    RocPoint,
    inputs_of,
)
from weighbridge.evidence.predicates import statement_of
from weighbridge.evidence.record import (
    CheckName,
    CheckRecord,
    Confinement,
    ExaminedFile,
    Finding,
    Seed,
    Tool,
    Undecided,
    View,
    ViewKind,
)
from weighbridge.evidence.seeds import seed_from_digests
from weighbridge.evidence.store import StoredFile
from weighbridge.model.digest import Digest, combine, hash_model
from weighbridge.policy import Policy
from weighbridge.trust import Trust
from weighbridge.trust.edit import dump, new_document

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
ROLES = ("auditor", "scanner", "tester", "verifier")
SIGNER = {
    CheckName.DEPENDENCY_AUDIT: "auditor",
    CheckName.MODEL_SCAN: "scanner",
    CheckName.ROBUSTNESS: "tester",
    CheckName.LEAKAGE: "tester",
}
SUM = "0" * 64
PASSPHRASE = b"correct horse battery"

MODEL = {"a.bin": b"weights", "config.json": b"{}"}

POLICY = """\
apiVersion: weighbridge.dev/v1alpha1
kind: ModelPolicy
metadata: {name: production}
spec:
  requirements:
    - check: model-scan
      signers: [scanner]
      maxAge: 30d
    - check: dependency-audit
      signers: [auditor]
      maxAge: 7d
      limits: {severity: high, unknownSeverity: fail, malware: fail, databaseMaxAge: 7d}
    - check: robustness
      signers: [tester]
      maxAge: 30d
      limits: {norm: linf, epsilon: 0.1, accuracyUnderAttack: {atLeast: 0.60, confidence: 0.95}}
    - check: leakage
      signers: [tester]
      maxAge: 30d
      limits: {membership: {tprAtFpr: 0.01, atMost: 0.05, confidence: 0.95}, verbatimTrainingRows: 0}
  separation: [[scanner, tester, auditor], [verifier]]
  inputs: {test: {sha256: [SUM]}, members: {sha256: [SUM]}, nonMembers: {sha256: [SUM]}, lock: {sha256: [SUM]}, advisories: {sha256: [SUM]}}
""".replace("SUM", f'"{"0" * 64}"')  # noqa: E501 - one line, so that the lines above keep their numbers

CONFINEMENT = Confinement(
    landlock_abi=7, filesystem=True, network=True, seccomp=True, limits={"memory": 1}, summary="confined"
)


VIEW = View(kind=ViewKind.SEALED, summary="the model was copied into sealed memory, which nobody can change")
FILES = tuple(
    ExaminedFile(path=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    for name, content in sorted(MODEL.items())
)
"""The files of ``make_model`` as a check reads them."""


def request_for(model: Path, options: Options) -> CheckRequest:
    """Ask for a check of a model where it lies, for tests that run it in this process or under a worker's rules.

    Everything is listed that is no directory: how a check meets a link or a device is tested too.
    """
    return CheckRequest(model=str(model), options=options, files=tuple(_in_place(model)))


def _in_place(model: Path) -> Iterator[ModelFile]:
    found = [model] if model.is_symlink() or not model.is_dir() else sorted(model.rglob("*"))
    for path in found:
        if path.is_dir() and not path.is_symlink():
            continue
        name = model.name if path == model else path.relative_to(model).as_posix()
        size = path.lstat().st_size if path.is_symlink() or path.exists() else 0
        yield ModelFile(name=name, size=size, path=str(path))


def make_keys(algorithm: KeyAlgorithm = KeyAlgorithm.ED25519) -> dict[str, PrivateKey]:
    return {role: PrivateKey.generate(algorithm) for role in ROLES}


@cache
def sealed_keys() -> Mapping[str, tuple[PrivateKey, bytes]]:
    """Return a key for each role and its file, made once: sealing a key is slow on purpose."""
    return {role: (key, key.encrypted(PASSPHRASE)) for role, key in make_keys().items()}


def trust_bytes(keys: dict[str, PrivateKey], *, expires: datetime = NOW + timedelta(days=90)) -> bytes:
    return dump(new_document("production", roles={role: key.public for role, key in keys.items()}, expires=expires))


def make_model(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in MODEL.items():
        (directory / name).write_bytes(content)
    return directory


MODEL_DIGEST = combine(sorted((name, hashlib.sha256(content).hexdigest()) for name, content in MODEL.items()))
EXAMINED = tuple(
    ExaminedFile(path=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
    for name, content in sorted(MODEL.items())
)
SEALED = View(kind=ViewKind.SEALED, summary="the model was read into memory that nobody can write")


AMOUNTS = {CheckName.ROBUSTNESS: (("epsilon", 0.1), ("queries", 1000), ("samples", 200))}
"""What ``POLICY`` asks a statistic to measure; its seed depends on it."""


def seed_of(check: CheckName, source: Input, *, model: Digest = MODEL_DIGEST) -> Seed:
    """Return the seed that follows from a model and one data set in every role that the check has."""
    roles = (InputRole.TEST,) if check is CheckName.ROBUSTNESS else (InputRole.MEMBERS, InputRole.NON_MEMBERS)
    inputs = [msgspec.structs.replace(source, role=role) for role in roles]
    return seed_from_digests(check, model=model, inputs=inputs, amounts=AMOUNTS.get(check, ()))


def measurements_of(check: CheckName) -> Measurements:
    """Return measurements that are well within ``POLICY``."""
    source = Input(name="data.npz", sha256=SUM, rows=500, size=4096, kind="npz", distinct=500, bounds=(0.0, 1.0))
    if check is CheckName.MODEL_SCAN:
        files = tuple(
            FileCoverage(
                path=name,
                format="safetensors" if name == "a.bin" else "json",
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                state="clean",
            )
            for name, content in MODEL.items()
        )
        return ModelScanMeasurements(files=files, allow_lists={"python": SUM})
    if check is CheckName.DEPENDENCY_AUDIT:
        built = format_instant(NOW - timedelta(days=1))
        return DependencyAuditMeasurements(
            database=AdvisoryDatabase(sha256=SUM, built=built, records=7080, withdrawn=269, sources=("PYSEC",)),
            sources=(Input(name="uv.lock", sha256=SUM, rows=1, size=100, role=InputRole.LOCK),),
            components=(AuditedComponent(name="numpy", version="2.4.0"),),
        )
    if check is CheckName.ROBUSTNESS:
        entry = RobustnessEntry(
            path="model.onnx",
            framework="onnx",
            examples=200,
            correct=190,
            survived=160,
            queries=100_000,
            curve=(CurvePoint(queries=0, accuracy=0.95), CurvePoint(queries=1000, accuracy=0.8)),
            controls=(Control(name="converged", held=True, detail="yes"),),
            pictures=(),
        )
        return RobustnessMeasurements(
            data=source,
            norm="linf",
            epsilon=0.1,
            bounds=(0.0, 1.0),
            attack="square",
            queries_per_example=1000,
            seed=seed_of(CheckName.ROBUSTNESS, source).value,
            entries=(entry,),
        )
    rate = RateAtFpr(fpr=0.01, confidence=0.95, tpr=0.012, lower=0.0, upper=0.04)
    leak = LeakageEntry(
        path="model.onnx",
        framework="onnx",
        attack="loss",
        auc=0.52,
        rates=(rate,),
        roc=(RocPoint(fpr=0.01, tpr=0.012),),
        verbatim_training_rows=0,
        arrays_examined=4,
    )
    return LeakageMeasurements(members=source, non_members=source, entries=(leak,))


def make_record(
    check: CheckName,
    *,
    finished: datetime = NOW - timedelta(hours=1),
    findings: tuple[Finding, ...] = (),
    undecided: tuple[Undecided, ...] = (),
    measurements: Measurements | None = None,
    nonce: str = "00112233445566778899aabbccddeeff",
) -> CheckRecord:
    measured = measurements or measurements_of(check)
    statistic = check in (CheckName.ROBUSTNESS, CheckName.LEAKAGE)
    return CheckRecord(
        check=check,
        tool=Tool(name="weighbridge", version="0.1.0"),
        confinement=CONFINEMENT,
        nonce=nonce,
        started=format_instant(finished - timedelta(minutes=1)),
        finished=format_instant(finished),
        parameters=dict(AMOUNTS.get(check, ())),
        findings=findings,
        undecided=undecided,
        measurements=measured,
        view=SEALED,
        files=EXAMINED,
        seed=seed_from_digests(check, model=MODEL_DIGEST, inputs=inputs_of(measured), amounts=AMOUNTS.get(check, ()))
        if statistic
        else None,
        tries="unknown" if statistic else None,
    )


@dataclass
class Scene:
    """A model with keys, trust, policy and one good piece of evidence for each check; tests change one thing."""

    model: Path
    keys: dict[str, PrivateKey] = field(default_factory=make_keys)
    policy_text: str = POLICY
    records: dict[CheckName, CheckRecord] = field(default_factory=lambda: {c: make_record(c) for c in CheckName})

    @property
    def digest(self) -> Digest:
        return hash_model(self.model)

    @property
    def trust(self) -> Trust:
        return Trust.parse(trust_bytes(self.keys), name="trust.yaml")

    @property
    def policy(self) -> Policy:
        return Policy.parse(self.policy_text.encode(), name="policy.yaml")

    def sign(self, record: CheckRecord, *, role: str | None = None, digest: Digest | None = None) -> bytes:
        statement = statement_of(record, model=digest or self.digest, name=self.model.name)
        return write_bundle(statement.encode(), signer=self.keys[role or SIGNER[record.check]])

    def files(self) -> list[StoredFile]:
        return [StoredFile(f"{check.value}.sigstore.json", self.sign(record)) for check, record in self.records.items()]


def replace_measurement(record: CheckRecord, **changes: object) -> CheckRecord:
    """Change fields of a record's measurements."""
    assert record.measurements is not None
    return msgspec.structs.replace(record, measurements=msgspec.structs.replace(record.measurements, **changes))
