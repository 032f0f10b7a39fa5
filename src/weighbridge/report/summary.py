"""The one figure of a record that a reader wants first, as one short line of our own words."""

from __future__ import annotations

from typing import Final

from weighbridge._binomial import lower_bound, upper_bound
from weighbridge.evidence.measurements import (
    DependencyAuditMeasurements,
    LeakageEntry,
    LeakageMeasurements,
    Measurements,
    ModelScanMeasurements,
    RateAtFpr,
    RobustnessMeasurements,
)
from weighbridge.evidence.record import CheckRecord, Finding
from weighbridge.report._text import plural

CONFIDENCE: Final = 0.95
"""Confidence of each one-sided bound that a report computes itself."""

MAX_TRIALS: Final = 100_000
"""Most examples for which a bound is computed; the robustness check attacks no more."""


def percent(proportion: float) -> str:
    """Write a proportion as a percentage with one decimal: ``71.3 %``."""
    return f"{100 * proportion:.1f} %"


def interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the exact one-sided bounds of a proportion, each at ``CONFIDENCE``.

    The work grows with the trials, and evidence may claim any number of them: beyond ``MAX_TRIALS`` nothing is
    bounded, which is always true.
    """
    if trials > MAX_TRIALS:
        return 0.0, 1.0
    successes = min(successes, trials)
    return (
        lower_bound(successes, trials, confidence=CONFIDENCE),
        upper_bound(successes, trials, confidence=CONFIDENCE),
    )


def headline_rate(entry: LeakageEntry) -> RateAtFpr | None:
    """Return the rate to show first: at the lowest false-positive rate, at the confidence nearest ours."""
    ordered = sorted(entry.rates, key=lambda rate: (rate.fpr, abs(rate.confidence - CONFIDENCE)))
    return ordered[0] if ordered else None


def key_figure(record: CheckRecord) -> str:
    """Return one line that says what a record measured; it holds no text from the evidence."""
    return figure_of(record.measurements, findings=record.findings)


def figure_of(measurements: Measurements | None, *, findings: tuple[Finding, ...]) -> str:
    """Return one line that says what was measured; it holds no text from the evidence."""
    match measurements:
        case ModelScanMeasurements(files=files):
            states = {state: sum(file.state == state for file in files) for state in ("clean", "refused", "undecided")}
            parts = [f"{count} {state}" for state, count in states.items() if count]
            return f"{plural(len(files), 'file')}: {', '.join(parts)}" if parts else "no file"
        case DependencyAuditMeasurements(components=components):
            found = plural(len(findings), "advisory", nouns="advisories")
            kind = "known weakness" if len(findings) == 1 else "known weaknesses"
            hit = len({(one.component.name, one.component.version) for one in findings if one.component is not None})
            return f"{found} ({kind}) in {hit} of {plural(len(components), 'package')}"
        case RobustnessMeasurements(entries=entries) if entries:
            worst = min(entries, key=lambda entry: entry.survived / entry.examples if entry.examples else 0.0)
            share = worst.survived / worst.examples if worst.examples else 0.0
            low, _ = interval(worst.survived, worst.examples)
            return f"{percent(share)} still right under this attack, at least {percent(low)} (lower bound)"
        case LeakageMeasurements(entries=examined) if examined:
            rates = [rate for entry in examined if (rate := headline_rate(entry)) is not None]
            if not rates:
                return "no rate was measured"
            worst_rate = max(rates, key=lambda rate: rate.upper)
            return (
                f"{percent(worst_rate.tpr)} of the training rows recognised, at most {percent(worst_rate.upper)}, "
                f"with {percent(worst_rate.fpr)} false alarms"
            )
        case _:
            return "nothing was measured"
