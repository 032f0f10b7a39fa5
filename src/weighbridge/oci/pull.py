"""Get a model's image from a registry as files, and believe nothing that it sends."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge import _json
from weighbridge._files import make_directory, write_atomically
from weighbridge.errors import OutputError, ParseError, VerificationError, WeighbridgeError
from weighbridge.evidence.bundle import SUFFIX, read_bundle
from weighbridge.evidence.statement import Statement
from weighbridge.model.digest import Digest, ManifestDigest, Progress, Silent
from weighbridge.oci.image import LAYER_TYPE, MANIFEST_TYPE, MAX_LAYERS, read_image
from weighbridge.oci.referrers import bundles
from weighbridge.oci.registry import Registry
from weighbridge.oci.untar import unpack

_OURS: Final = "pull only images that `weighbridge push` wrote"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Files of evidence that were written, and what lay there too and was left."""

    files: tuple[Path, ...]
    problems: tuple[str, ...]


def pull_model(registry: Registry, digest: ManifestDigest, *, target: Path, progress: Progress | None = None) -> Digest:
    """Write a model into a new directory, whole or not at all, and return its ``dirHash``.

    The image is computed again from the files as they lie on disk then; it must be the one that was asked for.

    Raises:
        OutputError: When the target exists or cannot be written.
        ParseError: When the image is not one that ``weighbridge push`` wrote.
        RegistryError: When the registry cannot be asked or sends other bytes.
        VerificationError: When the files are not that image.
    """
    meter = progress or Silent()
    layers = _layers(registry.get_manifest(digest))
    meter.total(sum(size for _, size in layers))
    staging = _staging(target, sum(size for _, size in layers))
    try:
        for sha256, size in layers:
            unpack(_metered(registry.get_blob(sha256, size=size), meter), into=staging)
        image = read_image(staging)
        if image.manifest_digest != digest:
            raise VerificationError(
                f"the image {digest} unpacks to files whose image is {image.manifest_digest}", remedy=_OURS
            )
        _publish(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return image.digest


def pull_evidence(registry: Registry, manifest: ManifestDigest, *, model: Digest, into: Path) -> Evidence:
    """Write the bundles beside an image that are about this model; whether they hold is for the gate to say.

    Raises:
        OutputError: When a file cannot be written.
        RegistryError: When the list of referrers cannot be had.
    """
    make_directory(into)
    files, problems = [], []
    for bundle in bundles(registry, manifest):
        what = f"the bundle {bundle.sha256[:19]}"
        try:
            if bundle.problem:
                raise ParseError(bundle.problem)
            statement = Statement.parse(read_bundle(bundle.data, what=what).content(), what=f"the statement in {what}")
            statement.require_subject(model, what=what)
        except WeighbridgeError as error:
            problems.append(error.message)
            continue
        path = into / f"{bundle.sha256[:16]}{SUFFIX}"
        write_atomically(path, bundle.data)
        files.append(path)
    return Evidence(tuple(files), tuple(problems))


def _layers(manifest: bytes) -> list[tuple[str, int]]:
    document = _json.loads(manifest, what="the manifest")
    found = []
    match document:
        case {"mediaType": str(kind), "layers": [*layers]} if kind == MANIFEST_TYPE and 0 < len(layers) <= MAX_LAYERS:
            for layer in layers:
                match layer:
                    case {"mediaType": str(media), "digest": str(digest), "size": int(size)} if (
                        media == LAYER_TYPE and size > 0
                    ):
                        found.append((ManifestDigest.parse(digest).hex, size))
                        continue
                raise ParseError("the image has a layer that is no uncompressed tar", remedy=_OURS)
            return found
    raise ParseError(f"the manifest is not that of an image with 1 to {MAX_LAYERS} layers", remedy=_OURS)


def _metered(chunks: Iterator[bytes], meter: Progress) -> Iterator[bytes]:
    for chunk in chunks:
        meter.advance(len(chunk))
        yield chunk


def _staging(target: Path, size: int) -> Path:
    if os.path.lexists(target):
        raise OutputError(f"{target} exists", remedy="name a directory that does not exist yet")
    try:
        make_directory(target.absolute().parent)
        if shutil.disk_usage(target.absolute().parent).free < size:
            raise OutputError(f"{target} needs {size} bytes, more than are free there", remedy="choose another place")
        staging = target.absolute().parent / f".weighbridge-{secrets.token_hex(8)}.part"
        staging.mkdir(mode=0o700)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}", remedy="choose another place") from None
    return staging


def _publish(staging: Path, target: Path) -> None:
    try:
        staging.chmod(0o755)
        os.rename(staging, target)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}; nothing was left behind") from None
