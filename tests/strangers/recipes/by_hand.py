"""Lay model folders out by hand whose tools need a server or a hub: a Triton repository and the Hub's cache.

Both are made of what the other recipes wrote, and of what the tools' documentation prescribes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

CONFIG = """\
name: "iris"
platform: "onnxruntime_onnx"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } ]
output [ { name: "scores" data_type: TYPE_FP32 dims: [ 3 ] } ]
instance_group [ { kind: KIND_GPU count: 1 } ]
"""
PYTHON = 'name: "iris"\nbackend: "python"\nmax_batch_size: 8\n'
MODEL = """\
import subprocess


class TritonPythonModel:
    def execute(self, requests):
        subprocess.run(["true"])
        return requests
"""


def main(folder: Path) -> None:
    """Write both, and the hostile twin of the first."""
    triton(folder / "triton" / "iris", folder / "onnx-external-data")
    hostile = folder / "hostile-triton" / "iris"
    (hostile / "1").mkdir(parents=True)
    (hostile / "config.pbtxt").write_text(PYTHON)
    (hostile / "1" / "model.py").write_text(MODEL)
    snapshot(folder / "hub-cache" / "models--acme--tiny", folder / "hugging-face")


def triton(repository: Path, source: Path) -> None:
    """Lay out a Triton model repository."""
    (repository / "1").mkdir(parents=True)
    (repository / "config.pbtxt").write_text(CONFIG)
    for path in source.iterdir():
        shutil.copyfile(path, repository / "1" / path.name)


def snapshot(repository: Path, source: Path) -> None:
    """Lay out what ``huggingface_hub`` keeps of a model: content by digest, and a snapshot of links to it."""
    revision = "0123456789abcdef0123456789abcdef01234567"
    for name in ("blobs", "refs", f"snapshots/{revision}"):
        (repository / name).mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision)
    for path in source.iterdir():
        blob = hashlib.sha256(path.read_bytes()).hexdigest()
        shutil.copyfile(path, repository / "blobs" / blob)
        os.symlink(f"../../blobs/{blob}", repository / "snapshots" / revision / path.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
