"""What the commands of all checks do: make a private view, examine it, sign, report."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from weighbridge.checks.interface import CheckRequest, DependencyAuditOptions, Options
from weighbridge.checks.run import run_check
from weighbridge.cli import _views, _write
from weighbridge.cli._options import (
    EVIDENCE,
    EXIT_CODES,
    evidence_directory,
    examined_image,
    new_nonce,
    viewed,
)
from weighbridge.cli._outlet import Outlet, outlet_options
from weighbridge.cli._passphrases import PASSPHRASE_FILE, keep_others_out, open_key
from weighbridge.cli._progress import working
from weighbridge.clock import system_clock
from weighbridge.evidence.measurements import DependencyAuditMeasurements
from weighbridge.evidence.record import CheckRecord
from weighbridge.evidence.store import DirectoryStore
from weighbridge.gate.run import sign_record
from weighbridge.model.digest import Digest, combine
from weighbridge.report.check_json import CheckReport, check_report, write_json
from weighbridge.report.facts import result_of
from weighbridge.report.interface import ReportInput

C = TypeVar("C", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a check's result goes: to an outlet, and signed into a directory when there is a key."""

    output: Outlet
    evidence: Path | None
    key: Path | None
    passphrase_file: Path | None


@dataclass(frozen=True, slots=True)
class Examined:
    """What a check found out about one model, and where the evidence of it lies."""

    record: CheckRecord
    model: Path
    digest: Digest
    source: str = ""
    signer: str | None = None

    def report(self) -> ReportInput:
        """Return the value that reports are made from."""
        return _views.of_record(
            self.record,
            model=self.model.name,
            digest=self.digest,
            signer=self.signer,
            source=self.source,
            place=_views.place_of(self.model),
        )

    def json(self) -> CheckReport:
        """Return what programs are told."""
        return check_report(self.record, model=self.model.name, digest=self.digest)


def check_options(function: C) -> C:
    """Add the options that every check has beside its model."""
    for option in (
        outlet_options,
        PASSPHRASE_FILE,
        click.option("--key", type=click.Path(path_type=Path), help="Private key; without one nothing is signed."),
        EVIDENCE,
    ):
        function = option(function)
    return function


def perform(model: Path, options: Options, *, destination: Destination) -> int:
    """Run one check on a model and return the exit code.

    Digest, image and evidence are of the bytes that the worker could read.

    Raises:
        ModelError: When the model changed while it was examined; nothing is signed then.
    """
    destination.output.require_outside(model)
    return deliver(examine(model, options, destination=destination), destination.output)


def examine(model: Path, options: Options, *, destination: Destination) -> Examined:
    """Run one check on a model, and sign what it found when there is a key.

    Raises:
        ModelError: As ``perform``.
    """
    store = DirectoryStore(evidence_directory(model, destination.evidence))
    if destination.key is not None:
        store.require_outside(model)
    request = CheckRequest(model=os.path.abspath(model), options=options)
    if destination.key is not None:
        # From here on, and not only while the key is open: what is found now is what will be signed.
        keep_others_out()
    secrets = [path for path in (destination.key, destination.passphrase_file) if path is not None]
    with viewed(model) as view:
        with working(f"{request.check}: {model.name}"):
            record = run_check(request, view=view, clock=system_clock, nonce=new_nonce(), secrets=secrets)
        image = examined_image(view)
    digest, manifest = view.digest, image.manifest_digest
    if destination.key is None:
        return Examined(record, model, digest)
    key = open_key(destination.key, passphrase=destination.passphrase_file)
    paths = sign_record(record, model=digest, manifest=manifest, name=model.name, store=store, signer=key)
    for path in paths:
        click.echo(f"evidence: {path}", err=True)
    return Examined(record, model, digest, paths[0].name, key.public.id)


def perform_without_model(options: DependencyAuditOptions, *, output: Outlet) -> int:
    """Audit dependencies that belong to no model yet; nothing can be signed. The report is about what was audited.

    Its subject is the digest over the audited inputs, by name and content, as if they were a model's files.
    """
    request = CheckRequest(model=options.advisories, options=options)
    with working(str(request.check)):
        record = run_check(request, view=None, clock=system_clock, nonce=new_nonce())
    measured = record.measurements
    sources = measured.sources if isinstance(measured, DependencyAuditMeasurements) else ()
    digest = combine(sorted((source.name, source.sha256) for source in sources))
    name = ", ".join(source.name for source in sources) or "nothing"
    return deliver(Examined(record, Path(name), digest), output)


def deliver(examined: Examined, outlet: Outlet) -> int:
    """Write what was found to the outlet, and return the exit code."""
    if outlet.form == "json":
        _write.write(write_json(examined.json()), to=outlet.file)
    elif outlet.form == "text":
        _write.show(examined.report(), to=outlet.file, least=outlet.least)
    else:
        _write.write(_write.render(examined.report(), output=outlet.form), to=outlet.file)
    return EXIT_CODES[result_of(examined.record)]
