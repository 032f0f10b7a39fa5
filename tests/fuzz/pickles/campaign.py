"""Generate, scan, load what is clean, keep count, and keep the bytes of every defect."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.fuzz.pickles.generator import Case, Generator
from tests.fuzz.pickles.session import Defect, Item, Session
from tests.fuzz.pickles.shrink import shrink
from weighbridge.checks.model_scan.formats import scan_content
from weighbridge.checks.model_scan.report import TooManyNotesError
from weighbridge.checks.model_scan.scan import Scan
from weighbridge.checks.model_scan.source import Memory

BATCH: Final = 1000
"""Clean files that one forked child loads: to fork a process of this size takes as long as to load a hundred."""

_BY_NUMBERS: Final = frozenset(
    {"time", "memory", "hang", "crash-SIGSEGV", "crash-SIGFPE", "crash-SIGABRT", "crash-SIGBUS"}
)


def is_excused(defect: Defect) -> bool:
    """Tell whether a defect is what docs/model-scan.md names as not seen: native code that is fed with odd numbers.

    Only *calling* a model may end so, and showing it may take long; it is counted apart, as ``in use``.
    """
    return (defect.phase == "call" and defect.kind in _BY_NUMBERS) or (defect.phase == "look" and defect.kind == "time")


Judge = Callable[[Item], bool]


def is_clean(item: Item) -> bool:
    """Tell whether the scan calls a file clean."""
    scan = Scan.start()
    try:
        scan_content(scan, Memory(item.data), "m", name="m.pt" if item.loader == "torch" else "m.pkl")
    except TooManyNotesError:
        return False
    return not scan.notes.findings and not scan.notes.undecided


@dataclass(slots=True)
class Tally:
    """What was tried, and what came of it."""

    generated: int = 0
    trees: int = 0
    clean: int = 0
    loaded: int = 0
    raised: int = 0
    defects: Counter[str] = field(default_factory=Counter)
    in_use: Counter[str] = field(default_factory=Counter)
    examples: dict[str, tuple[Defect, Case]] = field(default_factory=dict)

    def take(self, defect: Defect, case: Case) -> None:
        """Count a defect, and keep the smallest file of its kind."""
        if is_excused(defect):
            self.in_use[defect.kind] += 1
            return
        self.defects[defect.kind] += 1
        known = self.examples.get(defect.kind)
        if known is None or len(defect.item.data) < len(known[0].item.data):
            self.examples[defect.kind] = (defect, case)


def run(
    session: Session,
    *,
    listed: frozenset[tuple[str, str]],
    seed: int,
    cases: int,
    until: float = float("inf"),
    judge: Judge = is_clean,
    enough: frozenset[str] | None = None,
    spellings: int = 0,
) -> Tally:
    """Try so many cases, or until a moment of the monotonic clock, or until ``enough`` kinds of defects were found.

    Each clean one is written and judged in so many ``spellings`` more, which are loaded but not used: what they give is
    the same. The loader works while the next batch is made.
    """
    generator = Generator(session.environment, listed=listed, seed=seed)
    tally = Tally()
    under_way: list[Case] = []
    while tally.generated < cases and time.monotonic() < until:
        batch: list[Case] = []
        while len(batch) < BATCH and tally.generated < cases:
            case = generator.make()
            clean = judge(case.item)
            generator.judge(case, clean=clean)
            tally.generated += 1
            tally.trees += clean
            if clean:
                batch.append(case)
                tally.generated += spellings
                batch += [one for one in generator.respell(case, times=spellings) if judge(one.item)]
        _receive(session, under_way, tally)
        if batch:
            session.send([case.item for case in batch])
        tally.clean += len(batch)
        under_way = batch
        if enough is not None and enough <= set(tally.defects):
            break
    _receive(session, under_way, tally)
    return tally


def _receive(session: Session, cases: list[Case], tally: Tally) -> None:
    if not cases:
        return
    result = session.receive([case.item for case in cases])
    tally.loaded += result.loaded
    tally.raised += result.raised
    by_item = {id(case.item): case for case in cases}
    for defect in result.defects:
        tally.take(defect, by_item[id(defect.item)])


def smallest(session: Session, defect: Defect, case: Case, *, judge: Judge = is_clean, tries: int = 300) -> Item:
    """Return a smaller file with the same kind of defect, or the file itself when no other form of it has that."""

    def has_it(item: Item) -> bool:
        return judge(item) and any(found.kind == defect.kind for found in session.load([item]).defects)

    if not has_it(case.rewritten(case.tree)):
        return defect.item
    return case.rewritten(shrink(case.tree, still=lambda tree: has_it(case.rewritten(tree)), tries=tries))


def keep(folder: Path, defect: Defect, item: Item) -> Path:
    """Write the bytes of a defect, and what it did, into a folder; ``--replay`` takes them from there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{defect.kind}-{hashlib.sha256(item.data).hexdigest()[:12]}.{item.loader}"
    path.write_bytes(item.data)
    note = {"kind": defect.kind, "phase": defect.phase, "detail": defect.detail, "alone": defect.alone}
    path.with_suffix(path.suffix + ".json").write_text(json.dumps(note) + "\n", encoding="utf-8")
    return path
