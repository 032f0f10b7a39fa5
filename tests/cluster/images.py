"""Small images for the cluster, made from Go programs of ours: no base image, no registry on the internet.

``pause`` holds a pod's namespaces, ``app`` is a model server that prints the digest of the weights it sees. Each is an
OCI layout in a tar, as ``ctr images import`` takes it, kept in the cache under a name that its source decides.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tools import go_tools

SOURCE = Path(__file__).parent / "images"
PAUSE = "localhost/pause:1"
APP = "localhost/app:1"

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Image:
    """One image: its manifest, and every blob by digest."""

    name: str
    manifest: bytes
    blobs: dict[str, bytes]

    @property
    def digest(self) -> str:
        return _digest(self.manifest)

    def archive(self) -> bytes:
        """Return the image as an OCI layout in a tar."""
        descriptor = {
            "mediaType": MANIFEST,
            "digest": self.digest,
            "size": len(self.manifest),
            "annotations": {"io.containerd.image.name": self.name, "org.opencontainers.image.ref.name": self.name},
        }
        index = {"schemaVersion": 2, "manifests": [descriptor]}
        files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode()}
        files |= {f"blobs/{digest.replace(':', '/')}": blob for digest, blob in self.blobs.items()}
        files[f"blobs/{self.digest.replace(':', '/')}"] = self.manifest
        return _tar(files, mode=0o644)


def build(program: str, *, name: str) -> Image:
    """Build the Go program of that directory into an image whose only file it is."""
    return image({program: _compile(program)}, name=name, entrypoint=[f"/{program}"])


def image(files: dict[str, bytes], *, name: str, entrypoint: list[str]) -> Image:
    """Return an image with these executable files in its root, run by an unprivileged numeric user."""
    layer = _tar(files, mode=0o755)
    packed = gzip.compress(layer, mtime=0)
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": entrypoint, "User": "65532:65532"},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": _digest(config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": _digest(packed), "size": len(packed)}],
        }
    ).encode()
    return Image(name=name, manifest=manifest, blobs={_digest(config): config, _digest(packed): packed})


def _compile(program: str) -> bytes:
    sources = sorted(path for path in SOURCE.rglob("*") if path.is_file())
    key = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    target = go_tools.cache_root() / f"images-{key}-{go_tools.go_version()}" / program
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = target.with_name(f".{program}.{os.getpid()}")
        environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
        subprocess.run(
            ["go", "build", "-trimpath", "-ldflags=-s -w", "-o", str(staged), f"./{program}"],
            cwd=SOURCE,
            env=environment,
            check=True,
            timeout=600,
        )
        staged.replace(target)
    return target.read_bytes()


def _tar(files: dict[str, bytes], *, mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
