"""Documents of a model: JSON, YAML, Jinja templates and text, judged by role and schema.

A document runs nothing by itself. What it can do is name something that a library then imports and calls, or bring a
template that a library renders; both are judged here by what is allowed, for what the document is.
"""

from weighbridge.checks.model_scan.documents.json_file import scan_json
from weighbridge.checks.model_scan.documents.metadata import judge_metadata
from weighbridge.checks.model_scan.documents.plain import scan_plain
from weighbridge.checks.model_scan.documents.template import judge_template, report_template, scan_jinja
from weighbridge.checks.model_scan.documents.triton import scan_triton
from weighbridge.checks.model_scan.documents.yaml_file import scan_yaml

__all__ = [
    "judge_metadata",
    "judge_template",
    "report_template",
    "scan_jinja",
    "scan_json",
    "scan_plain",
    "scan_triton",
    "scan_yaml",
]
