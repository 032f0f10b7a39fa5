"""Texts that a library works on before it uses them: interpolations, fields of formats, expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from weighbridge.checks.model_scan.documents.listed import listed
from weighbridge.checks.model_scan.documents.said import CODE

BY_ROLE: Final = "by-role"
"""In place of a rule: it depends on whether the role of the file is known."""

_RESOLVER: Final = re.compile(r"\$\{\s*([A-Za-z_][\w.]*)\s*:(?![-=?+/])")
_PURE: Final = listed(
    "oc.select oc.create oc.decode oc.coerce oc.deprecated oc.dict.keys oc.dict.values hydra now add sum subtract sub "
    "multiply mul divide div int_div floor_div mod power floor ceil round min max abs int float str bool len list "
    "concat join if eq ne not and or "
)
"""Resolvers that compute from the configuration itself."""

_READING: Final = listed("oc.env env ENV eval exec python import get_class get_method file read shell cmd")
"""Resolvers that read the environment of whoever loads the file, or run what they are given."""

_FIELD: Final = re.compile(r"\{\w*[.\[][^{}\n]{0,400}\}")
_INTERNAL: Final = re.compile(r"__[a-z]\w*__")
_FORMATTED: Final = listed("template templates prompt prompts prefix suffix format system instruction")
_EXPRESSION: Final = re.compile(r"__import__\s*\(|__(?:builtins|subclasses|globals)__\s*[\[(.]")
_MAX_EXPRESSION: Final = 2000


_STREAMS: Final = frozenset({"ext://sys.stdout", "ext://sys.stderr"})


def telling(text: str) -> bool:
    """Tell whether a text matters even where a container is too large to be kept whole."""
    return "${" in text or (("{" in text or "(" in text) and "__" in text)


def problems(text: str, key: str) -> Iterator[tuple[str | None, str]]:
    """Yield what is wrong with a text, each with its rule; None where it cannot be decided."""
    for name in dict.fromkeys(_RESOLVER.findall(text)):
        if name in _READING:
            yield CODE, f"an interpolation has OmegaConf call {name!r}, which reads or runs what lies outside the file"
        elif name not in _PURE:
            yield None, f"an interpolation has OmegaConf call {name!r}, a resolver that is not known"
    if text.startswith("ext://") and text not in _STREAMS:
        yield CODE, f"logging imports {text[:100]!r}"
    found = next((one for one in _FIELD.finditer(text) if _INTERNAL.search(one[0])), None)
    if found is not None:
        last = re.findall(r"[a-z]+", key.lower())[-1:]
        meant = bool(last) and last[0] in _FORMATTED
        message = f"the field {found[0][:100]!r} of a text that is formatted leads out of plain values"
        yield ("unsafe-template" if meant else None), message
    if len(text) <= _MAX_EXPRESSION and _EXPRESSION.search(text):
        yield BY_ROLE, f"the text {text[:100]!r} is an expression that imports something"
