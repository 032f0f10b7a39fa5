"""Advisories, requirements and installed environments, honest and hostile, built by code."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def ecosystem(*events: Json) -> Json:
    """A range of PyPI versions."""
    return {"type": "ECOSYSTEM", "events": list(events)}


def git(*events: Json) -> Json:
    """A range of commits, which says nothing about versions."""
    return {"type": "GIT", "repo": "https://example.org/x", "events": list(events)}


def record(
    name: str,
    *ranges: Json,
    id: str = "PYSEC-2026-1000",
    versions: Sequence[str] = (),
    package: str = "PyPI",
    **more: Any,
) -> Json:
    """One OSV record about one package."""
    return {
        "schema_version": "1.7.0",
        "id": id,
        "modified": "2026-01-01T00:00:00Z",
        "summary": f"Something is wrong with {name}",
        "affected": [
            {"package": {"ecosystem": package, "name": name}, "ranges": list(ranges), "versions": list(versions)}
        ],
        **more,
    }


def json_lines(*records: Json) -> bytes:
    """Records as JSON lines."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in records)


def bundle_lines(*records: Json, built: str = "2026-01-02", **changes: Any) -> bytes:
    """A bundle as JSON lines: records below the header that counts them; ``changes`` make the header lie."""
    sources = Counter(each["id"].partition("-")[0] for each in records)
    header = {
        "schema": "weighbridge.dev/advisories/v1",
        "built": built,
        "records": len(records),
        "withdrawn": sum("withdrawn" in each for each in records),
        "sources": [{"name": name, "records": count} for name, count in sorted(sources.items())],
    }
    return json_lines({**header, **changes}, *records)


def write_bundle(folder: Path, *records: Json, built: str = "2026-01-02", name: str = "test.jsonl.gz") -> Path:
    """Write a packed bundle."""
    path = folder / name
    path.write_bytes(gzip.compress(bundle_lines(*records, built=built), mtime=0))
    return path


def gzip_bomb(size: int) -> bytes:
    """A small gzip file that unpacks to ``size`` zero bytes."""
    return gzip.compress(b"\0" * size)


def record_row(name: str, data: bytes) -> str:
    """One row of a RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}"


def install(
    site: Path,
    name: str,
    version: str,
    files: Mapping[str, bytes] | None = None,
    *,
    direct_url: Json | None = None,
) -> Path:
    """Install a distribution as an installer does: files, metadata and a RECORD with their hashes."""
    contents = dict(files if files is not None else {f"{name.replace('-', '_').lower()}/__init__.py": b"x = 1\n"})
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    contents[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nWords.\n".encode()
    if direct_url is not None:
        contents[f"{info}/direct_url.json"] = json.dumps(direct_url).encode()
    rows = []
    for place, data in contents.items():
        target = site / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        rows.append(record_row(place, data))
    rows.append(f"{info}/RECORD,,")
    (site / info / "RECORD").write_text("\n".join(rows) + "\n")
    return site / info


LITELLM_PTH = b"import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import base64; exec(...)'])\n"
"""The shape of litellm_init.pth (March 2026): one line that starts a process; this one does nothing when read."""


def namespace_line(name: str) -> str:
    """The start-up line that setuptools writes for ``namespace_packages``, as older wheels of google-* carry it."""
    parts = tuple(name.split("."))
    finder = f"importlib.machinery.PathFinder.find_spec({name!r}, [os.path.dirname(p)])"
    steps = [
        "import sys, types, os",
        "has_mfs = sys.version_info > (3, 5)",
        f"p = os.path.join(sys._getframe(1).f_locals['sitedir'], *{parts!r})",
        "importlib = has_mfs and __import__('importlib.util')",
        "has_mfs and __import__('importlib.machinery')",
        f"m = has_mfs and sys.modules.setdefault({name!r}, importlib.util.module_from_spec({finder}))",
        f"m = m or sys.modules.setdefault({name!r}, types.ModuleType({name!r}))",
        "mp = (m or []) and m.__dict__.setdefault('__path__',[])",
        "(p not in mp) and mp.append(p)",
    ]
    parent, _, child = name.rpartition(".")
    if parent:
        steps.append(f"m and setattr(sys.modules[{parent!r}], {child!r}, m)")
    return ";".join(steps)
