"""What an audit was done on, through the whole way: bound as `policy bind` does it, audited for real, judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tests.attacks.dependencies import ecosystem, record, write_bundle
from tests.builders import NOW, POLICY, SUM, Scene, make_record
from weighbridge.checks.dependencies.check import run
from weighbridge.checks.interface import CheckRequest, DependencyAuditOptions
from weighbridge.cli._bindings import Given, bindings_of
from weighbridge.evidence.record import CheckName
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.policy import Policy
from weighbridge.policy.edit import bind

SEVERE = {"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
BAD = record("demo", ecosystem({"introduced": "0"}), id="PYSEC-1", severity=[SEVERE])


def advisories(folder: Path, **how: str) -> Path:
    """A bundle of today in which every version of `demo` is vulnerable."""
    return write_bundle(folder, BAD, **{"built": f"{NOW.date()}", **how})


def bound(**given: Any) -> str:
    """The policy with inputs bound as `weighbridge policy bind` does; data are those of the scene."""
    data = "".join(f'    {role}: {{sha256: ["{SUM}"]}}\n' for role in ("test", "members", "nonMembers"))
    text = POLICY.partition("  inputs: {")[0] + "  inputs:\n" + data
    found = bindings_of(Given(**given), fallback=None, accepted=None)
    return bind(text.encode(), bindings=found, name="policy.yaml").decode()


def audit(scene: Scene, text: str, bundle: Path, **inputs: Path) -> VerdictResult:
    """Audit, let that be the scene's evidence, and judge it by a policy."""
    options = DependencyAuditOptions(advisories=str(bundle), **{name: (str(path),) for name, path in inputs.items()})
    output = run(CheckRequest(model=str(scene.model), options=options))
    made = make_record(CheckName.DEPENDENCY_AUDIT, findings=output.findings, undecided=output.undecided)
    scene.records[CheckName.DEPENDENCY_AUDIT] = msgspec.structs.replace(made, measurements=output.measurements)
    policy = Policy.parse(text.encode(), name="policy.yaml")
    return judge(scene.digest, policy=policy, trust=scene.trust, files=scene.files(), now=NOW).result


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# --- advisories -----------------------------------------------------------------------------------------------------


def test_an_old_bundle_does_not_become_new_by_its_name(scene: Scene, tmp_path: Path) -> None:
    lock = write(tmp_path / "requirements.txt", "fine==1.0\n")
    fresh, old = advisories(tmp_path), advisories(tmp_path, built="2026-01-01", name="pysec-2026-01-01.jsonl.gz")
    assert audit(scene, bound(requirements=(lock,), advisories=(fresh,)), fresh, requirements=lock) == "passed"
    text = bound(requirements=(lock,), advisories=(old,))
    assert audit(scene, text, old, requirements=lock) == "undecided"
    renamed = old.rename(tmp_path / f"pysec-{NOW.date()}.jsonl.gz")
    assert audit(scene, text, renamed, requirements=lock) == "undecided"
