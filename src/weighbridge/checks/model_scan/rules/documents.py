"""Rules of JSON, YAML, templates and text."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Rule

DOCUMENTS: Final = (
    Rule(
        id="remote-code",
        title="a configuration makes a library import code",
        meaning=(
            "Keys such as `auto_map`, `custom_generate` or `loader_module` name Python code that comes with the model, "
            "and `trust_remote_code` switches the question off: loading the model then runs it."
        ),
        remedy="remove the key and use a model class of the library itself",
        cwe=(829, 470),
    ),
    Rule(
        id="unsafe-template",
        title="a template reaches for what lies outside its sandbox",
        meaning=(
            "Chat templates are programs in Jinja. Through attributes with underscores, the `attr` filter or computed "
            "names a template leaves its sandbox and runs code at the first prompt (CVE-2024-34359, CVE-2025-27516)."
        ),
        remedy="use a template without double underscores and without the attr filter",
        cwe=(1336,),
    ),
)
"""Rules of documents."""
