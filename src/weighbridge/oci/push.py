"""Send a model's image, and the evidence about it, to a registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge.errors import VerificationError
from weighbridge.evidence.bundle import read_bundle
from weighbridge.evidence.statement import Statement
from weighbridge.evidence.store import StoredFile
from weighbridge.model.digest import Digest, ManifestDigest, Progress, Silent
from weighbridge.model.tree import BUFFER, open_tree
from weighbridge.oci.image import Layer, ModelImage, image_of, layer_chunks
from weighbridge.oci.referrers import attach
from weighbridge.oci.registry import Body, Registry

JUDGE_AGAIN: Final = "run the checks and the gate on this model, and push what they write"
"""What to do about evidence that cannot go with the model."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What lies in the registry now."""

    digest: Digest
    manifest: ManifestDigest
    referrers: tuple[ManifestDigest, ...]


def push_model(
    model: Path, registry: Registry, *, bundles: Sequence[StoredFile], progress: Progress | None = None
) -> Pushed:
    """Push a model and its evidence; the manifest is the last that is sent, so a push that breaks off leaves no image.

    Raises:
        ModelError: When the model cannot be an image, or changes meanwhile.
        ParseError: When a bundle is none.
        RegistryError: When the registry does not take something.
        VerificationError: When a bundle is about another model; nothing has been sent then.
    """
    with open_tree(model) as tree:
        image = image_of(tree, progress=progress or Silent())
        tree.require_unchanged()
        for bundle in bundles:
            require_about(bundle.data, image, what=bundle.name)
        buffer = memoryview(bytearray(BUFFER))

        def body(layer: Layer) -> Body:
            return Body(layer.size, lambda: layer_chunks(tree, layer.entries, buffer=buffer))

        for layer in image.layers:
            registry.put_blob(layer.sha256, body(layer))
        tree.require_unchanged()
    registry.put_blob(image.config_sha256, Body.of(image.config))
    registry.put_manifest(image.manifest)
    if registry.reference.tag:
        registry.put_manifest(image.manifest, name=registry.reference.tag)
    referrers = [attach(registry, bundle.data, subject=image.manifest, what=bundle.name) for bundle in bundles]
    return Pushed(image.digest, image.manifest_digest, tuple(referrers))


def require_about(bundle: bytes, image: ModelImage, *, what: str) -> Statement:
    """Return a bundle's statement when it is about this model, and about no other image of it.

    Raises:
        ParseError: When the bytes are no bundle.
        VerificationError: When it is about another.
    """
    statement = Statement.parse(read_bundle(bundle, what=what).content(), what=f"the statement in {what}")
    statement.require_subject(image.digest, what=what, remedy=JUDGE_AGAIN)
    manifest = statement.manifest()
    if manifest not in (None, image.manifest_digest):
        raise VerificationError(
            f"{what} names the image {manifest}; this model's is {image.manifest_digest}", remedy=JUDGE_AGAIN
        )
    return statement
