"""What must hold before any evidence is looked at: trust, revocations, and roles that are kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from weighbridge.errors import TrustError, VerificationError
from weighbridge.gate.decision import Problem, VerdictResult
from weighbridge.model.digest import Digest
from weighbridge.policy import FileBinding, Policy
from weighbridge.policy.answers import answered_for_ever
from weighbridge.policy.inputs import named_roles
from weighbridge.trust import INPUT, TRIES_RESET, VERDICT, Trust


def preconditions(model: Digest, *, policy: Policy, trust: Trust, now: datetime) -> Iterator[Problem]:
    """Yield everything that is wrong whatever the evidence says. A revoked model failed; the rest leaves it open."""
    try:
        trust.require_current(now)
    except TrustError as error:
        yield Problem(VerdictResult.UNDECIDED, error.message, error.remedy)
    try:
        trust.require_model(model)
    except VerificationError as error:
        yield Problem(VerdictResult.FAILED, error.message, error.remedy)
    try:
        trust.require_unrevoked_policy(policy.digest)
        trust.require_unrevoked_policy(policy.file_digest)
        if not trust.lists_policy(policy.file_digest):
            trust.require_listed_policy(policy.digest)
    except VerificationError as error:
        yield Problem(VerdictResult.UNDECIDED, error.message, error.remedy)
    for said in answered_for_ever(policy, now=now):
        yield Problem(
            VerdictResult.UNDECIDED,
            f"{policy.file}: {said}",
            "let it end sooner; whoever answers for it can renew it then",
        )
    yield from _unknown_roles(policy, trust)
    yield from _joined_roles(policy, trust)


def _unknown_roles(policy: Policy, trust: Trust) -> Iterator[Problem]:
    named = [(f"line {requirement.line}", requirement.spec.signers) for requirement in policy.requirements]
    named += [
        (f"inputs.{role}", binding.signers)
        for role, binding in named_roles(policy.inputs)
        if isinstance(binding, FileBinding)
    ]
    # A misspelt role in the separation would separate nothing.
    named += [("separation", tuple(group)) for group in policy.separation]
    for place, roles in named:
        unknown = sorted(set(roles) - trust.roles)
        if unknown:
            yield Problem(
                VerdictResult.UNDECIDED,
                f"{policy.file}: {place} names the role {unknown[0]}, which the trust document does not have",
                "add the role with `weighbridge trust add`, or correct the policy",
            )


def _joined_roles(policy: Policy, trust: Trust) -> Iterator[Problem]:
    held: dict[str, set[str]] = {}
    for trusted in trust.keys:
        held.setdefault(trusted.key.id, set()).add(trusted.role)
    judges = {trusted.role for trusted in trust.keys if VERDICT in trusted.signs}
    suppliers = {trusted.role for trusted in trust.keys if any(item.startswith(INPUT) for item in trusted.signs)}
    approvers = {trusted.role for trusted in trust.keys if TRIES_RESET in trusted.signs}
    for key_id, roles in sorted(held.items()):
        if sum(bool(roles & group) for group in policy.separation) > 1:
            yield Problem(
                VerdictResult.UNDECIDED,
                f"the key {key_id} holds the roles {', '.join(sorted(roles))}, which the separation keeps apart",
                "give each of these roles a key of its own",
            )
        elif roles & judges and roles - judges:
            # It would judge its own evidence, whatever the policy says.
            yield Problem(
                VerdictResult.UNDECIDED,
                f"the key {key_id} may sign both evidence and verdicts",
                "give verdicts a key of their own",
            )
        elif (roles & suppliers and roles - suppliers) or (roles & approvers and roles - approvers):
            # It would examine a model on what it chose itself, or forgive its own tries.
            yield Problem(
                VerdictResult.UNDECIDED,
                f"the key {key_id} holds the roles {', '.join(sorted(roles))}: whoever examines or judges must not "
                "answer for inputs or forgive tries as well",
                "give each of these roles a key of its own",
            )
