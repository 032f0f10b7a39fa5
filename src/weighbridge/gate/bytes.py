"""Whether evidence is about the bytes of this model: asked of every check, by the files that its process could read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from weighbridge.evidence.measurements import ModelScanMeasurements
from weighbridge.evidence.record import CheckRecord, ViewKind
from weighbridge.gate.decision import Problem, VerdictResult
from weighbridge.model.digest import Digest, combine

PRIVATE_VIEWS: Final = frozenset({ViewKind.SEALED, ViewKind.COPY, ViewKind.IMMUTABLE})
"""The views under which what was examined is what was hashed. ``watched`` rests on what the kernel happens to tell."""


def bytes_problems(
    record: CheckRecord, *, model: Digest, accepted_views: frozenset[ViewKind] = PRIVATE_VIEWS
) -> Iterator[Problem]:
    """Yield what keeps a record from being about the bytes of the model, or from having been held well enough."""
    yield from identity_problems(record, model=model)
    yield from view_problems(record, accepted_views=accepted_views)


def identity_problems(record: CheckRecord, *, model: Digest) -> Iterator[Problem]:
    """Yield what keeps a record from being about the bytes of the model.

    The model's digest is computed from the record's files, whatever its subject says. A scan of the first release has
    no files, and counts by its coverage, which the limits of a scan compare with the model.
    """
    measured = record.measurements
    if not record.files:
        if not isinstance(measured, ModelScanMeasurements) or record.view is not None:
            yield _undecided(f"the evidence of {record.check} does not say which bytes were examined")
        return
    listed = [(file.path, file.sha256) for file in record.files]
    # A name with a line break could make two lists of files share a digest; no model has one.
    if any("\n" in path for path, _ in listed) or combine(sorted(listed, key=_by_name)) != model:
        yield _undecided(f"the files that the {record.check} read are not the files of the model")
    elif isinstance(measured, ModelScanMeasurements):
        covered = [(file.path, file.sha256) for file in measured.files]
        if sorted(covered, key=_by_name) != sorted(listed, key=_by_name):
            yield _undecided("the files that the scan covered are not the files that it was given")


def view_problems(record: CheckRecord, *, accepted_views: frozenset[ViewKind]) -> Iterator[Problem]:
    """Yield when the view under which the bytes were read is not one that is accepted."""
    if not record.files:
        return  # that it says nothing of bytes is told already
    if record.view is None:
        yield _undecided(f"the evidence of {record.check} does not say how the bytes were held while it read them")
    elif record.view.kind not in accepted_views:
        yield Problem(
            VerdictResult.UNDECIDED,
            f"the {record.check} read the model under a view that is {record.view.kind}, not private "
            f"({record.view.summary})",
            "run the check where memory or disk has room for a copy of the model, or let the policy say "
            "`view: recorded`",
        )


def _by_name(item: tuple[str, str | None]) -> bytes:
    return item[0].encode(errors="replace")


def _undecided(reason: str) -> Problem:
    remedy = "run the check again on this model, with this version of weighbridge"
    return Problem(VerdictResult.UNDECIDED, reason, remedy)
