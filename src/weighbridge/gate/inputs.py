"""Judge the inputs of a check: is each of them bound as the policy says, and does it hold enough?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from weighbridge.clock import format_instant
from weighbridge.evidence.inputs import OF_ONE_MODEL, SignedInput
from weighbridge.evidence.measurements import DependencyAuditMeasurements, Input, InputRole, inputs_of
from weighbridge.evidence.record import BOUNDS, LABEL, CheckName, CheckRecord
from weighbridge.gate.decision import TITLES, Bond, BoundInput, Evidence, Problem, VerdictResult
from weighbridge.policy import AdvisoriesBinding, DataBinding, FileBinding, Policy
from weighbridge.policy.inputs import AUDITED

_OPTIONS: Final = {
    InputRole.TEST: "--test",
    InputRole.MEMBERS: "--members",
    InputRole.NON_MEMBERS: "--non-members",
    InputRole.REQUIREMENTS: "-r",
    InputRole.LOCK: "--lock",
    InputRole.ENVIRONMENT: "--environment",
    InputRole.ADVISORIES: "--advisories",
}
"""How `weighbridge policy bind` takes each role."""

RELEASE_ONE: Final = "it was made by the first release, which does not say what its inputs were for"


@dataclass(frozen=True, slots=True)
class JudgedInputs:
    """What binds each input, and what does not hold about them.

    ``withheld`` are signatures that are not there. They lie beside the input or with the evidence, so whoever asked
    could keep one back when he did not like what came out. He could as well leave out an input, ``left_out``.
    """

    bound: tuple[BoundInput, ...]
    problems: tuple[Problem, ...]
    withheld: tuple[Problem, ...]
    left_out: tuple[Problem, ...]


def judge_inputs(item: Evidence, *, policy: Policy, signed: tuple[SignedInput, ...], now: datetime) -> JudgedInputs:
    """Say for every input of one piece of evidence what binds it, and yield what keeps it from counting.

    Whatever is wrong with an input leaves the question open: it says nothing about the model.
    """
    inputs = inputs_of(item.record.measurements)
    bound: list[BoundInput] = []
    problems: list[Problem] = []
    withheld: list[Problem] = []
    for each in inputs:
        found = _bind(each, item, policy, signed)
        if isinstance(found, Problem):
            (withheld if _signers_of(each, policy) else problems).append(found)
            continue
        bound.append(found)
        problems += _quantities(each, found.role, item, policy, now)
    return JudgedInputs(tuple(bound), tuple(problems), tuple(withheld), tuple(_left_out(inputs, item, policy)))


def is_of_another_line(item: Evidence, *, policy: Policy, signed: tuple[SignedInput, ...]) -> bool:
    """Say whether an input is signed for other lines of models and not for the policy's: it is another question.

    That is for evidence of other models alone. This model is of this line, and the signature for it may be kept back.
    """
    return any(_is_for_others(each, policy, signed) for each in inputs_of(item.record.measurements))


def _is_for_others(each: Input, policy: Policy, signed: tuple[SignedInput, ...]) -> bool:
    signers = _signers_of(each, policy)
    lines = {
        one.about
        for one in signed
        if one.sha256 == each.sha256 and one.role is each.role and not signers.isdisjoint(one.signers)
    }
    binding = None if each.role is None else policy.binding(each.role)
    return isinstance(binding, FileBinding) and bool(lines) and binding.about not in lines


def _signers_of(each: Input, policy: Policy) -> frozenset[str]:
    """Return the roles that the policy wants a signature of over an input; none where something else binds it."""
    binding = None if each.role is None else policy.binding(each.role)
    return frozenset(binding.signers) if isinstance(binding, FileBinding) else frozenset()


def _bind(each: Input, item: Evidence, policy: Policy, signed: tuple[SignedInput, ...]) -> BoundInput | Problem:
    if each.role is None:
        return _open(f"{item.file}: {RELEASE_ONE}", "run the check again")
    role, binding = each.role, policy.binding(each.role)
    what = f"the {TITLES[role]} {each.name} (sha256:{each.sha256})"
    match binding:
        case None:
            return _open(
                f"nothing binds {what}: the policy has no inputs.{role}, so whoever called the check chose it",
                f"name it in the policy: `weighbridge policy bind POLICY {_OPTIONS[role]} FILE`; or write "
                f"`{role}: unbound` there, which every report repeats",
            )
        case str():
            return BoundInput(each, role, Bond.UNBOUND)
        case FileBinding(sha256=digests) if digests:
            return _named(each, role, what, digests)
        case FileBinding(signers=signers, about=about) if signers:
            return _signed(each, role, what, signers, tuple(one for one in signed if one.about == about))
        case FileBinding():
            return _supplied(each, role, what, item)


def _named(each: Input, role: InputRole, what: str, digests: tuple[str, ...]) -> BoundInput | Problem:
    if each.sha256 in digests:
        return BoundInput(each, role, Bond.DIGEST)
    return _open(
        f"{what} is not one of the {len(digests)} that the policy names by digest",
        f"run the check with the one that the policy names, or bind this one: `weighbridge policy bind POLICY "
        f"{_OPTIONS[role]} FILE`",
    )


def _signed(
    each: Input, role: InputRole, what: str, signers: tuple[str, ...], signed: tuple[SignedInput, ...]
) -> BoundInput | Problem:
    known = [one for one in signed if one.sha256 == each.sha256 and one.role is role]
    for one in known:
        for signer in one.signers:
            if signer in signers:
                return BoundInput(each, role, Bond.SIGNED, by=signer, key=one.key)
    others = ", ".join(sorted({signer for one in known for signer in one.signers}))
    about = " --about NAME" if role in OF_ONE_MODEL else ""
    return _open(
        f"{what} is signed by {others or 'nobody who may sign it'}; the policy wants it from {', '.join(signers)}",
        f"have it signed: `weighbridge sign-input FILE --role {role}{about} --key KEY`; keep the signature beside it",
    )


def _supplied(each: Input, role: InputRole, what: str, item: Evidence) -> BoundInput | Problem:
    if item.record.requester is None or item.held_by != "platform":
        return _open(
            f"{what} should come from who asked for a review, as the platform recorded; this evidence is of no review",
            "ask the platform for a review, or bind the input by digest or by a role that signed it",
        )
    return BoundInput(each, role, Bond.REQUESTER, by=item.record.requester)


def _quantities(each: Input, role: InputRole, item: Evidence, policy: Policy, now: datetime) -> Iterator[Problem]:
    match policy.binding(role):
        case DataBinding() as data:
            yield from _data(each, role, data)
        case AdvisoriesBinding() as advisories if isinstance(item.record.measurements, DependencyAuditMeasurements):
            yield from _advisories(advisories, item.record.measurements, policy, now)


def _data(each: Input, role: InputRole, wanted: DataBinding) -> Iterator[Problem]:
    what = f"the {TITLES[role]} {each.name}"
    if wanted.min_examples is not None and each.rows < wanted.min_examples:
        yield _open(
            f"{what} has {each.rows} examples; the policy asks for {wanted.min_examples}", "test with more examples"
        )
    if wanted.distinct is not None and (each.distinct is None or each.distinct < wanted.distinct):
        found = "does not say how many of its examples differ" if each.distinct is None else None
        yield _open(
            f"{what} {found or f'has {each.distinct} examples that differ from each other'}; the policy asks for "
            f"{wanted.distinct}",
            "test with examples that are not copies of each other",
        )
    if wanted.label is not None and each.label != wanted.label:
        yield _open(
            f"{what} was read with the label {each.label or '(not recorded)'}; the policy says {wanted.label}",
            "test by the label that the policy names",
        )
    if wanted.bounds is not None and each.bounds != wanted.bounds:
        yield _open(
            f"{what} says that values lie in {list(each.bounds or ())}; the policy says {list(wanted.bounds)}, and "
            "epsilon is a share of their width",
            "test with data whose bounds are those of the model's inputs",
        )


def choice_problems(record: CheckRecord, *, policy: Policy) -> Iterator[Problem]:
    """Yield what whoever called a check said of the data, and the policy does not say.

    Another column for the label makes any model look as if it remembered nothing; wider bounds or narrower ones are
    another attack. What the parameters hold is the caller's command line, never the word of a worker.
    """
    label = record.parameters.get(LABEL)
    bounds = tuple(record.parameters[name] for name in BOUNDS if name in record.parameters)
    for each in inputs_of(record.measurements):
        role = each.role
        binding = None if role is None else policy.binding(role)
        if role is None or not isinstance(binding, DataBinding):
            # Of what nothing binds, the caller chose every byte.
            continue
        if label is not None and binding.label != each.label:
            yield _open(
                f"whoever called the check said which column of the {TITLES[role]} {each.name} is the "
                f"label, {label}; the policy does not say so",
                f'write `label: "{each.label}"` beside what binds it in the policy, or convert the data to npz '
                "(`weighbridge split`) and run the check again without --label",
            )
        if bounds and binding.bounds != bounds:
            yield _open(
                f"whoever called the check gave the bounds {list(bounds)} of the {TITLES[role]} "
                f"{each.name}; the policy does not say so",
                f"write `bounds: {list(bounds)}` beside what binds it in the policy, or run the check again without "
                "--bounds",
            )


def _advisories(
    wanted: AdvisoriesBinding, measured: DependencyAuditMeasurements, policy: Policy, now: datetime
) -> Iterator[Problem]:
    database = measured.database
    lacking = [source for source in wanted.sources if not database.counts.get(source)]
    if lacking:
        yield _open(
            f"the advisories have no record in force from {', '.join(lacking)}; the policy asks for it",
            "audit against a bundle of all the sources that the policy names",
        )
    in_force = max(0, database.records - database.withdrawn)
    if wanted.at_least is not None and in_force < wanted.at_least:
        yield _open(
            f"the advisories have {in_force} records in force; the policy asks for {wanted.at_least}",
            "audit against a whole bundle",
        )
    until = policy.advisories_accepted_until
    if until is not None and now > until:
        yield _open(
            f"what the policy accepts of its advisories ended at {format_instant(until)}",
            "renew `accepted`, or set a maxAge that needs nobody to answer for it",
        )


def _left_out(inputs: tuple[Input, ...], item: Evidence, policy: Policy) -> Iterator[Problem]:
    # With a lock bound and requirements of one harmless line let through, the lock must not simply be left out.
    if item.record.check is not CheckName.DEPENDENCY_AUDIT or item.record.measurements is None:
        return
    given = {each.role for each in inputs}
    for role in AUDITED:
        if policy.binding(role) is not None and role not in given:
            yield _open(
                f"the policy names the {TITLES[role]}, and the audit was given none",
                f"run the audit with {_OPTIONS[role]}",
            )


def _open(reason: str, remedy: str) -> Problem:
    return Problem(VerdictResult.UNDECIDED, reason, remedy)
