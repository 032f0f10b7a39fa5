"""``weighbridge split DATA``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from weighbridge._files import make_directory, write_new
from weighbridge.cli._data_options import BOUNDS, LABEL
from weighbridge.errors import UsageError

if TYPE_CHECKING:
    from weighbridge.checks.data.split import Split

PATH = click.Path(path_type=Path)
INPUT = click.Path(path_type=Path, exists=True)

NAMES: Final = ("members.npz", "non-members.npz")
"""The files that are written."""

FEW: Final = 100
"""With fewer rows a side nothing can be said of a false-positive rate of 1 %."""


@click.command(short_help="Make members and non-members from your own data.")
@click.argument("data", type=INPUT, required=False)
@click.option(
    "--members",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="Share of DATA to train on.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Makes another division.")
@click.option("--train", type=INPUT, help="In place of DATA: the rows that the model is trained on.")
@click.option("--test", type=INPUT, help="With --train: rows that it is not trained on.")
@LABEL
@BOUNDS
@click.option("-o", "--output", type=PATH, default=Path(), help="Directory to write to. [default: the current one]")
def command(
    data: Path | None,
    members: float,
    seed: int,
    train: Path | None,
    test: Path | None,
    label: str | None,
    bounds: tuple[float, float] | None,
    output: Path,
) -> None:
    """Divide DATA into members.npz, to train on, and non-members.npz, to keep out of training.

    A leakage check tells rows that were trained on from rows that were not, so it needs to know which are which. Train
    on members.npz and on nothing else of DATA. Of a model that was trained on all of DATA, or on another part, this
    division says nothing: its non-members would be members, and a leak would not show. Where you have divided your
    data already, give both parts with --train and --test.

    Copies of a row come to one side, and each class is divided by the same share. The same data and seed give the same
    files. DATA is read in this process, not in a confined worker: it is your own.
    """
    split = _split(data, members, seed, train, test, label, bounds)
    make_directory(output)
    for name, content in zip(NAMES, (split.members, split.non_members), strict=True):
        write_new(output / name, content)
    _tell(split, output, trained=train is not None)


def _split(
    data: Path | None,
    members: float,
    seed: int,
    train: Path | None,
    test: Path | None,
    label: str | None,
    bounds: tuple[float, float] | None,
) -> Split:
    try:
        from weighbridge.checks.data.examples import read_examples
        from weighbridge.checks.data.raw import Choice
        from weighbridge.checks.data.split import convert, divide
    except ImportError as error:
        raise UsageError(
            f"data cannot be read without numpy: {error}", remedy="install it: pip install 'weighbridge[data]'"
        ) from None
    choice = Choice(label, bounds)
    if data is not None and train is None and test is None:
        return divide(read_examples(data, choice=choice), members=members, seed=seed)
    if data is None and train is not None and test is not None:
        return convert(read_examples(train, choice=choice), read_examples(test, choice=choice))
    raise UsageError(
        "what to divide is not clear", remedy="give DATA, or --train and --test with the two parts that you have"
    )


def _tell(split: Split, output: Path, *, trained: bool) -> None:
    inside, outside = (output / name for name in NAMES)
    click.echo(f"{inside}: {split.rows[0]} rows, {'which the model was trained on' if trained else 'to train on'}")
    click.echo(f"{outside}: {split.rows[1]} rows, to keep out of training")
    if split.left_out:
        click.echo(f"{split.left_out} rows of the test data also stand in the training data, and were left out")
    click.echo(f"bounds: {split.bounds[0]:g} to {split.bounds[1]:g}, stated in both files")
    if not trained:
        click.echo(f'to train: d = numpy.load("{inside}"); model.fit(d["x"], d["y"])')
        click.echo("a model that has seen rows of the other file, such as one trained before, is not measured by these")
    if min(split.rows) < FEW:
        click.echo(
            f"mind: with fewer than {FEW} rows a side nothing can be said of a false-positive rate of 1 %; some "
            "thousand make a narrow interval",
            err=True,
        )
    click.echo(f"then: weighbridge leakage MODEL --members {inside} --non-members {outside}")
