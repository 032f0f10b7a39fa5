"""The robustness check: accuracy under a score-based black-box attack, for every loadable file of a model."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from weighbridge._binomial import upper_bound
from weighbridge.checks.data.examples import Examples, read_examples
from weighbridge.checks.data.labels import classes_of
from weighbridge.checks.data.raw import Choice
from weighbridge.checks.interface import CheckOutput, CheckRequest, RobustnessOptions
from weighbridge.checks.robustness.attack import NAME
from weighbridge.checks.robustness.controls import REMEDIES
from weighbridge.checks.robustness.measure import Setting, measure
from weighbridge.checks.runners.controls import doubts
from weighbridge.checks.runners.entries import find_entries, load, worker_safeguards
from weighbridge.checks.runners.interface import RunnerError
from weighbridge.checks.runners.reasons import of_error
from weighbridge.checks.runners.unmeasured import unmeasured
from weighbridge.errors import InputError
from weighbridge.evidence.measurements import RobustnessEntry, RobustnessMeasurements
from weighbridge.evidence.record import Finding, Severity, Undecided

RULE: Final = "accuracy-under-attack-below-limit"

_STREAM_SAMPLE: Final = 0


def run(request: CheckRequest, /) -> CheckOutput:
    """Attack every loadable file of the model.

    A file that cannot be loaded, a control that does not hold, unusable data and a model without any file that can
    be run are undecided. The only finding is a limit that the model surely misses, when a limit was given.
    """
    options = request.options
    if not isinstance(options, RobustnessOptions):
        raise TypeError(f"robustness was asked for {request.check}")
    try:
        choice = Choice(options.label, options.bounds)
        examples = _sample(read_examples(Path(options.data), choice=choice), options)
        entries = find_entries(request.files)
    except InputError as error:
        return CheckOutput(undecided=(of_error(Path(request.model).name, error),))
    setting = Setting(
        x=examples.x,
        y=examples.y.numbers,
        image=examples.image,
        bounds=examples.bounds,
        epsilon=options.epsilon * (examples.bounds[1] - examples.bounds[0]),
        queries=options.queries,
        seed=_seed(options),
    )
    threads, safeguards = len(os.sched_getaffinity(0)), worker_safeguards()
    measured: list[RobustnessEntry] = []
    undecided: list[Undecided] = []
    read = {entry.name for entry in entries}
    for entry in entries:
        try:
            loaded = load(entry, features=setting.x.shape[1], threads=threads, safeguards=safeguards)
            read.update(loaded.beside)
            (y,) = classes_of((examples.y,), classes=loaded.runner.classes, names=loaded.names)
            measured.append(measure(loaded.runner, entry.name, replace(setting, y=y)))
        except RunnerError as error:
            undecided.append(of_error(entry.name, error))
    for result in measured:
        undecided.extend(doubts(result.path, result.controls, remedies=REMEDIES))
    undecided.extend(unmeasured(request.files, read))
    return CheckOutput(
        findings=tuple(finding for result in measured for finding in _findings(result, options)),
        undecided=tuple(undecided),
        measurements=_measurements(examples, options, measured),
    )


def _seed(options: RobustnessOptions) -> int:
    # The parent has filled it in; only a direct call has none.
    return options.seed if options.seed is not None else 0


def _sample(examples: Examples, options: RobustnessOptions) -> Examples:
    if len(examples.x) <= options.samples:
        return examples
    rng = np.random.default_rng([_seed(options), _STREAM_SAMPLE])
    chosen = np.sort(rng.choice(len(examples.x), size=options.samples, replace=False))
    return examples.take(chosen)


def _measurements(
    examples: Examples, options: RobustnessOptions, measured: list[RobustnessEntry]
) -> RobustnessMeasurements:
    return RobustnessMeasurements(
        data=examples.source,
        norm="linf",
        epsilon=options.epsilon,
        bounds=examples.bounds,
        attack=NAME,
        queries_per_example=options.queries,
        seed=_seed(options),
        entries=tuple(measured),
    )


def _findings(entry: RobustnessEntry, options: RobustnessOptions) -> list[Finding]:
    if options.at_least is None or entry.examples == 0:
        return []
    high = upper_bound(entry.survived, entry.examples, confidence=options.confidence)
    if high >= options.at_least:
        return []
    return [
        Finding(
            rule=RULE,
            severity=Severity.HIGH,
            message=(
                f"accuracy under attack is at most {high:.3f} with confidence {options.confidence:g} "
                f"({entry.survived} of {entry.examples} withstood epsilon {options.epsilon:g}); "
                f"the limit is {options.at_least:g}"
            ),
            location=entry.path,
            remedy="Train the model to withstand small changes of its inputs (adversarial training), or lower epsilon.",
        )
    ]
