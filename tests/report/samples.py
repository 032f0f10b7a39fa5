"""Realistic values for every format: four checks with every outcome, and one whose every text is hostile."""

from __future__ import annotations

import base64
from dataclasses import replace
from math import exp
from typing import Literal

import msgspec

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
    Picture,
    RateAtFpr,
    RobustnessEntry,
    RobustnessMeasurements,
    RocPoint,
)
from weighbridge.evidence.record import (
    CheckName,
    CheckRecord,
    Component,
    Confinement,
    Finding,
    Severity,
    Tool,
    Undecided,
)
from weighbridge.model.digest import Digest
from weighbridge.report.interface import (
    EvidenceView,
    RejectedView,
    ReportInput,
    RequirementView,
    Signature,
    VerdictView,
)

DIGEST = Digest("9f2c61d0a7be4f5583c1d2e0b6a49f7718e3c05d4b9a62f1e8d7c6b5a4938271")
POLICY = "sha256:4be1f0c2d3a495867788990011223344556677889900aabbccddeeff01234567"

KEYS = {
    "scanner": "SHA256:KlBuzd+gmeSPio39/0uKsINrAHtRUa7T6MM0oI6+v14",
    "auditor": "SHA256:tVPkO+pmfJxPSfsqcv72FWxgfwsmbSbvbh4KaT8Tzv0",
    "tester": "SHA256:jf1B3Eyw3g8cXH5xUm8c73cPl3c2b39U7liorHfq43A",
    "verifier": "SHA256:8bXq0kTn1c6eJY2mV5o9iW3uGhRzLd7PaQfS4xKtE0M",
}
"""The fingerprint of each role's key."""

DIGITS = {
    3: ("0013c900", "007c3e50", "0000a4c0", "003dd800", "000008c8", "0003207d", "0015b4c4", "0016d820"),
    8: ("0007dc50", "003e5cc0", "001f6d40", "0008fb00", "0018fe40", "004c0b70", "003c17a0", "0009ec20"),
}
"""Two digits of eight by eight pixels, each hexadecimal figure one pixel."""

SCRIPT = "<script>window.pwned=1</script>"
HOSTILE = (
    f"{SCRIPT}<img src=x onerror='window.pwned=1'>\"'`--></title></details>]]>&amp;{{{{7*7}}}}"
    "\x00\x1b[31mred\x1b]0;title\x07\u202egnp.exe\u2066\ufeff\u200b\ud800\r\n| # [x](javascript:alert(1)) @someone ![i](http://x.invalid/a.png)"
)
"""One text with something for every format: tags, quotes, escapes, reordering, half a surrogate, tables and links."""

HUGE = "A" * 4096


def confinement(*, landlock: int = 4) -> Confinement:
    return Confinement(
        landlock_abi=landlock,
        filesystem=landlock > 0,
        network=landlock > 3,
        seccomp=False,
        limits={"cpu_seconds": 900, "memory": 2 * 1024**3},
        summary="Landlock ABI 4: only the model can be read, no TCP; memory and CPU are limited."
        if landlock
        else "This kernel has no Landlock: only memory and CPU were limited.",
    )


def record(
    check: CheckName,
    measurements: Measurements | None,
    *,
    findings: tuple[Finding, ...] = (),
    undecided: tuple[Undecided, ...] = (),
    landlock: int = 4,
) -> CheckRecord:
    return CheckRecord(
        check=check,
        tool=Tool(name="weighbridge", version="0.1.0"),
        confinement=confinement(landlock=landlock),
        nonce="5f0c1b7e9a3d42668f10c4b2a7d95e31",
        started="2026-11-24T09:12:03Z",
        finished="2026-11-24T09:12:41Z",
        parameters={"epsilon": 0.1, "queries": 1000, "samples": 200, "seed": 0, "atLeast": 0.6}
        if check is CheckName.ROBUSTNESS
        else {},
        findings=findings,
        undecided=undecided,
        measurements=measurements,
    )


def pixels(rows: tuple[str, ...]) -> bytes:
    return bytes(int(figure, 16) * 17 for row in rows for figure in row)


def picture(label: int, prediction: int) -> Picture:
    clean = pixels(DIGITS[label])
    # A pattern of plus and minus 26, which is 0.1 of the range, as an L-infinity attack makes it.
    signs = ((place * 7919 + label * 31) % 13 < 6 for place in range(64))
    changed = bytes(min(255, max(0, value + (26 if sign else -26))) for value, sign in zip(clean, signs, strict=True))
    return Picture(
        height=8,
        width=8,
        clean=base64.b64encode(clean).decode(),
        adversarial=base64.b64encode(changed).decode(),
        label=label,
        clean_prediction=label,
        adversarial_prediction=prediction,
    )


def robustness(*, survived: int = 142, held: bool = True) -> RobustnessMeasurements:
    steps = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
    start = 194
    curve = tuple(
        CurvePoint(
            queries=queries,
            accuracy=round(survived + (start - survived) * exp(-queries / 90)) / 200 if queries else start / 200,
        )
        for queries in steps
    )
    entry = RobustnessEntry(
        path="classifier.onnx",
        framework="onnxruntime",
        examples=200,
        correct=start,
        survived=survived,
        queries=1000,
        curve=curve,
        controls=(
            Control(name="larger-epsilon-breaks", held=held, detail="with epsilon 0.5 the attack breaks 199 of 200"),
            Control(
                name="attack-converged",
                held=True,
                detail="the second half of the budget broke 0 of 200, at most 0.015 of them",
            ),
        ),
        pictures=(picture(3, 8), picture(8, 3), picture(3, 3)),
    )
    return RobustnessMeasurements(
        data=Input(name="holdout.npz", sha256="ab" * 32, rows=360),
        norm="linf",
        epsilon=0.1,
        bounds=(0.0, 1.0),
        attack="square",
        queries_per_example=1000,
        seed=0,
        entries=(entry,),
    )


def leakage(*, strength: float = 0.25, rows: int = 0) -> LeakageMeasurements:
    rates = tuple(
        RateAtFpr(
            fpr=fpr,
            confidence=confidence,
            tpr=fpr ** (1 - strength),
            lower=fpr ** (1 - strength) * (1 - width),
            upper=min(1.0, fpr ** (1 - strength) * (1 + 1.4 * width) + 0.004),
        )
        for fpr in (0.01, 0.05, 0.1)
        for confidence, width in ((0.9, 0.3), (0.95, 0.4), (0.99, 0.55))
    )
    roc = tuple(RocPoint(fpr=step / 360, tpr=(step / 360) ** (1 - strength)) for step in range(361))
    entry = LeakageEntry(
        path="classifier.onnx",
        framework="onnxruntime",
        attack="loss threshold",
        auc=0.5 + strength / 2.6,
        rates=rates,
        roc=roc,
        verbatim_training_rows=rows,
        arrays_examined=14,
    )
    return LeakageMeasurements(
        members=Input(name="train.npz", sha256="cd" * 32, rows=1437),
        non_members=Input(name="holdout.npz", sha256="ab" * 32, rows=360),
        entries=(entry,),
    )


def scan(*, state: Literal["clean", "refused", "undecided"] = "clean") -> ModelScanMeasurements:
    return ModelScanMeasurements(
        files=(
            FileCoverage(path="classifier.onnx", format="onnx", size=318_442, sha256="1" * 64, state="clean"),
            FileCoverage(path="classifier.pkl", format="pickle", size=1_204_331, sha256="2" * 64, state=state),
            FileCoverage(
                path="weights.pt",
                format="zip",
                size=88_112_004,
                sha256="4" * 64,
                state="refused" if state == "refused" else "clean",
            ),
            FileCoverage(path="config.json", format="json", size=812, sha256="3" * 64, state="clean"),
        ),
        allow_lists={"sklearn": "12" * 32, "numpy": "34" * 32},
    )


def audit(*, components: int = 38) -> DependencyAuditMeasurements:
    names = ("certifi", "joblib", "jinja2", "numpy", "onnxruntime", "pillow", "scikit-learn", "scipy", "threadpoolctl")
    return DependencyAuditMeasurements(
        database=AdvisoryDatabase(
            sha256="ef" * 32,
            built="2026-11-23T04:00:00Z",
            records=21_733,
            withdrawn=412,
            sources=("OSV PyPI",),
        ),
        sources=(Input(name="requirements.lock", sha256="77" * 32, rows=components, role=InputRole.LOCK),),
        components=tuple(
            AuditedComponent(
                name=f"{names[place % len(names)]}{'-extra' * (place // len(names))}",
                version=f"{1 + place % 4}.{place}.0",
            )
            for place in range(components)
        ),
    )


ADVISORY = Finding(
    rule="known-vulnerability",
    severity=Severity.HIGH,
    message="Pillow before 10.3.0 overflows a buffer in _imagingcms.c when a profile is longer than expected.",
    location="requirements.lock:27",
    remedy="upgrade pillow to 10.3.0 or later",
    advisory="PYSEC-2026-4242",
    aliases=("CVE-2026-28219", "GHSA-44wm-f244-xhp3"),
    component=Component(
        name="pillow", version="9.5.0", path=("requirements.lock", "torchvision 0.15.2", "pillow 9.5.0")
    ),
)
OLD_JINJA = Finding(
    rule="known-vulnerability",
    severity=Severity.MEDIUM,
    message="Jinja2 before 3.1.6 lets a template that an attacker controls leave the sandbox.",
    location="requirements.lock:12",
    remedy="upgrade jinja2 to 3.1.6 or later",
    advisory="PYSEC-2026-1177",
    aliases=("CVE-2026-27516",),
    component=Component(name="jinja2", version="3.1.2"),
)
UNKNOWN = Finding(
    rule="known-vulnerability",
    severity=Severity.UNKNOWN,
    message="The advisory has no severity.",
    location="requirements.lock:31",
    remedy="read the advisory and decide",
    advisory="PYSEC-2026-3001",
)
PAYLOAD = Finding(
    rule="forbidden-global",
    severity=Severity.CRITICAL,
    message="the pickle imports os.system, which is not on the allow list",
    location="classifier.pkl:18",
    remedy="do not load this file; export the model as ONNX or safetensors",
    about="os.system",
)
UNLISTED = tuple(
    Finding(
        rule="forbidden-global",
        severity=Severity.HIGH,
        message=f"the pickle imports shop.layers.{name}, which is not on the allow list",
        location=f"weights.pt!weights/data.pkl:{100 + 40 * place}",
        remedy="if the name is needed and harmless, have it reviewed for the allow list",
        about=f"shop.layers.{name}",
    )
    for place, name in enumerate(("Gate", "Head", "Merge", "Mixer", "Norm", "Patch", "Router", "Stem", "Tail", "Unit"))
)
"""Ten findings of one kind, as a torch file with classes of its own has them."""


def payloads(count: int) -> tuple[Finding, ...]:
    """Return findings that have nothing in common but their rule, so that each is of a kind of its own."""
    return tuple(msgspec.structs.replace(PAYLOAD, remedy=f"take out call {place}") for place in range(count))


def view(item: CheckRecord, *, signer: str | None, signature: Signature = "verified", why: str = "") -> EvidenceView:
    source = f"{item.check}-9f2c61d0a7be-5f0c1b7e.sigstore.json"
    return EvidenceView(
        record=item, signer=signer, signature=signature, source=source, why=why, key=KEYS[signer] if signer else None
    )


def verdict(result: Literal["passed", "failed", "undecided"], requirements: tuple[RequirementView, ...]) -> VerdictView:
    return VerdictView(
        verdict=result,
        policy_name="production",
        policy_digest=POLICY,
        trust_name="ml-platform",
        trust_version=7,
        time_verified="2026-11-24T09:15:00Z",
        valid_until="2026-12-01T09:12:41Z",
        requirements=requirements,
        signed_by="verifier",
        signed_key=KEYS["verifier"],
        policy_file="production.yaml",
    )


def requirement(
    check: CheckName,
    state: Literal["satisfied", "failed", "undecided"],
    reason: str,
    *,
    line: int,
    remedy: str = "",
    waived: tuple[str, ...] = (),
) -> RequirementView:
    return RequirementView(check=check, state=state, reason=reason, line=line, remedy=remedy, waived=waived)


def passed() -> ReportInput:
    """Return a model with four clean checks."""
    return ReportInput(
        model="digits-classifier",
        digest=DIGEST,
        evidence=(
            view(record(CheckName.MODEL_SCAN, scan()), signer="scanner"),
            view(record(CheckName.DEPENDENCY_AUDIT, audit(), findings=(OLD_JINJA,)), signer="auditor"),
            view(record(CheckName.ROBUSTNESS, robustness()), signer="tester"),
            view(record(CheckName.LEAKAGE, leakage(strength=0.12)), signer="tester"),
        ),
        verdict=verdict(
            "passed",
            (
                requirement(CheckName.MODEL_SCAN, "satisfied", "no finding; 3 files are clean", line=7),
                requirement(
                    CheckName.DEPENDENCY_AUDIT,
                    "satisfied",
                    "no finding of severity high or above that is not waived",
                    line=10,
                    waived=("PYSEC-2026-1177 in jinja2",),
                ),
                requirement(
                    CheckName.ROBUSTNESS, "satisfied", "accuracy under attack is at least 0.654, limit 0.60", line=14
                ),
                requirement(
                    CheckName.LEAKAGE,
                    "satisfied",
                    "signed by tester at 2026-11-24T09:12:41Z and within all limits",
                    line=17,
                ),
            ),
        ),
    )


def failed() -> ReportInput:
    """Return a model with a payload, an advisory, little robustness and much leakage."""
    return ReportInput(
        model="digits-classifier",
        digest=DIGEST,
        evidence=(
            view(record(CheckName.MODEL_SCAN, scan(state="refused"), findings=(*UNLISTED, PAYLOAD)), signer="scanner"),
            view(
                record(CheckName.DEPENDENCY_AUDIT, audit(), findings=(OLD_JINJA, ADVISORY, UNKNOWN)), signer="auditor"
            ),
            view(record(CheckName.ROBUSTNESS, robustness(survived=61)), signer="tester"),
            view(record(CheckName.LEAKAGE, leakage(strength=0.55, rows=12)), signer="tester"),
        ),
        verdict=verdict(
            "failed",
            (
                requirement(
                    CheckName.MODEL_SCAN,
                    "failed",
                    "1 finding: forbidden-global in classifier.pkl:18",
                    line=7,
                    remedy="do not load classifier.pkl; export the model as ONNX",
                ),
                requirement(
                    CheckName.DEPENDENCY_AUDIT,
                    "failed",
                    "PYSEC-2026-4242 is of severity high",
                    line=10,
                    remedy="upgrade pillow to 10.3.0 or later, or write a dated waiver",
                    waived=("PYSEC-2026-1177 in jinja2",),
                ),
                requirement(
                    CheckName.ROBUSTNESS,
                    "failed",
                    "accuracy under attack is at most 0.36, limit 0.60",
                    line=14,
                    remedy="train with adversarial examples, or change the limit",
                ),
                requirement(
                    CheckName.LEAKAGE,
                    "failed",
                    "classifier.onnx: an attack recognises 12.60 % of the training rows, up to 19.98 % (upper bound), "
                    "while it takes 1.00 % of other rows for them; the policy allows 5.00 %",
                    line=17,
                    remedy="regularise, train longer on more data, or use differential privacy",
                ),
            ),
        ),
        rejected=(
            RejectedView(
                source="leakage-000000000000-11111111.sigstore.json",
                reason="it is about dirHash:0000, not about this model",
                remedy="run the check on this model; evidence cannot be moved",
            ),
        ),
    )


def undecided() -> ReportInput:
    """Return a model whose worker died, whose attack was too weak, and whose evidence is partly unsigned."""
    died = Undecided(location="worker", reason="the worker was killed after 900 seconds")
    return ReportInput(
        model="digits-classifier",
        digest=DIGEST,
        evidence=(
            view(
                record(
                    CheckName.MODEL_SCAN,
                    scan(state="undecided"),
                    undecided=(
                        Undecided(
                            location="classifier.h5",
                            reason="recognised as an HDF5 file, and the scan has no parser for it",
                            code="no-parser-hdf5",
                            remedy="export what is served: model.export('m.onnx', format='onnx')",
                        ),
                    ),
                    landlock=0,
                ),
                signer="scanner",
            ),
            view(
                record(CheckName.ROBUSTNESS, robustness(held=False)),
                signer=None,
                signature="unverified",
                why="no trust document was given",
            ),
            view(
                record(CheckName.LEAKAGE, None, undecided=(died,)),
                signer=None,
                signature="invalid",
                why="the signature does not verify under any trusted key",
            ),
        ),
        verdict=verdict(
            "undecided",
            (
                requirement(CheckName.MODEL_SCAN, "undecided", "classifier.pkl could not be judged", line=7),
                requirement(
                    CheckName.DEPENDENCY_AUDIT,
                    "undecided",
                    "there is no evidence",
                    line=10,
                    remedy="run weighbridge audit and sign its evidence as auditor",
                ),
                requirement(
                    CheckName.ROBUSTNESS,
                    "undecided",
                    "classifier.onnx: standing this attack says nothing: even a much larger change does not fool the "
                    "model, so the attack does not work on it [larger-epsilon-breaks]",
                    line=14,
                    remedy="run it again",
                ),
                requirement(CheckName.LEAKAGE, "undecided", "the signature does not verify", line=17),
            ),
        ),
    )


def hostile(text: str = HOSTILE) -> ReportInput:
    """Return a report in which every text that evidence, a policy or a file name can carry attacks its reader."""
    finding = Finding(
        rule=text[:500],
        severity=Severity.UNKNOWN,
        message=text + HUGE[:3000],
        location=f"../../{text}:99",
        remedy=text,
        advisory=text,
        aliases=(text,),
        about=text,
        component=Component(name=text[:500], version=text, path=(text, HUGE)),
    )
    lost = Undecided(location=text, reason=text, code=text, remedy=text)
    files = ModelScanMeasurements(
        files=(FileCoverage(path=text, format=text, size=2**53, sha256=None, state="refused"),),
        allow_lists={text: "12" * 32},
    )
    packages = DependencyAuditMeasurements(
        database=AdvisoryDatabase(sha256="ef" * 32, built=text[:40], records=0, withdrawn=0, sources=(text,)),
        sources=(Input(name=text, sha256="77" * 32, rows=0),),
        components=(AuditedComponent(name=text, version=HUGE),),
    )
    attacked = RobustnessMeasurements(
        data=Input(name=text, sha256="ab" * 32, rows=0),
        norm="linf",
        epsilon=1.0,
        bounds=(-1e300, 1e300),
        attack=text,
        queries_per_example=0,
        seed=0,
        entries=(
            RobustnessEntry(
                path=text,
                framework=text,
                examples=0,
                correct=2**53,
                survived=2**53,
                queries=2**53,
                curve=(CurvePoint(queries=2**53, accuracy=0.0), CurvePoint(queries=0, accuracy=1.0)),
                controls=(Control(name=text, held=False, detail=text),),
                pictures=(
                    Picture(
                        height=64,
                        width=64,
                        clean="not base64 " + SCRIPT,
                        adversarial="AAAA",
                        label=2**62,
                        clean_prediction=-(2**62),
                        adversarial_prediction=0,
                    ),
                ),
            ),
        ),
    )
    told = LeakageMeasurements(
        members=Input(name=text, sha256="cd" * 32, rows=0),
        non_members=Input(name=text, sha256="cd" * 32, rows=0),
        entries=(
            LeakageEntry(
                path=text,
                framework=text,
                attack=text,
                auc=0.0,
                rates=(RateAtFpr(fpr=0.0, confidence=0.0, tpr=0.0, lower=1.0, upper=0.0),),
                roc=(RocPoint(fpr=1.0, tpr=0.0), RocPoint(fpr=0.0, tpr=1.0)),
                verbatim_training_rows=2**53,
                arrays_examined=0,
            ),
        ),
    )
    many: tuple[tuple[CheckName, Measurements], ...] = (
        (CheckName.MODEL_SCAN, files),
        (CheckName.DEPENDENCY_AUDIT, packages),
        (CheckName.ROBUSTNESS, attacked),
        (CheckName.LEAKAGE, told),
    )
    base = record(CheckName.MODEL_SCAN, None)
    records = tuple(
        CheckRecord(
            check=check,
            tool=Tool(name=text[:500], version=text[:500]),
            confinement=Confinement(
                landlock_abi=0, filesystem=False, network=False, seccomp=False, limits={}, summary=text
            ),
            nonce=text[:500],
            started="yesterday",
            finished=text[:40],
            parameters={text[:500]: text},
            findings=(finding,) * 3,
            undecided=(lost,),
            measurements=measurements,
        )
        for check, measurements in many
    )
    return ReportInput(
        model=text,
        digest=DIGEST,
        evidence=tuple(
            EvidenceView(record=item, signer=text, signature="invalid", source=text, why=text, key=text)
            for item in (*records, base)
        ),
        verdict=VerdictView(
            verdict="failed",
            policy_name=text,
            policy_digest=text,
            trust_name=text,
            trust_version=1,
            time_verified=text,
            valid_until=text,
            requirements=(
                RequirementView(
                    check=CheckName.LEAKAGE,
                    state="failed",
                    reason=text,
                    remedy=text,
                    waived=(text,),
                    line=None,
                ),
            ),
            signed_by=text,
            signed_key=text,
            policy_file=text,
            problems=(text,),
        ),
        rejected=(RejectedView(source=text, reason=text, remedy=text),),
        aside=(EvidenceView(record=base, signer=text, signature="verified", source=text, why=text, key=text),),
    )


def revoked() -> ReportInput:
    """Return a model that met every requirement and was revoked afterwards."""
    whole = passed()
    assert whole.verdict is not None
    said = (
        "the model dirHash:9f2c61d0a7be was revoked at 2026-11-23T08:00:00Z: a back door was found in its training "
        "data; next step: use the model that replaces it",
    )
    return replace(whole, verdict=replace(whole.verdict, verdict="failed", problems=said))


def run_twice() -> ReportInput:
    """Return a model that was examined twice, and once by somebody whom nobody asked."""
    whole = passed()
    older = tuple(
        replace(item, source=item.source.replace("5f0c", "0ld0"), why="older, not asked") for item in whole.evidence
    )
    other = replace(older[0], signer="tester", why="not asked: it is signed by tester, and the policy wants scanner")
    return replace(whole, aside=(*older, other))


def evidence_only() -> ReportInput:
    """Return one record without any verdict."""
    whole = passed()
    return ReportInput(model=whole.model, digest=whole.digest, evidence=whole.evidence[2:3])


SAMPLES = {
    "passed": passed,
    "failed": failed,
    "undecided": undecided,
    "hostile": hostile,
    "evidence-only": evidence_only,
    "revoked": revoked,
    "run-twice": run_twice,
}
"""Every sample by name."""
