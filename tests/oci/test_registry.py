"""Push and pull with a real registry, and what a hostile one can do: nothing but fail."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tools import go_tools

from tests.builders import Scene
from tests.gate.test_attacks import decide
from tests.oci.conftest import Server, serve
from weighbridge.cli import execute
from weighbridge.errors import ParseError, RegistryError, VerificationError
from weighbridge.evidence.bundle import MEDIA_TYPE
from weighbridge.evidence.statement import Statement
from weighbridge.evidence.store import StoredFile
from weighbridge.gate.verdict import write_verdict
from weighbridge.model.digest import Digest, ManifestDigest, hash_model
from weighbridge.oci.image import LAYER_TYPE, MANIFEST_TYPE, descriptor, read_image
from weighbridge.oci.pull import pull_evidence, pull_model
from weighbridge.oci.push import Pushed, push_model
from weighbridge.oci.reference import Reference
from weighbridge.oci.referrers import attach, bundles, list_tag
from weighbridge.oci.registry import INDEX_TYPE, Body, Registry, Transport

pytestmark = pytest.mark.registry

HTPASSWD = "user:$2a$04$.Rec4TOB7I6iOu9vkw.FT.VnjIQKRvANwClqxdGbBv5B8qGqp67nu\n"
"""The password is ``secret``, by bcrypt at its cheapest."""


@pytest.fixture
def registry(repository: str) -> Registry:
    return reached(repository)


def reached(reference: str) -> Registry:
    return Registry(Reference.parse(reference), transport=Transport.PLAIN)


def verdict(scene: Scene) -> StoredFile:
    manifest = read_image(scene.model).manifest_digest
    data = write_verdict(decide(scene), name="model", version="0", signer=scene.keys["verifier"], manifest=manifest)
    return StoredFile("model.verdict.sigstore.json", data)


def push(scene: Scene, registry: Registry) -> Pushed:
    return push_model(scene.model, registry, bundles=[*scene.files(), verdict(scene)])


def test_what_was_pushed_comes_back(scene: Scene, registry: Registry, tmp_path: Path) -> None:
    pushed = push(scene, registry)
    assert pushed.manifest == read_image(scene.model).manifest_digest
    assert pull_model(registry, pushed.manifest, target=tmp_path / "back") == scene.digest == pushed.digest
    assert hash_model(tmp_path / "back") == scene.digest
    got = pull_evidence(registry, pushed.manifest, model=scene.digest, into=tmp_path / "evidence")
    expected = {file.data for file in (*scene.files(), verdict(scene))}
    assert len(got.files) == len(pushed.referrers) == 5
    assert got.problems == ()
    # Signing is deterministic only for some algorithms; what was sent is what came back is known by the artifacts.
    assert all(path.read_bytes() in expected for path in got.files)


def test_a_second_push_changes_nothing(scene: Scene, registry: Registry) -> None:
    files = [*scene.files(), verdict(scene)]
    first = push_model(scene.model, registry, bundles=files)
    before = registry.get_tagged(list_tag(first.manifest), media_type=INDEX_TYPE)
    assert push_model(scene.model, registry, bundles=files) == first
    assert registry.get_tagged(list_tag(first.manifest), media_type=INDEX_TYPE) == before


def test_entries_of_others_stay_in_the_list_of_referrers(scene: Scene, registry: Registry) -> None:
    manifest = read_image(scene.model).manifest_digest
    other = {**descriptor(MANIFEST_TYPE, "e" * 64, 7), "artifactType": "application/spdx+json", "data": "e30="}
    registry.put_blob(hashlib.sha256(b"{}").hexdigest(), Body.of(b"{}"))
    foreign = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": "application/spdx+json",
            "config": descriptor("application/vnd.oci.empty.v1+json", hashlib.sha256(b"{}").hexdigest(), 2),
            "layers": [],
        }
    ).encode()
    registry.put_manifest(foreign)
    other = {**other, "digest": f"sha256:{hashlib.sha256(foreign).hexdigest()}", "size": len(foreign)}
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [other], "annotations": {"who": "else"}}
    registry.put_manifest(json.dumps(index).encode(), media_type=INDEX_TYPE, name=list_tag(manifest))
    push(scene, registry)
    data = registry.get_tagged(list_tag(manifest), media_type=INDEX_TYPE)
    assert data is not None
    found = json.loads(data)
    assert found["manifests"][0] == other
    assert found["annotations"] == {"who": "else"}
    assert len(found["manifests"]) == 6
    assert {entry["artifactType"] for entry in found["manifests"][1:]} == {MEDIA_TYPE}


def test_refuses_a_list_of_referrers_that_is_none_and_leaves_it(
    scene: Scene, registry: Registry, server: Server, tmp_path: Path
) -> None:
    manifest = push_model(scene.model, registry, bundles=scene.files()[:1]).manifest
    tag = server.storage / "docker/registry/v2/repositories" / registry.reference.name
    link = (tag / "_manifests/tags" / list_tag(manifest) / "current/link").read_text()
    listed = server.blob(link.removeprefix("sha256:"))
    listed.write_bytes(b'{"schemaVersion":2,"mediaType":"%s","manifests":7}' % INDEX_TYPE.encode())
    before = listed.read_bytes()
    with pytest.raises(RegistryError):
        attach(registry, scene.files()[1].data, subject=read_image(scene.model).manifest, what="it")
    with pytest.raises(RegistryError):
        pull_evidence(registry, manifest, model=scene.digest, into=tmp_path / "evidence")
    assert listed.read_bytes() == before


def test_refuses_a_layer_that_was_changed_in_the_registry(
    scene: Scene, registry: Registry, server: Server, tmp_path: Path
) -> None:
    manifest = push(scene, registry).manifest
    blob = server.blob(read_image(scene.model).layers[0].sha256)
    original = blob.read_bytes()
    try:
        blob.write_bytes(original[:520] + bytes([original[520] ^ 1]) + original[521:])
        with pytest.raises((RegistryError, ParseError)):
            pull_model(registry, manifest, target=tmp_path / "back")
        blob.write_bytes(original[:-1024])
        with pytest.raises((RegistryError, ParseError)):
            pull_model(registry, manifest, target=tmp_path / "back")
    finally:
        blob.write_bytes(original)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_refuses_a_manifest_that_was_changed_in_the_registry(
    scene: Scene, registry: Registry, server: Server, tmp_path: Path
) -> None:
    (scene.model / "only-here").write_bytes(b"so that no other test has this manifest")
    manifest = push_model(scene.model, registry, bundles=[]).manifest
    stored = server.blob(manifest.hex)
    stored.write_bytes(stored.read_bytes().replace(b'"schemaVersion":2', b'"schemaVersion":3'))
    with pytest.raises(RegistryError):
        pull_model(registry, manifest, target=tmp_path / "back")
    assert not (tmp_path / "back").exists()


def hostile_image(registry: Registry, layer: bytes, **changes: object) -> ManifestDigest:
    """Push an image whose digests are all right and whose layer is not."""
    config = b"{}"
    for data in (config, layer):
        registry.put_blob(hashlib.sha256(data).hexdigest(), Body.of(data))
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": descriptor("application/vnd.oci.image.config.v1+json", hashlib.sha256(config).hexdigest(), 2),
        "layers": [{**descriptor(LAYER_TYPE, hashlib.sha256(layer).hexdigest(), len(layer)), **changes}],
    }
    manifest = json.dumps(document).encode()
    registry.put_manifest(manifest)
    return ManifestDigest(hashlib.sha256(manifest).hexdigest())


def test_refuses_a_hostile_layer(registry: Registry, tmp_path: Path) -> None:
    from tests.oci.test_untar import HOSTILE

    for case in ("symlink", "parent", "absolute name"):
        manifest = hostile_image(registry, HOSTILE[case]())
        with pytest.raises(ParseError):
            pull_model(registry, manifest, target=tmp_path / "back")
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_good_layer_in_a_manifest_that_is_not_ours(registry: Registry, tmp_path: Path) -> None:
    from tests.oci.test_untar import ours
    from weighbridge.oci import tar

    manifest = hostile_image(registry, ours("f") + tar.END)
    with pytest.raises(VerificationError, match="unpacks to files whose image is"):
        pull_model(registry, manifest, target=tmp_path / "back")
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_compressed_layer(registry: Registry, tmp_path: Path) -> None:
    manifest = hostile_image(registry, b"x", mediaType=LAYER_TYPE + "+gzip")
    with pytest.raises(ParseError, match="no uncompressed tar"):
        pull_model(registry, manifest, target=tmp_path / "back")


def test_foreign_bundles_among_the_referrers_are_left_there(scene: Scene, registry: Registry, tmp_path: Path) -> None:
    image = read_image(scene.model)
    manifest = push_model(scene.model, registry, bundles=scene.files()[:1]).manifest
    attach(
        registry,
        scene.sign(next(iter(scene.records.values())), digest=Digest("0" * 64)),
        subject=image.manifest,
        what="it",
    )
    got = pull_evidence(registry, manifest, model=scene.digest, into=tmp_path / "evidence")
    assert len(got.files) == 1
    assert "is about dirHash:000" in got.problems[0]


def test_a_changed_bundle_is_left_in_the_registry(
    scene: Scene, registry: Registry, server: Server, tmp_path: Path
) -> None:
    files = scene.files()[:2]
    manifest = push_model(scene.model, registry, bundles=files).manifest
    stored = server.blob(hashlib.sha256(files[0].data).hexdigest())
    stored.write_bytes(stored.read_bytes().replace(b"a", b"b"))
    got = pull_evidence(registry, manifest, model=scene.digest, into=tmp_path / "evidence")
    assert [path.read_bytes() for path in got.files] == [files[1].data]
    assert len(got.problems) == 1


def test_refuses_to_push_evidence_of_another_model(scene: Scene, registry: Registry) -> None:
    files = scene.files()
    (scene.model / "added").write_bytes(b"later")
    with pytest.raises(VerificationError, match="is about dirHash"):
        push_model(scene.model, registry, bundles=files)
    assert registry.get_tagged(str(read_image(scene.model).manifest_digest)) is None


def test_refuses_to_push_evidence_that_names_another_image(scene: Scene, registry: Registry) -> None:
    from weighbridge.evidence.bundle import write_bundle

    statement = Statement.about(
        scene.digest, name="m", predicate_type="https://e.org/p", predicate={}, manifest=ManifestDigest("0" * 64)
    )
    data = write_bundle(statement.encode(), signer=scene.keys["verifier"])
    with pytest.raises(VerificationError, match="names the image"):
        push_model(scene.model, registry, bundles=[StoredFile("x.sigstore.json", data)])


def test_a_push_that_breaks_off_leaves_no_image_and_can_be_repeated(
    scene: Scene, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scene.model / "unique").write_bytes(os.urandom(64))
    manifest = read_image(scene.model).manifest_digest
    real = Registry.put_blob

    def broken(self: Registry, sha256: str, body: Body) -> None:
        def half() -> Iterator[bytes]:
            yield bytes(next(iter(body)))
            raise OSError("the cable was pulled")

        real(self, sha256, Body(len(body), half))

    with monkeypatch.context() as patched:
        patched.setattr(Registry, "put_blob", broken)
        with pytest.raises(RegistryError, match="cable"):
            push_model(scene.model, registry, bundles=[])
    assert registry.get_tagged(str(manifest)) is None
    assert push_model(scene.model, registry, bundles=[]).manifest == manifest
    assert registry.get_tagged(str(manifest)) is not None


def test_refuses_other_bytes_than_were_hashed(registry: Registry) -> None:
    with pytest.raises(RegistryError, match="400"):
        registry.put_blob("0" * 64, Body.of(b"not this"))


def test_says_that_a_host_is_unknown(scene: Scene) -> None:
    nowhere = Registry(Reference.parse("nowhere.invalid/m"))
    with pytest.raises(RegistryError, match=r"nowhere\.invalid cannot be asked"):
        push_model(scene.model, nowhere, bundles=[])


def test_says_that_nobody_listens(scene: Scene) -> None:
    with pytest.raises(RegistryError, match="cannot be asked"):
        push_model(scene.model, reached("127.0.0.1:9/m"), bundles=[])


def test_refuses_a_target_that_exists(
    scene: Scene, repository: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pushed = push_model(scene.model, reached(repository), bundles=[])
    (tmp_path / "back").mkdir()
    assert execute(["pull", f"{repository}@{pushed.manifest}", str(tmp_path / "back"), "--plain-http"]) == 2
    assert "exists" in capfd.readouterr().err


def test_credentials_come_from_the_configuration_of_docker(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "htpasswd"
    passwords.write_text(HTPASSWD)
    program = go_tools.build("registry") / "registry"  # before HOME, where programs are kept, is another
    more = f"auth: {{htpasswd: {{realm: test, path: {passwords}}}}}\n"
    home = tmp_path / "home" / ".docker"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    for private in serve(tmp_path / "private", program, more=more):
        reference = f"{private.address}/team/m"
        with pytest.raises(RegistryError, match="asks for a password"):
            push_model(scene.model, reached(reference), bundles=[])
        auth = base64.b64encode(b"user:secret").decode()
        (home / "config.json").write_text(json.dumps({"auths": {private.address: {"auth": auth}}}))
        pushed = push_model(scene.model, reached(reference), bundles=scene.files())
        assert pull_model(reached(reference), pushed.manifest, target=tmp_path / "back") == scene.digest


def test_the_commands_print_what_a_pod_and_a_program_need(
    scene: Scene, repository: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    signed, document = tmp_path / "v.sigstore.json", tmp_path / "verdict.yaml"
    signed.write_bytes(verdict(scene).data)
    options = ["--verdict", str(signed), "--model-verdict", str(document), "--plain-http", "--format", "json"]
    assert execute(["push", str(scene.model), f"{repository}:v1", *options]) == 0
    pushed = json.loads(capfd.readouterr().out)
    assert pushed["reference"] == f"{repository}@{pushed['manifest']}"
    assert len(pushed["referrers"]) == 1
    model_verdict = json.loads(document.read_text())
    assert model_verdict["kind"] == "ModelVerdict"
    assert model_verdict["spec"]["bundle"].encode() == signed.read_bytes()

    evidence = tmp_path / "evidence"
    pulled = ["pull", pushed["reference"], str(tmp_path / "back"), "--evidence", str(evidence), "--plain-http"]
    assert execute(pulled) == 0
    assert capfd.readouterr().out.strip() == str(scene.digest)
    assert [path.read_bytes() for path in evidence.iterdir()] == [signed.read_bytes()]

    tagged = ["pull", f"{repository}:v1", str(tmp_path / "tagged"), "--plain-http"]
    assert execute(tagged) == 64
    assert "by digest" in capfd.readouterr().err
    assert execute([*tagged, "--resolve-tag"]) == 0
    assert pushed["manifest"] in capfd.readouterr().err


def test_refuses_a_model_verdict_that_no_pod_could_be_bound_to(
    scene: Scene, repository: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    signed = tmp_path / "v.sigstore.json"
    signed.write_bytes(write_verdict(decide(scene), name="m", version="0", signer=scene.keys["verifier"]))
    wanted = ["--model-verdict", str(tmp_path / "out.yaml"), "--plain-http"]
    assert execute(["push", str(scene.model), repository, "--verdict", str(signed), *wanted]) == 2
    assert "no pod could be bound" in capfd.readouterr().err
    assert execute(["push", str(scene.model), repository, *wanted]) == 64
    assert not (tmp_path / "out.yaml").exists()


def test_every_bundle_is_found_again(scene: Scene, registry: Registry) -> None:
    pushed = push(scene, registry)
    assert {bundle.problem for bundle in bundles(registry, pushed.manifest)} == {""}
    assert list(bundles(registry, replace(pushed.manifest, hex="0" * 64))) == []
