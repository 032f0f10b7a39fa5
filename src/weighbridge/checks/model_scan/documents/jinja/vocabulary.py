"""What a template may use: statements, filters, tests, functions and methods, and which names reach an attribute.

Filters and tests are those of Jinja and Transformers that take values to values. ``attr`` is none: it takes a value to
any attribute. Methods are the public ones of Python's text, numbers and containers that give such values again;
``format`` is judged by its text, and ``format_map``, ``mro``, ``encode`` and the like are not among them.
"""

from __future__ import annotations

import re
from string import Formatter
from typing import Final

from jinja2 import nodes, sandbox

from weighbridge.checks.model_scan.documents.listed import listed

STATEMENTS: Final[tuple[type[nodes.Node], ...]] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Assign, nodes.AssignBlock, nodes.Macro,
    nodes.CallBlock, nodes.FilterBlock, nodes.With, nodes.Scope, nodes.ExprStmt, nodes.Break, nodes.Continue,
    nodes.Name, nodes.NSRef, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword,
    nodes.CondExpr, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test, nodes.Call, nodes.Compare,
    nodes.Operand, nodes.Not, nodes.And, nodes.Or, nodes.Neg, nodes.Pos, nodes.Concat, nodes.Add, nodes.Sub, nodes.Mul,
    nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow,
)  # fmt: skip
"""The parts of a template that are judged."""

OTHER_FILES: Final = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)
"""Statements that read another file."""

FILTERS: Final = listed(
    "abs batch capitalize center count d default dictsort e escape filesizeformat first float forceescape format "
    "from_json fromjson groupby indent int items join last length list lower map max min pprint random reject "
    "rejectattr replace reverse round safe select selectattr slice sort string striptags sum title tojson trim "
    "truncate unique upper urlencode urlize wordcount wordwrap xmlattr "
)

TESTS: Final = listed(
    "boolean callable defined divisibleby eq equalto escaped even false float ge greaterthan gt in integer "
    "iterable le lessthan lower lt mapping ne none number odd sameas sequence string true undefined upper filter "
    "test == != < <= > >= "
)

FUNCTIONS: Final = listed("namespace range dict cycler joiner lipsum raise_exception strftime_now caller super ")
"""What may be called by name, besides the macros of the template itself."""

VARIABLES: Final = listed(
    "messages message tools tool documents document add_generation_prompt continue_final_message enable_thinking "
    "thinking reasoning_effort builtin_tools custom_tools tools_in_user_message date_string today available_tools "
    "controls citation_mode safety_mode keep_past_thinking model_identity xml_tools python_tools functions none None "
    "true false True False varargs kwargs "
)
"""What whoever renders a chat template gives it. Any other name may be a text of the model's own files, too: each of
its ``extra_special_tokens`` is a variable."""

METHODS: Final = listed(
    "capitalize casefold center count endswith find index isalnum isalpha isascii isdecimal isdigit islower "
    "isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind "
    "rindex rjust rpartition rsplit rstrip split splitlines startswith strip swapcase title upper zfill format "
    "append clear copy extend insert pop remove reverse sort get items keys values setdefault update add discard "
    "union cycle changed next reset "
)

MUTATING: Final = frozenset({"append", "extend", "insert", "setdefault", "update", "add"})
"""Methods that put what they are given into what they are called on."""

ATTRIBUTE_AT: Final = {
    "groupby": 0, "rejectattr": 0, "selectattr": 0, "sum": 0, "join": 1, "max": 1, "min": 1, "unique": 1, "sort": 2,
}  # fmt: skip
"""Filters with an argument that is the name of an attribute, and its place when it is not given by name."""

_INTERNAL: Final = frozenset(
    sandbox.UNSAFE_FUNCTION_ATTRIBUTES
    | sandbox.UNSAFE_METHOD_ATTRIBUTES
    | sandbox.UNSAFE_GENERATOR_ATTRIBUTES
    | sandbox.UNSAFE_COROUTINE_ATTRIBUTES
    | sandbox.UNSAFE_ASYNC_GENERATOR_ATTRIBUTES
    | {"mro", "im_class", "im_func", "im_self", "format_map"}
)
_SPEC: Final = re.compile(r"[^{}\d]{0,3}\d{0,3}[,_]?(?:\.\d{1,2})?[a-zA-Z%]?")
_PERCENT: Final = re.compile(r"%(?:\(\w*\))?[#0\- +]*(\d*|\*)(?:\.(\d*|\*))?[hlL]?(.)", re.DOTALL)
_MAX_WIDTH_DIGITS: Final = 3


def reaches_internals(name: str) -> bool:
    """Tell whether an attribute of this name leads out of plain values; the sandbox's rule, without its objects."""
    return name.startswith("_") or name in _INTERNAL


def may_reach_internals(prefix: str) -> bool:
    """Tell whether a name of which only the beginning is known could do that."""
    return not prefix or prefix.startswith("_") or any(name.startswith(prefix) for name in _INTERNAL)


def format_problem(template: str) -> str | None:
    """Say what is wrong with the text of ``str.format``: its fields may be empty, numbers or names, and no more."""
    try:
        fields = list(Formatter().parse(template))
    except ValueError as error:
        return f"is no format ({error})"
    for _, field, spec, conversion in fields:
        if field is None:
            continue
        if not re.fullmatch(r"\w*", field) or field.startswith("_"):
            return f"reaches into its arguments by {field!r}"
        if conversion not in (None, "s") or (spec and not _SPEC.fullmatch(spec)):
            return f"has the form {spec or conversion!r}, which is not judged"
    return None


def percent_problem(template: str) -> str | None:
    """Say what is wrong with the text of ``%``: widths are written out and short."""
    for width, precision, _ in _PERCENT.findall(template):
        if "*" in (width, precision) or max(len(width), len(precision)) > _MAX_WIDTH_DIGITS:
            return "asks for a width that is not written out or very large"
    return None
