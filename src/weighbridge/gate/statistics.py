"""Judge what is a statistic: seeds that nobody chose, failures that stand, and tries that cost confidence.

For facts the newest evidence counts. A statistic comes out otherwise when it is asked again, so here a failing result
of the same model on inputs that count stands, and each earlier try that did not pass tightens the confidence of the
next, over all models and data in the store: bytes are quickly changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from weighbridge.clock import format_instant
from weighbridge.evidence.measurements import LeakageMeasurements, RobustnessMeasurements, inputs_of
from weighbridge.evidence.record import BOUNDS, LABEL, SeedSource
from weighbridge.evidence.seeds import amounts_of, seed_from_digests
from weighbridge.evidence.tries import TriesReset
from weighbridge.gate.decision import Evidence, Problem, VerdictResult
from weighbridge.policy import LeakageRequirement, RequirementSpec, RobustnessRequirement, StatisticsRequirement

UNKNOWN: Final = "how often it was tried before is not known (only a platform counts that)"
"""What is said of a try outside a platform that counts."""


_HIGHEST: Final = 1 - 2**-48
"""Never certainty, of which there is no bound; and the error that is left can be divided among several bounds."""


def is_statistic(spec: RequirementSpec) -> bool:
    """Say whether a requirement is answered by a statistic."""
    return isinstance(spec, (RobustnessRequirement, LeakageRequirement))


def tightened(confidence: float, *, tries: int) -> float:
    """Return the confidence that a pass needs after so many tries that did not pass.

    The first try has the policy's own. Of the share of error that it leaves, the n-th try after it may spend one part
    in n (n + 1), so that all later tries together spend no more than the first: however often somebody tries, a model
    that should fail passes with at most twice the error that the policy accepts (a union bound).
    """
    if tries == 0:
        return confidence
    return max(confidence, min(1 - (1 - confidence) / (tries * (tries + 1)), _HIGHEST))


def tightened_spec(spec: RequirementSpec, *, tries: int) -> RequirementSpec:
    """Return a requirement with the confidence that a pass needs after so many tries; facts stay as they are."""
    match spec:
        case RobustnessRequirement(limits=limits):
            wanted = limits.accuracy_under_attack
            sharper = msgspec.structs.replace(wanted, confidence=tightened(wanted.confidence, tries=tries))
            return msgspec.structs.replace(spec, limits=msgspec.structs.replace(limits, accuracy_under_attack=sharper))
        case LeakageRequirement(limits=leakage):
            wanted_rate = leakage.membership
            sharper_rate = msgspec.structs.replace(
                wanted_rate, confidence=tightened(wanted_rate.confidence, tries=tries)
            )
            return msgspec.structs.replace(spec, limits=msgspec.structs.replace(leakage, membership=sharper_rate))
        case _:
            return spec


def seed_problems(spec: RequirementSpec, item: Evidence) -> Iterator[Problem]:
    """Yield why the seed of a statistic does not count. Of a fact there is no seed to ask for."""
    if not isinstance(spec, (RobustnessRequirement, LeakageRequirement)) or item.record.measurements is None:
        return
    seed = item.record.seed
    if seed is None:
        yield _open(f"{item.file} does not say where its seed comes from; it was made by the first release")
        return
    measured = item.record.measurements
    if isinstance(measured, RobustnessMeasurements) and measured.seed != seed.value:
        yield _open(f"{item.file} was measured with the seed {measured.seed}, and its record says {seed.value}")
    if amounts_of(item.record.parameters) != _asked_amounts(spec):
        asked = " ".join(f"--{name} {value!r}" for name, value in _asked_amounts(spec))
        yield _open("other amounts were asked for than the policy's, and with them goes another seed", f"with {asked}")
        return
    if spec.seed == "platform" and seed.source is not SeedSource.PLATFORM:
        yield _open(f"the seed comes from {_SOURCES[seed.source]}; the policy asks for one of the platform")
    match seed.source:
        case SeedSource.ASKER:
            yield _open("whoever asked chose the seed, and could choose until one passes")
        case SeedSource.DIGESTS:
            expected = seed_from_digests(
                item.record.check, model=item.model, inputs=inputs_of(measured), amounts=_asked_amounts(spec)
            )
            if seed != expected:
                yield _open(f"the seed {seed.value} is not the one of this model and these inputs, {expected.value}")
        case SeedSource.PLATFORM:
            if item.held_by != "platform":
                yield _open(
                    f"only the platform can say that a seed is made with its secret, and the role {item.role} is not "
                    "`heldBy: platform`"
                )


def _asked_amounts(spec: StatisticsRequirement) -> tuple[tuple[str, object], ...]:
    # The policy's, never the record's: each other amount that measures the same would be another seed to choose from.
    match spec:
        case RobustnessRequirement(limits=limits):
            return amounts_of({"epsilon": limits.epsilon, "queries": limits.queries, "samples": limits.examples})
        case LeakageRequirement():
            return ()


_SOURCES: Final = {
    SeedSource.DIGESTS: "the digests of model and inputs, which whoever asks can compute in advance",
    SeedSource.PLATFORM: "the platform",
    SeedSource.ASKER: "whoever asked",
}


def drew(item: Evidence) -> bool:
    """Say whether a check really measured something: what measured nothing tried nothing."""
    match item.record.measurements:
        case RobustnessMeasurements(entries=entries):
            return any(entry.examples for entry in entries)
        case LeakageMeasurements(entries=leaks):
            return bool(leaks)
        case _:
            return False


def earlier_tries(
    candidates: Iterable[Evidence], *, resets: tuple[TriesReset, ...], before: Evidence
) -> tuple[Evidence, ...]:
    """Return tries that came before a piece of evidence and are not forgiven, each once however often it was repeated.

    The same model, inputs and seed give the same result again, which is no new try.
    """
    found: dict[object, Evidence] = {}
    for item in candidates:
        if item.finished <= before.finished and item.statement != before.statement and not is_forgiven(item, resets):
            found.setdefault(_identity(item), item)
    found.pop(_identity(before), None)
    return tuple(found.values())


def is_forgiven(item: Evidence, resets: Iterable[TriesReset]) -> bool:
    """Say whether an approver forgave this try."""
    return any(reset.check is item.record.check and item.statement in reset.evidence for reset in resets)


def first_of(item: Evidence, others: Iterable[Evidence]) -> Evidence:
    """Return the earliest evidence of the same measurement: to repeat it later, for its age, is no later try."""
    same = (other for other in others if _identity(other) == _identity(item))
    return min((item, *same), key=lambda each: each.finished)


def _identity(item: Evidence) -> object:
    inputs = tuple(each.sha256 for each in inputs_of(item.record.measurements))
    seed = None if item.record.seed is None else item.record.seed.value
    said = tuple(item.record.parameters.get(name) for name in (LABEL, *BOUNDS))
    return item.model, inputs, seed, _amount(item), said


def _amount(item: Evidence) -> object:
    match item.record.measurements:
        case RobustnessMeasurements(queries_per_example=queries, epsilon=epsilon, entries=entries):
            return queries, epsilon, tuple(entry.examples for entry in entries)
        case LeakageMeasurements(entries=leaks):
            return tuple(entry.path for entry in leaks)
        case _:
            return None


def tries_problem(spec: RequirementSpec, *, tries: int) -> Iterator[Problem]:
    """Yield that nothing passes any more, when the policy ends tries and there were so many."""
    if isinstance(spec, (RobustnessRequirement, LeakageRequirement)) and spec.max_tries and tries >= spec.max_tries:
        yield Problem(
            VerdictResult.UNDECIDED,
            f"{tries} tries before this one did not pass; the policy ends them at {spec.max_tries}",
            "let an approver look at why, and reset them: `weighbridge reset-tries`",
        )


def standing_statistic(item: Evidence, reason: str) -> Problem:
    """Say that another failing result of the same model stands, whatever the evidence that counts says."""
    return Problem(
        VerdictResult.FAILED,
        f"another result of the same model stands, {item.file} of {format_instant(item.finished)}: {reason}",
        "a statistic that failed is not asked again until it passes: change the model, or test with more examples by "
        "a policy that asks for them",
    )


def withheld_failure(item: Evidence, reason: str) -> Problem:
    """Say that the same model failed on data whose signature is not at hand, which somebody may have kept back."""
    return Problem(
        VerdictResult.UNDECIDED,
        f"{item.file} of {format_instant(item.finished)} says of the same model: {reason}; the signature of its data "
        "is not at hand, so nobody knows whether that counts",
        "put the signature with the evidence; if there is none, let an approver look, and reset: `weighbridge "
        "reset-tries`",
    )


def tries_note(item: Evidence, *, tries: int, confidence: float) -> str:
    """Say what is known of earlier tries, and what that costs."""
    known = item.record.tries
    counted = f"; {tries} earlier tries that did not pass were seen here" if tries else ""
    cost = f", so the bound has to hold at {confidence:.6g}" if tries else ""
    return f"{UNKNOWN}{counted}{cost}" if not isinstance(known, int) else f"{tries} earlier tries did not pass{cost}"


def _open(reason: str, how: str = "without --seed") -> Problem:
    return Problem(VerdictResult.UNDECIDED, reason, f"run the check again {how}")


def newest(items: Iterable[Evidence]) -> datetime:
    """Return when the newest of some evidence was finished."""
    return max(item.finished for item in items)
