"""What must hold of an authentic verdict before a model may be loaded for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from weighbridge.clock import MAX_SKEW, format_instant
from weighbridge.errors import VerificationError
from weighbridge.gate.decision import Bond, VerdictResult
from weighbridge.gate.summary import KeyRole, Verdict
from weighbridge.policy import Policy
from weighbridge.trust import INPUT, TRIES_RESET, Trust, TrustedKey

MAX_REASON: Final = 400
"""Characters of a verdict's own reasons that a refusal repeats; the gate's report has all."""


class UnsafeAnyPolicy:
    """Accept a verdict by whatever policy: it was signed, and nobody says that it asks for anything.

    Whoever can have a policy judged, of any content and name, gets such a verdict. For looking at verdicts, not for
    loading models.
    """


def _require_times(verdict: Verdict, trust: Trust, now: datetime) -> None:
    if verdict.time > now + MAX_SKEW:
        raise VerificationError(
            f"the verdict was made at {format_instant(verdict.time)}, in the future of {format_instant(now)}",
            remedy="correct this machine's clock",
        )
    if now > verdict.valid_until:
        if verdict.result is not VerdictResult.PASSED:
            # Its end may lie before its beginning, and to judge again would change nothing: what it says is the reason.
            _require_passed(verdict, trust, now)
        raise VerificationError(
            f"the verdict was valid until {format_instant(verdict.valid_until)}", remedy="judge the model again"
        )


def _require_model(verdict: Verdict, trust: Trust, _: datetime) -> None:
    trust.require_model(verdict.model)


def _require_listed(verdict: Verdict, trust: Trust, _: datetime) -> None:
    # The first release listed policies by the digest of the file.
    if not any(trust.lists_policy(digest) for digest in verdict.policy_digests):
        trust.require_listed_policy(verdict.policy_digest)


def _require_policy(verdict: Verdict, trust: Trust, _: datetime) -> None:
    for digest in verdict.policy_digests:
        trust.require_unrevoked_policy(digest)


def _require_keys(verdict: Verdict, trust: Trust, now: datetime) -> None:
    # Asked again at each verification: a key that was revoked, retired or taken out ends what rests on it.
    for requirement in verdict.summary.detail.requirements:
        for key_id in requirement.keys:
            held = trust.roles_of(key_id, signs=requirement.check, now=now)
            for taken in requirement.roles:
                if taken.key == key_id:
                    _require_role(taken, held)
        for item in requirement.inputs:
            if item.bond is Bond.SIGNED:
                signs = INPUT + item.role.value
                _require_role(KeyRole(key=item.key, role=item.by), trust.roles_of(item.key, signs=signs, now=now))
        for key_id in requirement.resets:
            trust.roles_of(key_id, signs=TRIES_RESET, now=now)


def _require_role(taken: KeyRole, held: tuple[TrustedKey, ...]) -> None:
    # The policy named a role, and perhaps only the platform's word would do: any other role of the key is no answer.
    matching = [role for role in held if role.role == taken.role]
    if any(taken.held_by in {role.held_by, "namespace"} for role in matching):
        return
    holder = "" if taken.held_by == "namespace" else f", held by the {taken.held_by}"
    raise VerificationError(
        f"the key {taken.key} signed as {taken.role}{holder}, and now has "
        f"{', '.join(f'{role.role} (held by the {role.held_by})' for role in held)}",
        remedy="judge the model again under the present trust document",
    )


def _require_trust_name(verdict: Verdict, trust: Trust, _: datetime) -> None:
    judged_under = verdict.summary.detail.trust.name
    if trust.name != judged_under:
        raise VerificationError(
            f"the verdict was made under the trust document {judged_under}, and this one is {trust.name}",
            remedy=f"give the trust document {judged_under}, or judge the model under this one",
        )


def _require_version(verdict: Verdict, trust: Trust, _: datetime) -> None:
    if trust.version < verdict.trust_version:
        raise VerificationError(
            f"the trust document has version {trust.version}; the verdict was made under version "
            f"{verdict.trust_version}, so this one is outdated",
            remedy="get the current trust document",
        )


def require_named_policy(verdict: Verdict, trust: Trust, policy: Policy | UnsafeAnyPolicy | None) -> None:
    """Return when the caller or the trust document names the policy that the verdict was judged by.

    Raises:
        VerificationError: When neither does. Whoever can have any policy judged could write one that asks for nothing.
    """
    match policy:
        case UnsafeAnyPolicy():
            return
        case None if any(trust.lists_policy(digest) for digest in verdict.policy_digests):
            return
        case None:
            raise VerificationError(
                f"the verdict was judged by the policy {verdict.policy_name} (mode {verdict.mode}) "
                f"sha256:{verdict.policy_digest}, and nobody says that this policy counts: the trust document "
                f"{trust.name} lists none, and none was named",
                remedy="name it with --policy FILE, or list it: `weighbridge trust policy TRUST FILE`",
            )
        case _ if policy.is_named(verdict.policy_digest):
            # The verdict names one of its two digests; revoking either revokes the policy.
            trust.require_unrevoked_policy(policy.digest)
            trust.require_unrevoked_policy(policy.file_digest)
        case _:
            raise VerificationError(
                f"the verdict was judged by the policy {verdict.policy_name} sha256:{verdict.policy_digest}, not by "
                f"{policy.name} sha256:{policy.digest}",
                remedy="judge the model again by this policy",
            )


def _require_passed(verdict: Verdict, _: Trust, __: datetime) -> None:
    detail = verdict.summary.detail
    reasons = [item.reason for item in detail.requirements if item.result is not VerdictResult.PASSED]
    reasons += [
        f"{item.check} rests on no key"
        for item in detail.requirements
        if item.result is VerdictResult.PASSED and not item.keys
    ]
    reasons += detail.problems
    # A verdict that says passed must follow from what it lists: every requirement, at least one, and no problem.
    if verdict.result is not VerdictResult.PASSED or reasons or not detail.requirements:
        raise VerificationError(
            f"the verdict is {verdict.result}: {_cut('; '.join(reasons)) or 'no reason given'}",
            remedy="do what the gate's report says and judge again",
        )


DEMANDS: Final[Mapping[str, Callable[[Verdict, Trust, datetime], None]]] = MappingProxyType(
    {
        "times": _require_times,
        "model": _require_model,
        "policy-listed": _require_listed,
        "policy": _require_policy,
        "keys": _require_keys,
        "trust-name": _require_trust_name,
        "trust-version": _require_version,
        "result": _require_passed,
    }
)
"""What must hold of an authentic verdict, by name and in this order; each raises ``VerificationError``."""


def _cut(text: str) -> str:
    return text if len(text) <= MAX_REASON else f"{text[:MAX_REASON]} ..."
