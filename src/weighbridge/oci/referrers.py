"""Evidence beside a model image: each bundle is an artifact whose subject is the image's manifest.

Specification: https://github.com/opencontainers/distribution-spec, "Listing Referrers" and "Referrers Tag Schema".
Where a registry has no referrers API, clients keep a list themselves, under the tag ``sha256-<hex>``; every entry
that is in it stays in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from weighbridge import _json
from weighbridge.errors import ParseError, RegistryError, WeighbridgeError
from weighbridge.evidence.bundle import MAX_BUNDLE_BYTES, MEDIA_TYPE, read_bundle
from weighbridge.evidence.statement import Statement
from weighbridge.model.digest import ManifestDigest
from weighbridge.oci.image import MANIFEST_TYPE, descriptor
from weighbridge.oci.registry import INDEX_TYPE, Body, Registry

EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"
EMPTY: Final = b"{}"

CONTENT: Final = "dev.sigstore.bundle.content"
PREDICATE_TYPE: Final = "dev.sigstore.bundle.predicateType"
"""Annotations by which cosign finds a bundle among referrers."""

MAX_REFERRERS: Final = 1000
"""Most artifacts beside one image that are looked at."""

ATTEMPTS: Final = 4
"""How often the list is written again when somebody else wrote it at the same moment."""


_NEW_LIST: Final[dict[str, object]] = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bundle that lies beside an image, or why it could not be had."""

    sha256: str
    data: bytes = b""
    problem: str = ""


def attach(registry: Registry, bundle: bytes, *, subject: bytes, what: str) -> ManifestDigest:
    """Put a bundle beside the image with this manifest; doing it twice changes nothing. Return the artifact's digest.

    Raises:
        ParseError: When the bytes are no bundle with a statement.
        RegistryError: When the registry does not take it, or its list of referrers cannot be read and kept.
    """
    statement = Statement.parse(read_bundle(bundle, what=what).content(), what=f"the statement in {what}")
    annotations = {CONTENT: "dsse-envelope", PREDICATE_TYPE: statement.predicate_type}
    manifest = _artifact(bundle, subject, annotations)
    for data in (bundle, EMPTY):
        registry.put_blob(hashlib.sha256(data).hexdigest(), Body.of(data))
    kept_by_registry = registry.put_manifest(manifest)
    digest = ManifestDigest(hashlib.sha256(manifest).hexdigest())
    if not kept_by_registry:
        entry = descriptor(MANIFEST_TYPE, digest.hex, len(manifest))
        entry |= {"artifactType": MEDIA_TYPE, "annotations": annotations}
        _add_to_list(registry, entry, subject=ManifestDigest(hashlib.sha256(subject).hexdigest()))
    return digest


def bundles(registry: Registry, subject: ManifestDigest) -> Iterator[Bundle]:
    """Yield every bundle beside an image, in the order of the registry. Nothing is verified but digests.

    Raises:
        RegistryError: When the list cannot be had or holds too much.
    """
    data = registry.get_referrers(subject)
    if data is None:
        data = registry.get_tagged(list_tag(subject), media_type=INDEX_TYPE)
    entries = _entries(data, subject) if data is not None else []
    if len(entries) > MAX_REFERRERS:
        raise RegistryError(f"{subject} has {len(entries)} referrers; at most {MAX_REFERRERS} are looked at")
    for entry in entries:
        digest = entry.get("digest")
        if entry.get("artifactType") != MEDIA_TYPE or not isinstance(digest, str):
            continue
        try:
            yield _fetch(registry, ManifestDigest.parse(digest), subject)
        except WeighbridgeError as error:
            yield Bundle(digest[:80], problem=error.message)


def list_tag(subject: ManifestDigest) -> str:
    """Return the tag under which clients keep the referrers of an image."""
    return f"sha256-{subject.hex}"


def _artifact(bundle: bytes, subject: bytes, annotations: dict[str, str]) -> bytes:
    # Without a time, so that the same bundle is the same artifact.
    return _json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": MEDIA_TYPE,
            "config": descriptor(EMPTY_TYPE, hashlib.sha256(EMPTY).hexdigest(), len(EMPTY)),
            "layers": [descriptor(MEDIA_TYPE, hashlib.sha256(bundle).hexdigest(), len(bundle))],
            "subject": descriptor(MANIFEST_TYPE, hashlib.sha256(subject).hexdigest(), len(subject)),
            "annotations": annotations,
        }
    )


def _add_to_list(registry: Registry, entry: dict[str, object], *, subject: ManifestDigest) -> None:
    # The distribution API has no compare-and-swap: write, read again, and add once more what another writer lost.
    tag = list_tag(subject)
    for _ in range(ATTEMPTS):
        data = registry.get_tagged(tag, media_type=INDEX_TYPE)
        index = _index(data, subject) if data is not None else _NEW_LIST
        entries = _listed(index, subject)
        if any(known.get("digest") == entry["digest"] for known in entries):
            return
        registry.put_manifest(_json.dumps({**index, "manifests": [*entries, entry]}), media_type=INDEX_TYPE, name=tag)
    raise RegistryError(f"others keep writing the list of referrers of {subject}", remedy="push again in a moment")


def _entries(data: bytes, subject: ManifestDigest) -> list[dict[str, object]]:
    return _listed(_index(data, subject), subject)


def _index(data: bytes, subject: ManifestDigest) -> dict[str, object]:
    try:
        index = _json.loads(data, what="it")
    except ParseError as error:
        raise _garbage(subject, error.message) from None
    if not isinstance(index, dict) or index.get("mediaType", INDEX_TYPE) != INDEX_TYPE:
        raise _garbage(subject, "it is no image index")
    return index


def _listed(index: dict[str, object], subject: ManifestDigest) -> list[dict[str, object]]:
    entries = index.get("manifests")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _garbage(subject, "it has no list of manifests")
    return entries


def _garbage(subject: ManifestDigest, why: str) -> RegistryError:
    return RegistryError(
        f"the list of referrers under the tag {list_tag(subject)} cannot be read: {why}",
        remedy="look at what is under that tag; delete the tag if nobody needs it, and push the evidence again",
    )


def _fetch(registry: Registry, artifact: ManifestDigest, subject: ManifestDigest) -> Bundle:
    manifest = _json.loads(registry.get_manifest(artifact), what=f"the artifact {artifact}")
    match manifest:
        case {
            "artifactType": str(kind),
            "subject": {"digest": str(about)},
            "layers": [{"digest": str(digest), "size": int(size)}],
        } if kind == MEDIA_TYPE and about == str(subject) and 0 < size <= MAX_BUNDLE_BYTES:
            blob = ManifestDigest.parse(digest)
            return Bundle(blob.hex, b"".join(registry.get_blob(blob.hex, size=size)))
    raise ParseError(f"the artifact {artifact} holds no bundle about {subject}")
