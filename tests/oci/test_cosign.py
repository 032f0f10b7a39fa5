"""The real cosign verifies our evidence from a registry and from a file, by key; only the registry is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders import Scene
from tests.gate.test_attacks import decide
from tests.interop.conftest import Cosign, cosign  # noqa: F401
from weighbridge.evidence.bundle import write_bundle
from weighbridge.evidence.predicates import TEST_RESULT, statement_of
from weighbridge.evidence.record import CheckName
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.summary import VSA
from weighbridge.gate.verdict import write_verdict
from weighbridge.oci.image import read_image
from weighbridge.oci.push import push_model
from weighbridge.oci.reference import Reference
from weighbridge.oci.registry import Registry, Transport

pytestmark = [pytest.mark.registry, pytest.mark.cosign]
SCAN = CheckName.MODEL_SCAN


def evidence(scene: Scene) -> list[StoredFile]:
    image = read_image(scene.model)
    manifest = image.manifest_digest
    scan = statement_of(scene.records[SCAN], model=image.digest, name="model", manifest=manifest)
    verdict = write_verdict(decide(scene), name="model", version="0", signer=scene.keys["verifier"], manifest=manifest)
    return [
        StoredFile("scan.sigstore.json", write_bundle(scan.encode(), signer=scene.keys["scanner"])),
        StoredFile("verdict.sigstore.json", verdict),
    ]


def accepts(program: Cosign, key: Path, predicate: str, reference: str) -> int:
    flags = ("--insecure-ignore-tlog", "--allow-http-registry", "--type", predicate)
    return program.run("verify-attestation", "--key", str(key), *flags, reference).returncode


@pytest.mark.parametrize(("role", "predicate"), [("scanner", TEST_RESULT), ("verifier", VSA)])
def test_cosign_accepts_our_evidence_from_the_registry(
    scene: Scene,
    repository: str,
    cosign: Cosign,  # noqa: F811
    tmp_path: Path,
    role: str,
    predicate: str,
) -> None:
    registry = Registry(Reference.parse(repository), transport=Transport.PLAIN)
    pushed = push_model(scene.model, registry, bundles=evidence(scene))
    named = registry.reference.at(pushed.manifest)
    good, other = tmp_path / "good.pub", tmp_path / "other.pub"
    good.write_text(scene.keys[role].public.pem)
    other.write_text(scene.keys["auditor"].public.pem)
    assert accepts(cosign, good, predicate, named) == 0
    assert accepts(cosign, other, predicate, named) != 0
    assert accepts(cosign, good, "https://example.org/other", named) != 0


def test_cosign_refuses_the_evidence_of_another_image(
    scene: Scene,
    repository: str,
    cosign: Cosign,  # noqa: F811
    tmp_path: Path,
) -> None:
    registry = Registry(Reference.parse(repository), transport=Transport.PLAIN)
    files = evidence(scene)
    (scene.model / "added").write_bytes(b"x")
    pushed = push_model(scene.model, registry, bundles=[])
    from weighbridge.oci.referrers import attach

    attach(registry, files[1].data, subject=read_image(scene.model).manifest, what="it")
    key = tmp_path / "good.pub"
    key.write_text(scene.keys["verifier"].public.pem)
    assert accepts(cosign, key, VSA, registry.reference.at(pushed.manifest)) != 0


def test_cosign_accepts_our_verdict_from_a_file_by_either_subject(
    scene: Scene,
    cosign: Cosign,  # noqa: F811
    tmp_path: Path,
) -> None:
    key, bundle = tmp_path / "good.pub", tmp_path / "verdict.sigstore.json"
    key.write_text(scene.keys["verifier"].public.pem)
    bundle.write_bytes(evidence(scene)[1].data)
    assert cosign.verify(bundle, key=key, model=scene.digest, predicate=VSA).returncode == 0
    manifest = read_image(scene.model).manifest_digest
    flags = (
        "--insecure-ignore-tlog",
        "--key",
        str(key),
        "--bundle",
        str(bundle),
        "--type",
        VSA,
        "--digestAlg",
        "sha256",
    )
    assert cosign.run("verify-blob-attestation", *flags, "--digest", manifest.hex).returncode == 0
    assert cosign.run("verify-blob-attestation", *flags, "--digest", "0" * 64).returncode != 0
