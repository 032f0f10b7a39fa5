"""A model as an OCI image that is a function of the model's names and bytes alone.

So its manifest digest is known without a registry, on any machine, for ever: no time, no owner, no compression.
Specification: https://github.com/opencontainers/image-spec. The files lie at the root of the image, as containerd
mounts it for a Kubernetes image volume.

One read computes the model's ``dirHash`` and the manifest digest together, so that a verdict about both is about the
same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge import _json
from weighbridge.errors import ModelError
from weighbridge.model.digest import Digest, ManifestDigest, Progress, Readable, Silent, combine
from weighbridge.model.listing import Entry
from weighbridge.model.tree import Buffers, cores, open_tree
from weighbridge.oci import tar

MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE: Final = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE: Final = "application/vnd.oci.image.layer.v1.tar"

MAX_LAYERS: Final = 100
"""Most layers of an image; overlayfs stops at about 120."""

LAYER_BYTES: Final = 64 * 1024 * 1024
"""Files are put together until a layer has about this many bytes, so that small files do not become many layers."""

OS: Final = "linux"
ARCHITECTURE: Final = "amd64"
"""A model has no architecture, but containerd unpacks only an image of the node's own, and without one none at all."""

_WHITEOUT: Final = ".wh."


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its files in order, its size and its digest in hex."""

    entries: tuple[Entry, ...]
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelImage:
    """Both identities of a model, from one read, and what its image consists of."""

    files: tuple[tuple[str, str], ...]
    """Name and sha256 of each file, in order."""
    layers: tuple[Layer, ...]
    config: bytes
    manifest: bytes

    @property
    def digest(self) -> Digest:
        """Return the model's digest."""
        return combine(list(self.files))

    @property
    def manifest_digest(self) -> ManifestDigest:
        """Return the digest by which registries and pods name the image."""
        return ManifestDigest(hashlib.sha256(self.manifest).hexdigest())

    @property
    def config_sha256(self) -> str:
        """Return the digest of the image's configuration in hex."""
        return hashlib.sha256(self.config).hexdigest()


def read_image(model: Path, *, progress: Progress | None = None) -> ModelImage:
    """Compute a model's image and its ``dirHash`` in one read, on all cores, streaming.

    Raises:
        ModelError: For everything that ``hash_model`` refuses, and for a name that container runtimes would take
            for the removal of another file.
    """
    with open_tree(model) as tree:
        image = image_of(tree, progress=progress or Silent())
        tree.require_unchanged()
        return image


def image_of(source: Readable, *, progress: Progress) -> ModelImage:
    """Compute the image of an open model or of a private view of one.

    The caller asks afterwards whether what lies open on disk changed.
    """
    for entry in source.entries:
        _refuse_whiteout(entry.name)
    progress.total(sum(entry.size for entry in source.entries))
    groups = _group(source.entries)
    threads = Buffers()

    def hash_group(group: tuple[Entry, ...]) -> tuple[Layer, list[str]]:
        return _hash_layer(source, group, threads.buffer(), progress)

    with ThreadPoolExecutor(max_workers=min(cores(), len(groups))) as pool:
        hashed = list(pool.map(hash_group, groups))
    layers = tuple(layer for layer, _ in hashed)
    sums = (checksum for _, checksums in hashed for checksum in checksums)
    config = _config(layers)
    files = tuple(zip((entry.name for entry in source.entries), sums, strict=True))
    return ModelImage(files, layers, config, _manifest(layers, config))


def layer_chunks(source: Readable, entries: tuple[Entry, ...], *, buffer: memoryview) -> Iterator[bytes | memoryview]:
    """Yield the bytes of a layer. A chunk of a file lies in the buffer and is gone with the next."""
    for entry, headers in _headers(entries):
        yield headers
        yield from source.read(entry, buffer=buffer)
        yield tar.padding(entry.size)
    yield tar.END


def _hash_layer(
    source: Readable, entries: tuple[Entry, ...], buffer: memoryview, progress: Progress
) -> tuple[Layer, list[str]]:
    whole = hashlib.sha256()
    sums = []
    size = len(tar.END)
    for entry, headers in _headers(entries):
        whole.update(headers)
        checksum = hashlib.sha256()
        for chunk in source.read(entry, buffer=buffer):
            checksum.update(chunk)
            whole.update(chunk)
            progress.advance(len(chunk))
        sums.append(checksum.hexdigest())
        rest = tar.padding(entry.size)
        whole.update(rest)
        size += len(headers) + entry.size + len(rest)
    whole.update(tar.END)
    return Layer(entries, size, whole.hexdigest()), sums


def _headers(entries: tuple[Entry, ...]) -> Iterator[tuple[Entry, bytes]]:
    # Each layer names the directories that it uses: runtimes that unpack layers side by side would else invent them.
    made: set[str] = set()
    for entry in entries:
        headers = b""
        parts = entry.name.split("/")
        for depth in range(1, len(parts)):
            directory = "/".join(parts[:depth])
            if directory not in made:
                made.add(directory)
                headers += tar.directory_header(directory)
        yield entry, headers + tar.file_header(entry.name, entry.size)


def _group(entries: tuple[Entry, ...]) -> list[tuple[Entry, ...]]:
    # Two neighbouring layers hold more than the target together, so there are at most 2 * total / target + 1.
    total = sum(entry.size for entry in entries)
    target = max(LAYER_BYTES, -(-2 * total // (MAX_LAYERS - 1)))
    groups: list[list[Entry]] = [[]]
    filled = 0
    for entry in entries:
        if groups[-1] and filled + entry.size > target:
            groups.append([])
            filled = 0
        groups[-1].append(entry)
        filled += entry.size
    return [tuple(group) for group in groups]


def _config(layers: tuple[Layer, ...]) -> bytes:
    return _json.dumps(
        {
            "architecture": ARCHITECTURE,
            "os": OS,
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.sha256}" for layer in layers]},
        }
    )


def _manifest(layers: tuple[Layer, ...], config: bytes) -> bytes:
    return _json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": descriptor(CONFIG_TYPE, hashlib.sha256(config).hexdigest(), len(config)),
            "layers": [descriptor(LAYER_TYPE, layer.sha256, layer.size) for layer in layers],
        }
    )


def descriptor(media_type: str, sha256: str, size: int) -> dict[str, object]:
    """Return an OCI descriptor as plain JSON."""
    return {"mediaType": media_type, "digest": f"sha256:{sha256}", "size": size}


def _refuse_whiteout(name: str) -> None:
    if any(part.startswith(_WHITEOUT) for part in name.split("/")):
        raise ModelError(
            f"the name {name!r} has a part that begins with {_WHITEOUT}, by which container layers remove files",
            remedy="rename the file",
        )
