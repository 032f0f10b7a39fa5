"""Where what a command says goes: in which format, into which file, or nowhere but the exit code."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import click
from click.core import ParameterSource

from weighbridge.cli import _write
from weighbridge.errors import UsageError
from weighbridge.evidence.record import Severity
from weighbridge.evidence.store import require_outside

C = TypeVar("C", bound=Callable[..., Any])

_CHOSEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


@dataclass(frozen=True, slots=True)
class Outlet:
    """A format, a file when it does not go to standard output, and from which severity on a person is shown findings.

    What is not shown is counted all the same: the verdict and the exit code are of every finding.
    """

    form: str
    file: Path | None = None
    least: Severity | None = None

    def showing(self, least: str | None) -> Outlet:
        """Return the outlet that shows findings from a severity on.

        Raises:
            UsageError: When the format is for programs, which must not take a part for the whole.
        """
        if least is None:
            return self
        if self.form != "text":
            raise UsageError(
                f"--severity is about what a person is shown, and {self.form} is the whole report",
                remedy="leave it out, and choose among the findings where they are read; limits belong into a policy",
            )
        return replace(self, least=Severity(least))

    def require_outside(self, model: Path) -> None:
        """Refuse a file in or at the model, where it would change or destroy what is examined.

        Raises:
            UsageError: When it lies there.
        """
        if self.file is not None:
            require_outside(self.file, model=model, what="the report")


FOR_PEOPLE: Final = frozenset({"text", "explain"})
"""Formats that a person reads on standard output, with what was written beside the tables."""


def note(text: str, *, form: str) -> None:
    """Say what was written: where a person reads the tables, or beside a document that a program reads."""
    click.echo(text, err=form not in FOR_PEOPLE)


def format_options(formats: Sequence[str], *, default: str | None = "text") -> Callable[[C], C]:
    """Add ``--format``, ``--json`` and ``--quiet``; the command gets the format as ``output``."""

    def decorate(function: C) -> C:
        @functools.wraps(function)
        def chosen(*args: Any, as_json: bool, quiet: bool, output: str | None, **rest: Any) -> Any:  # noqa: ANN401
            if as_json:
                source = click.get_current_context().get_parameter_source("output")
                if source in _CHOSEN and output != "json":
                    raise UsageError(f"--json and --format {output} exclude each other", remedy="give one of them")
                output = "json"
            with contextlib.ExitStack() as stack:
                if quiet:
                    nowhere = stack.enter_context(open(os.devnull, "w", encoding="utf-8"))
                    stack.enter_context(contextlib.redirect_stdout(nowhere))
                return function(*args, output=output, **rest)

        shown = "[default: text, or by the ending of -o]" if default is None else None
        for option in (
            click.option("--quiet", is_flag=True, help="Print nothing on standard output: the exit code says it."),
            click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
            click.option(
                "--format",
                "output",
                type=click.Choice(formats),
                default=default,
                show_default=default is not None,
                help=shown,
            ),
        ):
            chosen = option(chosen)
        return cast("C", chosen)

    return decorate


def outlet_options(function: C) -> C:
    """Add the options that say where the report of a check goes; the command gets an ``Outlet`` as ``output``."""

    @functools.wraps(function)
    def placed(*args: Any, written: Path | None, output: str | None, **rest: Any) -> Any:  # noqa: ANN401
        return function(*args, output=Outlet(_write.format_for(written, output), written), **rest)

    file = click.option(
        "-o",
        "--output",
        "written",
        type=click.Path(path_type=Path),
        help="Write the report to this file; its ending decides the format.",
    )
    return cast("C", format_options(_write.FORMATS, default=None)(file(placed)))


SEVERITY = click.option(
    "--severity",
    "least",
    type=click.Choice([item.value for item in Severity if item is not Severity.UNKNOWN]),
    help="Show a person findings from here on, and say how many are not shown. The answer counts them all.",
)
"""The option that shortens a table; it changes no answer."""
