"""Why a check that runs a model does not measure something: the reasons that robustness and leakage share."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.rule import Reason
from weighbridge.errors import InputError
from weighbridge.evidence.record import Undecided

REASONS: Final = (
    Reason(
        id="model-not-run",
        title="a file of the model could not be run or examined",
        meaning=(
            "Models are found by their bytes: ONNX, and pickles of scikit-learn estimators that the model scan finds "
            "clean. This one could not be loaded, is no classifier over the rows of the data, or its library is not "
            "installed; the place says which."
        ),
        remedy="export the classifier to ONNX, with one input of rows and one output of scores; leave this file out",
    ),
    Reason(
        id="data-not-usable",
        title="the data of the check cannot be used",
        meaning="A figure over other rows than were meant, or over too few, would say nothing of the model.",
        remedy="write the file again: numpy.savez(FILE, x=rows, y=labels), with labels as whole numbers",
    ),
    Reason(
        id="control-not-held",
        title="a control of the measurement did not hold",
        meaning=(
            "Each measurement asks something that it knows the answer to, such as the same row twice. A model for "
            "which that fails hides what the figure would show, by noise, by rounding or on purpose."
        ),
        remedy="serve and export the model without what disturbs its answers, and run the check again",
    ),
    Reason(
        id="file-not-measured",
        title="a file lies in the model that nothing measured",
        meaning=(
            "It is no text that people read, so it may be what is served, or rows of the training. What was measured "
            "beside it says nothing of it."
        ),
        remedy="leave it out of the model, or make a model of its own of it, with evidence of its own",
    ),
)
"""The reasons of robustness and leakage."""

_STEPS: Final = {reason.id: reason.remedy for reason in REASONS}
_LONGEST: Final = 4096


def left_open(code: str, reason: str, *, location: str, remedy: str = "") -> Undecided:
    """Return a place that was not measured; without a remedy it has that of its reason."""
    return Undecided(location=location, reason=reason[:_LONGEST], code=code, remedy=remedy or _STEPS[code])


def of_error(location: str, error: InputError) -> Undecided:
    """Return what an error of the data or of a model's file leaves open."""
    from weighbridge.checks.data.limits import DataError

    code = "data-not-usable" if isinstance(error, DataError) else "model-not-run"
    return left_open(code, error.message, location=location, remedy=error.remedy)
