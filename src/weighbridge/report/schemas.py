"""Write the JSON schemas of the reports: ``python -m weighbridge.report.schemas docs/schemas``."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from weighbridge._struct import Wire
from weighbridge.report.admission import AdmissionReport
from weighbridge.report.check_json import TYPES, ScanReports
from weighbridge.report.look import LookReport
from weighbridge.report.whole_json import WholeReport

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
"""The version of JSON Schema in which the schemas are written."""

FILES: Final[dict[str, type[Wire]]] = {
    **{f"{check}-report-v1.json": TYPES[check] for check in TYPES},
    "admission-report-v1.json": AdmissionReport,
    "look-v1.json": LookReport,
    "model-scan-reports-v1.json": ScanReports,
    "report-v1.json": WholeReport,
}
"""Each schema's file name and the type it describes."""


def schema_of(kind: type[Wire], *, file: str) -> str:
    """Return the JSON schema of a type as text, with references inside the document only."""
    _, definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    body: dict[str, Any] = definitions.pop(kind.__name__)
    document = {
        "$schema": DIALECT,
        "$id": f"https://weighbridge.dev/schemas/{file}",
        **body,
        "$defs": dict(sorted(definitions.items())),
    }
    return json.dumps(_cleaned(document), indent=2) + "\n"


def _cleaned(value: Any) -> Any:  # noqa: ANN401
    # Descriptions are docstrings, which Python strips of their indentation from 3.13 on.
    if isinstance(value, dict):
        return {
            key: inspect.cleandoc(item) if key == "description" and isinstance(item, str) else _cleaned(item)
            for key, item in value.items()
        }
    return [_cleaned(item) for item in value] if isinstance(value, list) else value


def main(arguments: list[str]) -> int:
    """Write every schema into the directory that is named, and return the exit code."""
    if len(arguments) != 1:
        print("usage: python -m weighbridge.report.schemas DIRECTORY", file=sys.stderr)
        return 2
    target = Path(arguments[0])
    target.mkdir(parents=True, exist_ok=True)
    for file, kind in FILES.items():
        (target / file).write_text(schema_of(kind, file=file), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
