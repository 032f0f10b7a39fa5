"""The leakage check: membership inference and verbatim rows, for every loadable file of a model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np

from weighbridge.checks.data.examples import Examples, read_examples
from weighbridge.checks.data.limits import DataError
from weighbridge.checks.data.raw import Choice
from weighbridge.checks.interface import CheckOutput, CheckRequest, LeakageOptions
from weighbridge.checks.leakage.artifact import Verbatim
from weighbridge.checks.leakage.measure import measure
from weighbridge.checks.leakage.membership import enough_rows
from weighbridge.checks.leakage.rows import common_rows
from weighbridge.checks.runners.controls import doubts
from weighbridge.checks.runners.entries import Entry, find_entries, load, worker_safeguards
from weighbridge.checks.runners.interface import RunnerError
from weighbridge.checks.runners.reasons import left_open, of_error
from weighbridge.checks.runners.unmeasured import unmeasured
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import LeakageEntry, LeakageMeasurements
from weighbridge.evidence.record import Finding, Severity, Undecided

RULE: Final = "training-rows-in-artifact"

MIN_ROWS: Final = 20
"""Fewest members and non-members with which anything is measured."""


def run(request: CheckRequest, /) -> CheckOutput:
    """Measure what every loadable file of the model tells about its training rows.

    Undecided are: data that cannot be used, too few rows for a wanted false-positive rate, members that stand among
    the non-members, a control that does not hold, a file that cannot be loaded or examined, a model without any file
    that can be run. The only finding is rows of the training data that lie inside a file.
    """
    options = request.options
    if not isinstance(options, LeakageOptions):
        raise TypeError(f"leakage was asked for {request.check}")
    try:
        choice = Choice(options.label, options.bounds)
        members = read_examples(Path(options.members), choice=choice)
        non_members = read_examples(Path(options.non_members), choice=choice)
        _require_usable(members, non_members, options)
        entries = find_entries(request.files)
    except InputError as error:
        return CheckOutput(undecided=(of_error(Path(request.model).name, error),))
    measured: list[LeakageEntry] = []
    undecided: list[Undecided] = []
    read = {entry.name for entry in entries}
    threads, safeguards = len(os.sched_getaffinity(0)), worker_safeguards()
    for entry in entries:
        try:
            loaded = load(entry, features=members.x.shape[1], threads=threads, safeguards=safeguards)
            read.update(loaded.beside)
            result, verbatim = measure(entry, loaded, members=members, non_members=non_members, options=options)
            measured.append(result)
        except RunnerError as error:
            undecided.append(of_error(entry.name, error))
            continue
        if verbatim.non_members:
            undecided.append(_control_failed(entry, verbatim))
        undecided.extend(doubts(entry.name, result.controls))
    undecided.extend(unmeasured(request.files, read))
    return CheckOutput(
        findings=tuple(_finding(entry, len(members.x)) for entry in measured if entry.verbatim_training_rows),
        undecided=tuple(undecided),
        measurements=LeakageMeasurements(
            members=members.source, non_members=non_members.source, entries=tuple(measured)
        ),
    )


def _require_usable(members: Examples, non_members: Examples, options: LeakageOptions) -> None:
    if members.x.shape[1] != non_members.x.shape[1]:
        raise DataError(f"members have {members.x.shape[1]} numbers an example, non-members {non_members.x.shape[1]}")
    fewest = min(len(members.x), len(non_members.x))
    if fewest < MIN_ROWS:
        raise DataError(f"{fewest} rows are too few; at least {MIN_ROWS} members and non-members are needed")
    for rate in options.rates:
        if not enough_rows(len(non_members.x), rate):
            raise DataError(
                f"{len(non_members.x)} non-members are too few for a false-positive rate of {rate:g}",
                remedy=f"Give at least {int(np.ceil(1 / rate))} non-members, or ask for a higher rate.",
            )
    shared = common_rows(members.x, non_members.x)
    if shared:
        raise DataError(
            f"{shared} of the {len(non_members.x)} non-members are also members",
            remedy="Give rows that the model was not trained on as non-members, without duplicates of members.",
        )


def _finding(entry: LeakageEntry, members: int) -> Finding:
    return Finding(
        rule=RULE,
        severity=Severity.HIGH,
        message=f"{entry.verbatim_training_rows} of {members} training rows lie inside the file as they are",
        location=entry.path,
        remedy="Use a model that does not keep its training data, or treat the file as the data itself.",
    )


def _control_failed(entry: Entry, verbatim: Verbatim) -> Undecided:
    return left_open(
        "control-not-held",
        f"{verbatim.non_members} rows given as non-members lie inside the file: either the model was trained on them "
        "or rows are too simple to be told apart, so no figure about them holds",
        location=entry.name,
        remedy="give rows as non-members that the model was not trained on, with enough numbers each to be told apart",
    )
