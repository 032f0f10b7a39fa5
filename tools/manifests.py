"""Write the manifests that are derived from code, or check that they still are what the code says.

Derived are the custom resource definitions (from the types that the parsers use) and the admission policies (from the
one expression that tells which pods can reach an accelerator). The rest of ``manifests/`` is written by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from tools import admission_policies, crds

ROOT = Path(__file__).resolve().parent.parent / "manifests"
NOTE = "# Derived from code by `python -m tools.manifests write`; a test compares.\n"


def derived() -> dict[str, str]:
    """Return every derived manifest by its path below ``manifests/``."""
    files = {f"crds/{name}.yaml": [definition] for name, definition in crds.definitions().items()}
    files["admission/index.yaml"] = admission_policies.index()
    files["admission/pods.yaml"] = admission_policies.pods()
    files["components/gate/gate.yaml"] = admission_policies.gate()
    return {path: NOTE + dump(documents) for path, documents in files.items()}


def stale() -> list[str]:
    """Return the derived manifests that are not what the code says."""
    return [
        path
        for path, text in derived().items()
        if not (ROOT / path).exists() or (ROOT / path).read_text(encoding="utf-8") != text
    ]


def dump(documents: list[dict[str, Any]]) -> str:
    """Write documents as YAML, expressions of several lines as blocks."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def main(arguments: list[str]) -> int:
    """Write or check; 0 when the manifests are what the code says."""
    if arguments == ["write"]:
        for path, text in derived().items():
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, encoding="utf-8")
        return 0
    if arguments == ["check"]:
        for path in stale():
            print(f"manifests/{path} is not what the code says: python -m tools.manifests write")
        return 1 if stale() else 0
    print("usage: python -m tools.manifests write|check", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
