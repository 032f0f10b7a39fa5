"""Turn the copies of policies, trust and verdicts into a decision about one pod.

Nothing is decided while a copy is incomplete or the API server does not answer: a decision by an old copy could rest
on a key that has been revoked since.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from weighbridge.admission.controller.api import Object
from weighbridge.admission.controller.informer import Informer
from weighbridge.admission.controller.report import Line, camel
from weighbridge.admission.decision import Mode, ModelJudgement, Outcome, PodDecision, Reason, ReasonCode, decide
from weighbridge.admission.objects import name_of, policy_of, trust_of, verdict_of
from weighbridge.admission.pods import Pod
from weighbridge.admission.policies import PolicySet
from weighbridge.admission.verdicts import VerdictIndex, read_verdict
from weighbridge.clock import Clock, format_instant
from weighbridge.errors import ParseError, TrustError, VerificationError, WeighbridgeError
from weighbridge.gate.demands import DEMANDS
from weighbridge.gate.verdict import authenticate_verdict
from weighbridge.policy import Policy
from weighbridge.trust import Revoked, Trust

NO_TRUST: Final = Trust(
    name="none",
    digest="",
    version=0,
    expires=datetime.min.replace(tzinfo=UTC),
    keys=(),
    roles=frozenset(),
    policies=(),
    revoked=Revoked(),
)
"""Stands in where there is no trust document that counts: it has expired, so it admits nothing."""


class NotReadyError(WeighbridgeError):
    """Nothing may be decided yet; the pod stays as it is and comes back."""


@dataclass(frozen=True, slots=True)
class Found:
    """The decision about a pod, as what to do and what to tell."""

    outcome: Outcome
    mode: Mode
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether one document counts, and why not. ``facts`` are further fields of its status."""

    accepted: bool
    reason: str
    message: str
    facts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Rules:
    policies: PolicySet
    trust: Trust | TrustError
    verdicts: VerdictIndex


class Judge:
    """Decides by the newest copies. Safe to use from several threads."""

    def __init__(self, *, policies: Informer, trusts: Informer, verdicts: Informer, clock: Clock) -> None:
        self._policies = policies
        self._trusts = trusts
        self._verdicts = verdicts
        self._clock = clock
        self._lock = threading.Lock()
        self._rules: _Rules | None = None
        self._index = VerdictIndex()
        self._indexed: dict[str, str] = {}
        self._versions: dict[str, int] = {}

    def rules_changed(self) -> None:
        """Read the copies again before the next decision."""
        with self._lock:
            self._rules = None

    def decide(self, item: Object) -> Found:
        """Decide about a pod as the API server gives it.

        Raises:
            NotReadyError: When a copy is not current.
        """
        rules, meta = self._current(), item["metadata"]
        try:
            pod = Pod.parse(item, what=f"the pod {meta['name']}")
        except ParseError as error:
            return Found(Outcome.HOLD, "enforce", (Line("Unreadable", _sentences(error)),))
        decision = decide(
            pod,
            namespace=meta["namespace"],
            policies=rules.policies,
            trust=rules.trust if isinstance(rules.trust, Trust) else NO_TRUST,
            verdicts=rules.verdicts,
            now=self._clock(),
        )
        return Found(decision.outcome, decision.mode, tuple(_lines(decision, rules.trust)))

    def standing(self, item: Object) -> Standing:
        """Say whether a policy, a trust document or a verdict counts.

        Raises:
            NotReadyError: When a copy is not current.
        """
        rules = self._current()
        try:
            if item["kind"] == "ModelPolicy":
                return _policy_standing(policy_of(item))
            if item["kind"] == "ModelTrust":
                trust_of(item)
                return self._trust_standing(rules.trust)
            return self._verdict_standing(item, rules.trust)
        except WeighbridgeError as error:
            return Standing(accepted=False, reason="Unreadable", message=_sentences(error))

    def _current(self) -> _Rules:
        copies = (self._policies, self._trusts, self._verdicts)
        if not all(informer.current for informer in copies):
            missing = ", ".join(informer.resource.plural for informer in copies if not informer.current)
            raise NotReadyError(f"the copy of {missing} is not current", remedy="wait for the API server")
        with self._lock:
            if self._rules is None:
                self._rules = _Rules(self._read_policies(), self._read_trust(), self._read_verdicts())
            return self._rules

    def _read_policies(self) -> PolicySet:
        found: list[Policy] = []
        unreadable: list[str] = []
        for item in self._policies.objects():
            try:
                found.append(policy_of(item))
            except WeighbridgeError:
                unreadable.append(name_of(item))
        return PolicySet.of(found, unreadable=unreadable)

    def _read_trust(self) -> Trust | TrustError:
        items = self._trusts.objects()
        if len(items) != 1:
            names = ", ".join(sorted(map(name_of, items))) or "none"
            return TrustError(
                f"there must be exactly one ModelTrust, and there are {len(items)} ({names})",
                remedy="apply the trust document, and delete every other one",
            )
        try:
            trust = trust_of(items[0])
        except WeighbridgeError as error:
            return TrustError(f"the trust document cannot be used: {error.message}", remedy=error.remedy)
        highest = self._versions.get(trust.name, 0)
        if trust.version < highest:
            return TrustError(
                f"the trust document {trust.name} has version {trust.version}, and version {highest} was seen before",
                remedy="apply the newest trust document",
            )
        self._versions[trust.name] = trust.version
        return trust

    def _read_verdicts(self) -> VerdictIndex:
        # Only what is new is read: most changes are one verdict among many.
        present = {_identity(item): item for item in self._verdicts.objects()}
        for gone in self._indexed.keys() - present.keys():
            self._index = self._index.drop(self._indexed.pop(gone))
        for new in present.keys() - self._indexed.keys():
            name = name_of(present[new])
            try:
                _, data = verdict_of(present[new])
            except WeighbridgeError:
                data = b""
            self._index = self._index.put(name, data)
            self._indexed[new] = name
        return self._index

    def _trust_standing(self, trust: Trust | TrustError) -> Standing:
        try:
            if isinstance(trust, TrustError):
                raise trust
            trust.require_current(self._clock())
        except TrustError as error:
            return Standing(accepted=False, reason="NotUsed", message=_sentences(error))
        message = f"version {trust.version}, {len(trust.keys)} keys, until {format_instant(trust.expires)}"
        return Standing(accepted=True, reason="Used", message=message)

    def _verdict_standing(self, item: Object, trust: Trust | TrustError) -> Standing:
        name, data = verdict_of(item)
        stored = read_verdict(name, data)
        now = self._clock()
        try:
            if isinstance(trust, TrustError):
                raise trust
            verdict = authenticate_verdict(data, model=stored.model, trust=trust, now=now, what=name)
            facts = {
                "model": str(verdict.model),
                "signer": verdict.signer,
                "validUntil": format_instant(verdict.valid_until),
            }
        except (TrustError, VerificationError) as error:
            return Standing(accepted=False, reason="NotAuthentic", message=_sentences(error))
        try:
            for demand in DEMANDS.values():
                demand(verdict, trust, now)
        except VerificationError as error:
            return Standing(accepted=False, reason="DoesNotHold", message=_sentences(error), facts=facts)
        image = "no image, so no pod can name it" if stored.manifest is None else f"the image sha256:{stored.manifest}"
        message = f"passed by the policy {verdict.policy_name}; about {image}"
        return Standing(accepted=True, reason="Holds", message=message, facts=facts)


def _identity(item: Object) -> str:
    return f"{item['metadata']['uid']}/{item['metadata']['generation']}"


def _policy_standing(policy: Policy) -> Standing:
    where = ", ".join(sorted(policy.namespaces)) or "no namespace by name"
    default = ", and wherever no other policy does" if policy.default else ""
    return Standing(accepted=True, reason="Used", message=f"mode {policy.mode}; holds in {where}{default}")


def _lines(decision: PodDecision, trust: Trust | TrustError) -> list[Line]:
    if decision.outcome is Outcome.HOLD:
        note = "" if decision.mode == "enforce" else f"not held, since the policy's mode is {decision.mode}: "
        return [_reason(reason, trust, note) for reason in decision.reasons]
    lines = [_model(model, decision) for model in decision.models]
    if decision.workload is not None:
        use = decision.workload
        text = f"the policy {decision.policy} allows it as {use.purpose} until {use.expires}; owner {use.owner}"
        lines.append(Line("WorkloadAllowed", text))
    return lines


def _reason(reason: Reason, trust: Trust | TrustError, note: str) -> Line:
    if reason.code is ReasonCode.TRUST_EXPIRED and isinstance(trust, TrustError):
        return Line("NoTrust", note + _sentences(trust))
    place = f"{reason.path}: " if reason.path else ""
    return Line(camel(reason.code), f"{note}{place}{reason.message}{_next(reason.remedy)}")


def _model(model: ModelJudgement, decision: PodDecision) -> Line:
    by = f" by {model.verdict.signer}, valid until {format_instant(model.verdict.valid_until)}" if model.verdict else ""
    text = f"the model {model.image.reference} has the verdict {model.stored}{by}, under the policy {decision.policy}"
    return Line("Verified", text)


def _sentences(error: WeighbridgeError) -> str:
    return error.message + _next(error.remedy)


def _next(remedy: str) -> str:
    return f". Next step: {remedy}" if remedy else ""
