"""What an audit was done on, through the whole way: bound as `policy bind` does it, audited for real, judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.attacks.dependencies import ecosystem, install, record, write_bundle
from tests.builders import NOW, POLICY, SUM, Scene, make_record, trust_bytes
from weighbridge.checks.dependencies.check import run
from weighbridge.checks.dependencies.sources.requirement_tree import bytes_to_bind
from weighbridge.checks.interface import CheckRequest, DependencyAuditOptions
from weighbridge.cli._bindings import Given, bindings_of
from weighbridge.evidence.inputs import sign_input, signature_path, signatures_beside
from weighbridge.evidence.keys import KeyAlgorithm, PrivateKey
from weighbridge.evidence.measurements import InputRole
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.gate.run import RunInputs
from weighbridge.policy import Policy
from weighbridge.policy.edit import bind
from weighbridge.trust import Trust
from weighbridge.trust.edit import add_key, dump, parse_document

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


def audit(
    scene: Scene, text: str, bundle: Path, *, trust: Trust | None = None, signed: tuple[bytes, ...] = (), **inputs: Path
) -> VerdictResult:
    """Audit, let that be the scene's evidence, and judge it by a policy."""
    options = DependencyAuditOptions(advisories=str(bundle), **{name: (str(path),) for name, path in inputs.items()})
    output = run(CheckRequest(model=str(scene.model), options=options))
    made = make_record(CheckName.DEPENDENCY_AUDIT, findings=output.findings, undecided=output.undecided)
    scene.records[CheckName.DEPENDENCY_AUDIT] = msgspec.structs.replace(made, measurements=output.measurements)
    policy = Policy.parse(text.encode(), name="policy.yaml")
    files = [*scene.files(), *(StoredFile(f"{number}.sigstore.json", data) for number, data in enumerate(signed))]
    return judge(scene.digest, policy=policy, trust=trust or scene.trust, files=files, now=NOW).result


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


# --- requirements and what they include -----------------------------------------------------------------------------


def test_an_included_file_does_not_stand_for_the_file_that_includes_it(scene: Scene, tmp_path: Path) -> None:
    bundle = advisories(tmp_path)
    root = write(tmp_path / "requirements.txt", "-r base.txt\ndemo==1.0\n")
    inner = write(tmp_path / "base.txt", "fine==1.0\n")
    text = bound(requirements=(root,), advisories=(bundle,))
    assert audit(scene, text, bundle, requirements=root) == "failed"
    assert audit(scene, text, bundle, requirements=inner) == "undecided"


@pytest.mark.parametrize("option", ["-r", "-c"])
def test_an_included_file_cannot_be_another_of_the_files_that_are_bound(
    scene: Scene, tmp_path: Path, option: str
) -> None:
    bundle = advisories(tmp_path)
    root = write(tmp_path / "requirements.txt", f"{option} extra.txt\nfine==1.0\n")
    inner = write(tmp_path / "extra.txt", "demo==1.0\n")
    text = bound(requirements=(root,), advisories=(bundle,))
    assert audit(scene, text, bundle, requirements=root) == "failed"
    inner.write_bytes(root.read_bytes())
    assert audit(scene, text, bundle, requirements=root) == "undecided"


def test_requirements_that_include_others_pass_when_all_are_as_they_were_bound(scene: Scene, tmp_path: Path) -> None:
    bundle = advisories(tmp_path)
    root = write(tmp_path / "requirements.txt", "-r base.txt\n-c limits.txt\nfine\n")
    write(tmp_path / "base.txt", "fine==1.0\n")
    write(tmp_path / "limits.txt", "fine==1.0\n")
    text = bound(requirements=(root,), advisories=(bundle,))
    assert audit(scene, text, bundle, requirements=root) == "passed"


def test_one_signature_covers_requirements_and_all_that_they_include(scene: Scene, tmp_path: Path) -> None:
    bundle, curator = advisories(tmp_path), PrivateKey.generate(KeyAlgorithm.ED25519)
    root = write(tmp_path / "requirements.txt", "-r base.txt\n")
    inner = write(tmp_path / "base.txt", "fine==1.0\n")
    signed = sign_input(
        bytes_to_bind(root), name=root.name, role=InputRole.REQUIREMENTS, signer=curator, now=NOW, about="digits"
    )
    signature_path(root).write_bytes(signed)
    assert signatures_beside(RunInputs(requirements=(root,)).files) == [signed]
    document = parse_document(trust_bytes(scene.keys), name="trust.yaml")
    document = add_key(document, role="curator", signs=("input:requirements",), key=curator.public, not_after=None)
    trust = Trust.parse(dump(document), name="trust.yaml")
    text = bound(advisories=(bundle,), signed=("requirements=curator",), about="digits")
    assert audit(scene, text, bundle, trust=trust, signed=(signed,), requirements=root) == "passed"
    inner.write_text("fine==2.0\n")
    assert audit(scene, text, bundle, trust=trust, signed=(signed,), requirements=root) == "undecided"


# --- environments ---------------------------------------------------------------------------------------------------


def environment(tmp_path: Path) -> tuple[Path, Path]:
    """An environment with one harmless package, and its site."""
    site = tmp_path / "venv" / "lib" / "python3.12" / "site-packages"
    install(site, "fine", "1.0")
    return tmp_path / "venv", site


def test_an_environment_passes_as_it_was_bound_and_not_with_code_that_was_added(scene: Scene, tmp_path: Path) -> None:
    bundle, (top, site) = advisories(tmp_path), environment(tmp_path)
    text = bound(environments=(top,), advisories=(bundle,))
    assert audit(scene, text, bundle, environments=top) == "passed"
    write(site / "torch" / "__init__.py", "import os; os.system('id')\n")
    assert audit(scene, text, bundle, environments=top) == "undecided"


def test_the_place_from_which_an_environment_is_read_is_bound(scene: Scene, tmp_path: Path) -> None:
    bundle, (top, site) = advisories(tmp_path), environment(tmp_path)
    write(top / "pyvenv.cfg", "include-system-site-packages = true\n")
    text = bound(environments=(top,), advisories=(bundle,))
    assert audit(scene, text, bundle, environments=top) == "undecided"
    assert audit(scene, text, bundle, environments=site) == "undecided"


def test_one_of_two_sites_does_not_stand_for_the_environment(scene: Scene, tmp_path: Path) -> None:
    bundle, (top, site) = advisories(tmp_path), environment(tmp_path)
    install(top / "lib64" / "python3.12" / "site-packages", "demo", "1.0")
    text = bound(environments=(top,), advisories=(bundle,))
    assert audit(scene, text, bundle, environments=top) == "failed"
    assert audit(scene, text, bundle, environments=site) == "undecided"


def test_where_a_package_came_from_is_bound_with_the_environment(scene: Scene, tmp_path: Path) -> None:
    bundle, (top, site) = advisories(tmp_path), environment(tmp_path)
    origin = site / "fine-1.0.dist-info" / "direct_url.json"
    write(origin, json.dumps({"url": "git+https://elsewhere.example/fine", "vcs_info": {}}))
    text = bound(environments=(top,), advisories=(bundle,))
    assert audit(scene, text, bundle, environments=top) == "undecided"
    origin.unlink()
    assert audit(scene, text, bundle, environments=top) == "undecided"
