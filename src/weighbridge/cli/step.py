"""``weighbridge step NAME``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from weighbridge.cli import fail
from weighbridge.cli._options import EXIT_CODES
from weighbridge.cli._passphrases import open_key
from weighbridge.clock import system_clock
from weighbridge.errors import UsageError, VerificationError
from weighbridge.evidence.keys import Signer
from weighbridge.pipelines.spec import STEPS, Input, Kind, Step

_TYPES: Final[dict[Kind, Any]] = {
    Kind.PATH: click.Path(path_type=Path),
    Kind.DOCUMENT: click.Path(path_type=Path),
    Kind.TEXT: str,
    Kind.INTEGER: int,
    Kind.NUMBER: float,
}


@click.group(short_help="Run one step of a pipeline: Kubeflow Pipelines, Argo or plain CI.")
def command() -> None:
    """Run one step of a pipeline, from the message of Kubeflow Pipelines (`--executor-input`) or from plain paths.

    A check exits with 0 when it wrote what it measured, whatever that says. Only gate and verify-model stop a
    pipeline: then they exit with 1 or 2 and write no model. The container that opens the model never has a key:
    checks write measurements, and sign-model signs them.
    """


def _option(each: Input) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    text = each.help if each.default in (None, "") else f"{each.help} [default: {each.default}]"
    return click.option(f"--{each.name.replace('_', '-')}", each.name, type=_TYPES[each.kind], help=text)


def _command(step: Step) -> click.Command:
    def call(executor_input: str | None, out: Path | None, **given: object) -> int:
        return run_step(step, executor_input=executor_input, out=out, given=given)

    function: Callable[..., Any] = call
    files = ", ".join(output.file for output in step.outputs)
    function = click.option("--out", type=_TYPES[Kind.PATH], help=f"Directory for {files}.")(function)
    for each in reversed(step.inputs):
        function = _option(each)(function)
    function = click.option("--executor-input", help="The message of Kubeflow Pipelines in place of paths.")(function)
    return click.command(name=step.name, help=step.help, short_help=step.help)(function)


for _step in STEPS.values():
    command.add_command(_command(_step))


def run_step(step: Step, *, executor_input: str | None, out: Path | None, given: dict[str, object]) -> int:
    """Do one step and return the exit code.

    Raises:
        WeighbridgeError: When it could not be done.
    """
    # Before anything slow: whoever watches the log of a pod sees that it runs.
    click.echo(f"{step.name}: started", err=True)
    from weighbridge.pipelines.call import from_executor, from_plain
    from weighbridge.pipelines.executor import ExecutorInput
    from weighbridge.pipelines.perform import Surroundings, perform
    from weighbridge.report._text import clean

    message = None
    if executor_input is not None:
        named = [name for name, value in given.items() if value is not None] + (["out"] if out is not None else [])
        if named:
            raise UsageError(
                f"--executor-input says everything, and --{named[0].replace('_', '-')} was given beside it",
                remedy="give one or the other",
            )
        message = ExecutorInput.parse(executor_input)
    call = from_plain(step, given, out=out) if message is None else from_executor(step, message)
    around = Surroundings(clock=system_clock, open_key=_open_key, render=_render)
    try:
        outcome = perform(call, around)
    except VerificationError as error:
        return fail(error.message, remedy=error.remedy, label=f"{step.name}: refused", code=EXIT_CODES["failed"])
    if message is not None:
        message.write_output(outcome.metadata)
    click.echo(f"{step.name}: {clean(outcome.line)}", err=True)
    if not outcome.stops:
        return 0
    return fail(outcome.stops, label=f"{step.name}: no model was released", code=EXIT_CODES[outcome.result])


def _open_key(path: Path, passphrase: Path | None) -> Signer:
    return open_key(path, passphrase=passphrase)


def _render(judgement: Any) -> str:  # noqa: ANN401 - typed where it is made; importing it here would load the gate
    from weighbridge.cli import _views
    from weighbridge.report.markdown import render

    view = _views.of_decision(judgement.decision, model="model", files=judgement.files, signed_by=judgement.role)
    return render(view)
