"""Scan a whole pickle file: one pickle and nothing behind it, or PyTorch's row of them."""

from __future__ import annotations

from weighbridge.checks.model_scan.allow import load_lists
from weighbridge.checks.model_scan.pickle.context import Context
from weighbridge.checks.model_scan.pickle.machine import Machine
from weighbridge.checks.model_scan.reader import Reader
from weighbridge.checks.model_scan.report import RefusedError, UndecidedError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Source
from weighbridge.checks.model_scan.torch_archive import is_legacy, scan_legacy


def make_context(scan: Scan, source: Source, location: str) -> Context:
    """Return what surrounds a pickle of this scan, with every allow list."""
    return Context(
        notes=scan.notes,
        location=location,
        rules=load_lists().rules,
        attributes=load_lists().attributes,
        budget=scan.budget,
        source=source,
        depth=scan.depth,
        nested=_scan_nested,
    )


def scan_pickle(scan: Scan, source: Source, location: str) -> None:
    """Follow a pickle to its end and refuse anything behind it.

    Raises:
        RefusedError: The bytes are no such pickle.
        UndecidedError: A budget is spent.
    """
    _follow(make_context(scan, source, location))


def _scan_nested(outer: Context, source: Source) -> None:
    context = outer.inside(source, location=f"{outer.location}!nested")
    try:
        _follow(context)
    except (RefusedError, UndecidedError) as error:
        outer.notes.error(error, location=context.location)


def _follow(context: Context) -> None:
    if is_legacy(context.source):
        scan_legacy(context)
        return
    reader = Reader(context.source)
    Machine(reader, context).run()
    if reader.at_end():
        return
    context.finding("trailing-bytes", "bytes follow the end of the pickle", offset=reader.tell())
    # A second pickle is followed as well, so that what it imports stands in the report.
    start = reader.tell()
    try:
        Machine(reader, context).run()
    except RefusedError:
        return
    context.finding("second-pickle", "a second pickle follows the first", offset=start)
