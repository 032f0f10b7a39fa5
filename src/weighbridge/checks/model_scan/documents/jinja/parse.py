"""Parse a template with Jinja's own parser, with the tags that chat templates may use."""

from __future__ import annotations

import functools
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from weighbridge.checks.model_scan.report import UndecidedError


class _Generation(Extension):
    """``{% generation %}``, by which Transformers marks what the assistant said; it only wraps its body."""

    tags = {"generation"}  # noqa: RUF012 - the type of the attribute is Jinja's

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)


EXTENSIONS: Final[tuple[str | type[Extension], ...]] = ("jinja2.ext.loopcontrols", "jinja2.ext.do", _Generation)
"""The tags that a chat template may use beside Jinja's own."""


@functools.cache
def _environment() -> Environment:
    # Transformers sets these two; without autoescape the tree is the same. Only the parser is used.
    return Environment(trim_blocks=True, lstrip_blocks=True, extensions=EXTENSIONS)  # noqa: S701


class NotATemplateError(UndecidedError):
    """Jinja's parser does not take the text."""

    def __init__(self, reason: str) -> None:
        super().__init__("template-not-followed", reason)


def parse(text: str) -> nodes.Template:
    """Return the syntax tree.

    Raises:
        NotATemplateError: It is not in Jinja's syntax.
        RecursionError: It nests too deeply for the parser.
    """
    try:
        return _environment().parse(text)
    except TemplateSyntaxError as error:
        raise NotATemplateError(f"line {error.lineno} is not in Jinja's syntax: {error.message}") from None
    except (ValueError, OverflowError) as error:
        # A number of thousands of digits, or an escape that Python's decoder does not take.
        raise NotATemplateError(f"it is not in Jinja's syntax: {error}") from None
