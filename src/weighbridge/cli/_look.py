"""``weighbridge run MODEL`` without a policy: an answer by the built-in starter policy, unsigned and for looking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from weighbridge.cli import _views, _write
from weighbridge.cli._offers import AUDIT_OPTIONS, Offer, offers_for
from weighbridge.cli._options import EXIT_CODES, new_nonce, viewed
from weighbridge.cli._outlet import note
from weighbridge.cli._progress import working
from weighbridge.clock import system_clock
from weighbridge.errors import UsageError
from weighbridge.evidence.record import CheckName, CheckRecord
from weighbridge.evidence.store import require_outside
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.look import Seen, look
from weighbridge.gate.run import RunInputs, plan, run_checks
from weighbridge.model.digest import Digest
from weighbridge.policy.starter import starter_for
from weighbridge.report.check_json import ModelDigest, ReportSubject
from weighbridge.report.interface import EvidenceView, ReportInput
from weighbridge.report.look import (
    NOTICE,
    LookedAt,
    LookProblem,
    LookReport,
    NotAsked,
    Offered,
    render_answer,
    render_json,
)

_NEEDS: Final = {
    CheckName.DEPENDENCY_AUDIT: "-r, --lock or --environment",
    CheckName.ROBUSTNESS: "--data",
    CheckName.LEAKAGE: "--members and --non-members",
}
"""What makes each check run that does not run by itself."""

_SAY_SO: Final = frozenset({"text", "html", "json"})
"""Formats that say the answer of a look, and that nobody signed it."""

_WHY: Final = "nobody signed it: this is a look"


def asked_for(inputs: RunInputs) -> frozenset[CheckName]:
    """Return the checks that can run: the scan always, the others where what they need was named."""
    checks = {CheckName.MODEL_SCAN}
    if inputs.requirements or inputs.locks or inputs.environments:
        checks.add(CheckName.DEPENDENCY_AUDIT)
    if inputs.data is not None:
        checks.add(CheckName.ROBUSTNESS)
    if inputs.members is not None and inputs.non_members is not None:
        checks.add(CheckName.LEAKAGE)
    return frozenset(checks)


def perform_look(model: Path, inputs: RunInputs, *, output: str, report: Path | None) -> int:
    """Run what can run, apply the starter policy, and return the exit code. Nothing is signed or kept but the report.

    Raises:
        UsageError: For a report inside the model, or one whose name does not say its format.
        ModelError: When the model cannot be identified, or changed meanwhile.
    """
    form = None
    _require_that_says_so(output)
    if report is not None:
        require_outside(report, model=model, what="the report")
        form = _write.format_for(report, None)
        _require_that_says_so(form)
    # Before anything slow, so that it is the first line whatever comes after.
    note(NOTICE, form=output)
    checks = asked_for(inputs)
    policy = starter_for(checks)
    requests = plan(policy, model=model, inputs=inputs)
    with viewed(model) as view:
        with working(f"{len(requests)} checks on {model.name}"):
            records = run_checks(requests, view=view, clock=system_clock, nonce=new_nonce, secrets=())
        view.require_source_unchanged()
    digest = view.digest
    seen = look(records, policy=policy, model=digest, now=system_clock())
    looked = _report(model, digest, records, seen, offers=_still_useful(offers_for(model), checks))
    shown = replace(_as_evidence(model, digest, records), look=looked.answer)
    if report is not None and form is not None:
        _write.write(_rendered(looked, shown, form), to=report)
        note(f"report: {report}", form=output)
    if output == "text":
        _write.show(shown)
        _write.show_rich(render_answer(looked))
    else:
        _write.write(_rendered(looked, shown, output), to=None)
    return EXIT_CODES[looked.answer]


def _require_that_says_so(form: str) -> None:
    if form not in _SAY_SO:
        raise UsageError(
            f"a report in {form} has no place for what a look is, and would read as one that found nothing",
            remedy=f"choose {', '.join(sorted(_SAY_SO))}, or give a policy and keys",
        )


def _rendered(looked: LookReport, shown: ReportInput, form: str) -> str:
    return render_json(looked) if form == "json" else _write.render(shown, output=form)


def _still_useful(offers: tuple[Offer, ...], checks: frozenset[CheckName]) -> tuple[Offer, ...]:
    needed = {
        **dict.fromkeys(AUDIT_OPTIONS, CheckName.DEPENDENCY_AUDIT),
        "--data": CheckName.ROBUSTNESS,
        "--members": CheckName.LEAKAGE,
        "--non-members": CheckName.LEAKAGE,
    }
    return tuple(offer for offer in offers if needed[offer.option] not in checks)


def _report(
    model: Path, digest: Digest, records: tuple[CheckRecord, ...], seen: tuple[Seen, ...], *, offers: tuple[Offer, ...]
) -> LookReport:
    found = {record.check: record for record in records}
    return LookReport(
        schema="weighbridge.dev/look/v1",
        notice=NOTICE,
        signed=False,
        subject=ReportSubject(name=model.name, digest=ModelDigest(dir_hash=digest.hex)),
        answer=VerdictResult.worst([item.answer for item in seen]).value,
        looked_at=tuple(_looked_at(item, found[item.check]) for item in seen),
        not_asked=tuple(NotAsked(check=check, options=needs) for check, needs in _NEEDS.items() if check not in found),
        offered=tuple(Offered(option=offer.option, path=str(offer.path)) for offer in offers),
    )


def _looked_at(seen: Seen, record: CheckRecord) -> LookedAt:
    return LookedAt(
        check=seen.check,
        answer=seen.answer.value,
        problems=tuple(
            LookProblem(
                answer="failed" if problem.result is VerdictResult.FAILED else "undecided",
                reason=problem.reason,
                remedy=problem.remedy,
            )
            for problem in seen.problems
        ),
        findings=record.findings,
        undecided=record.undecided,
    )


def _as_evidence(model: Path, digest: Digest, records: tuple[CheckRecord, ...]) -> ReportInput:
    views = tuple(EvidenceView(record=record, signature="unverified", source="look", why=_WHY) for record in records)
    return ReportInput(model=model.name, digest=digest, evidence=views, place=_views.place_of(model))
