"""Run one check from start to record: the worker examines, the parent adds what a worker must not say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import msgspec

from weighbridge import __version__, _json
from weighbridge.checks.interface import (
    LIMITS,
    CheckRequest,
    LeakageOptions,
    ModelFile,
    Options,
    RobustnessOptions,
)
from weighbridge.checks.seeding import seeded
from weighbridge.checks.worker import reach
from weighbridge.checks.worker.parent import examine
from weighbridge.clock import Clock, format_instant
from weighbridge.errors import ParseError, UsageError
from weighbridge.evidence.record import BOUNDS, LABEL, CheckRecord, ExaminedFile, Tool, View
from weighbridge.model.view import PrivateView

TOOL = "weighbridge"
"""Name of the tool in evidence."""


def run_check(
    request: CheckRequest,
    *,
    view: PrivateView | None,
    clock: Clock,
    nonce: str,
    secrets: Sequence[Path] = (),
    stop: Event | None = None,
    seed_secret: bytes | None = None,
) -> CheckRecord:
    """Examine a model in a confined worker and return what was established.

    The worker reads the model through the private view and in no other way; without a view, which is for an audit of
    no model, it is given no file. Files, view, times, tool and nonce are never the worker's word. ``secrets`` are
    paths that the worker must not be able to reach; a request that would give it one is refused. Setting ``stop`` from
    another thread ends the worker. The seed of a statistic follows from model and data, and from ``seed_secret`` where
    a platform has one.

    Raises:
        UsageError: When an option is out of range, or an input lies where a secret lies.
        WorkerError: When no worker can be started at all.
    """
    _require_valid(request)
    request, seed = (request, None) if view is None else seeded(request, model=view.digest, secret=seed_secret)
    if view is not None:
        reach.refuse_copied(secrets, {entry.name: entry.inode for entry in view.entries})
    started = clock()
    with given_view(request, view) as given:
        examination = examine(given, limits=LIMITS[request.check], secrets=secrets, stop=stop)
    return CheckRecord(
        check=request.check,
        tool=Tool(name=TOOL, version=__version__),
        confinement=examination.confinement,
        nonce=nonce,
        started=format_instant(started),
        finished=format_instant(clock()),
        parameters=parameters_of(request.options),
        findings=examination.output.findings,
        undecided=examination.output.undecided,
        measurements=examination.output.measurements,
        view=View(kind=view.kind, summary=view.summary) if view is not None else None,
        files=examined_files(view) if view is not None else (),
        seed=seed,
        tries=None if seed is None else "unknown",
    )


def examined_files(view: PrivateView) -> tuple[ExaminedFile, ...]:
    """Return the files of a view as a record states them."""
    return tuple(ExaminedFile(path=file.name, size=file.size, sha256=file.sha256) for file in view.files)


@contextmanager
def given_view(request: CheckRequest, view: PrivateView | None) -> Iterator[CheckRequest]:
    """Give a request the files of a view, by a descriptor of its own that is open as long as this lasts."""
    if view is None:
        yield msgspec.structs.replace(request, files=())
        return
    with view.opened() as descriptor:
        files = tuple(
            ModelFile(
                name=file.name,
                size=file.size,
                descriptor=descriptor,
                path=file.path,
                start=file.start,
                elsewhere=file.elsewhere,
            )
            for file in view.files
        )
        yield msgspec.structs.replace(request, files=files)


def _require_valid(request: CheckRequest) -> None:
    try:
        _json.parse(_json.dumps(request), CheckRequest, what=f"the options of {request.check}")
    except ParseError as error:
        raise UsageError(error.message, remedy=f"see `weighbridge {request.check} --help`") from None


def parameters_of(options: Options) -> dict[str, str | int | float | bool]:
    """Return the options that change a result and are plain numbers; inputs are named by digest elsewhere."""
    plain = msgspec.to_builtins(options)
    found: dict[str, str | int | float | bool] = {
        name: value for name, value in plain.items() if isinstance(value, (int, float))
    }
    if isinstance(options, (RobustnessOptions, LeakageOptions)):
        # What the caller says of the data is no part of the data, and the gate asks who may say it.
        found |= {} if options.label is None else {LABEL: options.label}
        found |= {} if options.bounds is None else dict(zip(BOUNDS, options.bounds, strict=True))
    return found
