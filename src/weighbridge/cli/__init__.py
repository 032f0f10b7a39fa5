"""The command line: one file a sub-command, loaded only when it is called.

Exit codes: 0 passed, 1 failed the policy or found something, 2 undecided, 64 wrong usage; 128 and its number for a
signal that stopped the command.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
import traceback
from importlib import import_module
from typing import Final, TextIO

import click

from weighbridge import __version__
from weighbridge.errors import UsageError, WeighbridgeError

ESCAPES: Final = "weighbridge-escapes"
"""How what a stream cannot encode is written: as escapes that are right in JSON as well."""

UNDECIDED: Final = 2
"""Exit code for everything that is neither passed nor failed."""

WRONG_USAGE: Final = 64
"""Exit code for a call that is wrong whatever the data, as ``sysexits.h`` has it: CI tells a typo from a model that
could not be judged."""

_LAST_STANDARD: Final = 2

COMMANDS: Final[dict[str, str]] = {
    "demo": "Show the whole path on real data, on this machine.",
    "init": "Start from nothing: a policy, and keys to try with.",
    "digest": "Print the digest that identifies a model.",
    "audit": "Audit dependencies against advisories.",
    "scan": "Scan a model for code and for what cannot be judged.",
    "robustness": "Attack a model and measure what it withstands.",
    "leakage": "Measure what a model gives away about its training data.",
    "split": "Make members and non-members from your own data.",
    "gate": "Judge the evidence of a model by a policy.",
    "run": "Run every check that a policy asks for, then the gate.",
    "verify": "Say whether a model may be loaded.",
    "check": "Say which pods of manifests may use an accelerator.",
    "push": "Push a model and its evidence to a registry.",
    "pull": "Pull a model by digest, and the evidence about it.",
    "report": "Write a report of evidence for people or programs.",
    "keys": "Make the keys that sign.",
    "trust": "Say who may sign what, and revoke.",
    "policy": "Write a strict policy, and bind inputs in it.",
    "sign-input": "Answer for a data set, a lock or advisories.",
    "reset-tries": "Forgive earlier tries of a statistic, as an approver.",
    "advisories": "Build and look at advisory bundles.",
    "doctor": "Say what this machine can do and what is missing.",
    "step": "Run one step of a pipeline: Kubeflow Pipelines, Argo or plain CI.",
    "serve": "Release verified pods from their scheduling gate in a cluster.",
    "completion": "Print a completion script for a shell.",
    "version": "Print the version.",
}
"""Every sub-command with its short help, so that ``--help`` loads none of them."""


HELP: Final = frozenset({"-h", "--help"})
_ANSWERING: Final = frozenset({"verify", "gate", "run", "scan", "audit", "check"})
"""Commands whose exit code 0 lets a model pass: a file that is called --help must not bring it about."""
_ALONE: Final = 2
"""Arguments of a command that is asked for its help and nothing else."""
"""What asks for help."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they are usually needed."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"weighbridge.cli.{cmd_name.replace('-', '_')}"), "command")  # noqa: B009
        assert isinstance(command, click.Command)  # noqa: S101
        from weighbridge.cli._variables import give_variables

        give_variables(command, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was typed; a word of another tool ends in what it is called here.

        Raises:
            UsageError: For such a word.
        """
        if args and args[0] not in COMMANDS and not ctx.resilient_parsing:
            from weighbridge.cli._elsewhere import WORDS

            if args[0] in WORDS:
                message, remedy = WORDS[args[0]]
                raise UsageError(f"there is no command {args[0]}: {message}", remedy=remedy)
        name, found, rest = super().resolve_command(ctx, args)
        # Whoever asks for help, or for what to complete, runs nothing that a project could have a say in.
        if found is not None and name is not None and not ctx.resilient_parsing and not HELP.intersection(rest):
            from weighbridge.cli._project import take_settings

            take_settings(ctx, found, name)
        return name, found, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="weighbridge")
def command() -> None:
    """Weighbridge lets no model onto a GPU unverified.

    Checks look at a model and leave signed evidence about its digest; the gate applies your policy to that evidence
    and signs a verdict; whoever loads the model verifies the verdict first.

    Start with `weighbridge demo`. Exit codes: 0 passed, 1 failed, 2 undecided, 64 wrong usage.
    """


def main() -> None:
    """Run the command line and exit with its code; no error ends in a traceback.

    ``WEIGHBRIDGE_DEBUG=1`` shows the traceback of an unexpected error.
    """
    from weighbridge.cli import _signals

    _fill_standard_descriptors()
    codecs.register_error(ESCAPES, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ESCAPES)
    _signals.stop_cleanly()
    code = execute(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        _let_go(stream)
    sys.exit(code)


def _fill_standard_descriptors() -> None:
    # Where the caller closed one (``2>&-``), the next file that is opened would get its number, and what a library
    # prints would be written into it.
    with contextlib.suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _LAST_STANDARD:
            os.set_inheritable(descriptor, True)
        os.close(descriptor)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    # Names that are not UTF-8, and a terminal that is not: what cannot be written is, as JSON writes it too.
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)), error.end


def _let_go(stream: TextIO | None) -> None:
    # The interpreter flushes once more at exit, and ends with a code of its own when that fails.
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def execute(arguments: list[str]) -> int:  # noqa: PLR0911
    """Run one command line and return its exit code."""
    try:
        result = command.main(args=arguments, prog_name="weighbridge", standalone_mode=False)
        if sys.stdout is not None:  # None where the caller closed it
            sys.stdout.flush()
    except SystemExit as error:
        # The library's own end: 0 after shell completion, 1 when the reader went away, which here would mean failed.
        return 0 if error.code == 0 else UNDECIDED
    except click.ClickException as error:
        with contextlib.suppress(OSError):
            error.show()
        return WRONG_USAGE if isinstance(error, click.UsageError) else UNDECIDED
    except (click.Abort, KeyboardInterrupt):
        from weighbridge.cli import _signals

        return fail("stopped", code=_signals.exit_code())
    except WeighbridgeError as error:
        code = WRONG_USAGE if isinstance(error, UsageError) else UNDECIDED
        return fail(error.message, remedy=error.remedy, code=code)
    except UnicodeEncodeError as error:
        return fail(
            f"{error.object!r} is not UTF-8, or this process reads names in another encoding",
            remedy="rename it, or set LC_ALL=C.UTF-8",
        )
    except BrokenPipeError:
        return UNDECIDED  # the reader went away; there is nobody to tell
    except OSError as error:
        return fail(f"{error.filename or 'the output'}: {error.strerror}")
    except Exception as error:
        if os.environ.get("WEIGHBRIDGE_DEBUG"):
            traceback.print_exc()
        return fail(
            f"internal error: {type(error).__name__}: {error}",
            remedy="run again with WEIGHBRIDGE_DEBUG=1 and report what it shows",
        )
    if arguments[:1] and arguments[0] in _ANSWERING and len(arguments) > _ALONE and HELP.intersection(arguments[1:]):
        return fail("help was asked for among other arguments, and nothing was done", code=WRONG_USAGE)
    return result if isinstance(result, int) else 0


def fail(message: str, *, remedy: str = "", label: str = "weighbridge", code: int = UNDECIDED) -> int:
    """Say on standard error what went wrong and what to do, and return the exit code.

    File names and evidence speak through messages, so nothing that steers a terminal is let through.
    """
    from weighbridge.report._text import clean

    with contextlib.suppress(OSError):  # nobody can be told; the exit code still holds
        click.echo(f"{label}: {clean(message)}", err=True)
        if remedy:
            click.echo(f"  next step: {clean(remedy)}", err=True)
    return code
