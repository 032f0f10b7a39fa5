"""What the page shows of a robustness or leakage check on each file: figures, a drawing, and pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from weighbridge.evidence.measurements import (
    LeakageEntry,
    LeakageMeasurements,
    Picture,
    RateAtFpr,
    RobustnessEntry,
    RobustnessMeasurements,
)
from weighbridge.evidence.record import CheckRecord
from weighbridge.report.html.charts import Chart, accuracy_chart, roc_chart
from weighbridge.report.html.png import data_uri, decode_pixels, encode_grey
from weighbridge.report.html.rows import MAX_ENTRIES, MAX_ROWS, Rows
from weighbridge.report.summary import CONFIDENCE, interval, percent

MAX_PICTURES: Final = 12
"""Pictures of one attacked file."""

_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureView:
    """One example: as it was, as the attack made it, and the difference; None for what cannot be decoded."""

    clean: str | None
    adversarial: str | None
    difference: str | None
    picture: Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackedFile:
    """One attacked file with its figures."""

    entry: RobustnessEntry
    share: str
    low: str
    high: str
    clean_share: str
    chart: Chart | None
    pictures: tuple[PictureView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedFile:
    """One file examined for leakage."""

    entry: LeakageEntry
    chart: Chart | None
    rates: tuple[RateAtFpr, ...]


def attacked(record: CheckRecord, measurements: RobustnessMeasurements) -> Rows:
    """Return the attacked files with what was measured on each; the policy's limit is drawn where the record has it."""
    wanted = record.parameters.get("atLeast", record.parameters.get("at_least"))
    limit = float(wanted) if isinstance(wanted, float) else None
    kept = tuple(_attacked_file(entry, limit=limit) for entry in measurements.entries[:MAX_ENTRIES])
    return Rows(items=kept, hidden=len(measurements.entries) - len(kept))


def _attacked_file(entry: RobustnessEntry, *, limit: float | None) -> AttackedFile:
    low, high = interval(entry.survived, entry.examples)
    return AttackedFile(
        entry=entry,
        share=percent(min(entry.survived / entry.examples, 1.0)) if entry.examples else "no example",
        low=percent(low),
        high=percent(high),
        clean_share=percent(min(entry.correct / entry.examples, 1.0)) if entry.examples else "no example",
        chart=accuracy_chart(entry.curve, examples=entry.examples, limit=limit),
        pictures=tuple(_picture(item) for item in entry.pictures[:MAX_PICTURES]),
    )


def _picture(picture: Picture) -> PictureView:
    width, height = picture.width, picture.height
    before = decode_pixels(picture.clean, width=width, height=height)
    after = decode_pixels(picture.adversarial, width=width, height=height)
    difference = None
    if before is not None and after is not None:
        # Grey is no change; lighter and darker are more and less, twice as strong as they are.
        changed = bytes(min(255, max(0, 128 + 2 * (new - old))) for old, new in zip(before, after, strict=True))
        difference = _image(changed, width, height)
    return PictureView(
        clean=_image(before, width, height),
        adversarial=_image(after, width, height),
        difference=difference,
        picture=picture,
    )


def _image(pixels: bytes | None, width: int, height: int) -> str | None:
    return data_uri(encode_grey(pixels, width=width, height=height)) if pixels is not None else None


def examined(measurements: LeakageMeasurements) -> Rows:
    """Return the files examined for leakage with what was measured on each."""
    kept = tuple(_examined_file(entry) for entry in measurements.entries[:MAX_ENTRIES])
    return Rows(items=kept, hidden=len(measurements.entries) - len(kept))


def _examined_file(entry: LeakageEntry) -> ExaminedFile:
    # Bars at several confidences would lie over each other, so the drawing has one and the table has all.
    drawn = [rate for rate in entry.rates if abs(rate.confidence - CONFIDENCE) < _SAME]
    return ExaminedFile(
        entry=entry,
        chart=roc_chart(entry.roc, drawn[:MAX_ROWS]),
        rates=tuple(sorted(entry.rates, key=lambda rate: (rate.fpr, rate.confidence)))[:MAX_ROWS],
    )
