"""Parse a policy: give it its types, refuse what cannot be meant, and name it by a digest of what it says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec

from weighbridge import _json, _yaml
from weighbridge.clock import parse_duration, parse_instant
from weighbridge.errors import ParseError, PolicyError
from weighbridge.evidence.inputs import OF_ONE_MODEL, SIGNABLE
from weighbridge.evidence.measurements import InputRole
from weighbridge.evidence.record import CheckName
from weighbridge.policy.document import (
    DependencyAuditRequirement,
    PolicyDocument,
    PolicySpec,
    RequirementSpec,
    WaiverSpec,
    WorkloadSpec,
)
from weighbridge.policy.floors import LONGEST, too_long, toothless
from weighbridge.policy.inputs import (
    Acceptance,
    AdvisoriesBinding,
    Binding,
    DataBinding,
    InputsSpec,
    binding_of,
    named_roles,
)
from weighbridge.trust import read_bytes

DEFAULT_ADVISORIES_AGE: Final = "7d"
"""How old advisories may be when the policy does not say."""

_NOT_JUDGING: Final = ("mode", "namespaces", "default", "workloads")
"""Fields that say what becomes of pods. They change no verdict, so they are no part of what a verdict names."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of a policy and where it stands."""

    spec: RequirementSpec
    line: int
    max_age: timedelta
    accepted_until: datetime | None = None
    """Until when somebody answers for a limit that hardly anything can fail; None where there is no such limit."""

    @property
    def check(self) -> CheckName:
        """Return the check whose evidence is required."""
        return CheckName(str(self.spec.__struct_config__.tag))


@dataclass(frozen=True, slots=True)
class Waiver:
    """One dated exception and where it stands."""

    spec: WaiverSpec
    line: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of pod that may use an accelerator without a model, and where it stands."""

    spec: WorkloadSpec
    line: int
    expires: datetime
    images: frozenset[str]
    """The sha256 of each image, in hex."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy with at least one requirement.

    ``digest`` is the sha256 of its canonical form: what it asks of a model, as JSON with sorted keys and without what
    equals a default. ``file_digest`` is that of the bytes, by which verdicts of the first release name it.
    """

    name: str
    file: str
    digest: str
    file_digest: str
    mode: Literal["audit", "warn", "enforce"]
    confinement: Literal["required", "recorded"]
    view: Literal["private", "recorded"]
    valid_for: timedelta
    requirements: tuple[Requirement, ...]
    separation: tuple[frozenset[str], ...]
    waivers: tuple[Waiver, ...]
    namespaces: frozenset[str] = frozenset()
    default: bool = False
    workloads: tuple[Workload, ...] = ()
    inputs: InputsSpec = field(default_factory=InputsSpec)
    advisories_accepted_until: datetime | None = None
    """Until when somebody answers for advisories that may be older than a year."""

    def binding(self, role: InputRole) -> Binding:
        """Return what binds the inputs of a role; None where the policy says nothing of it."""
        return binding_of(self.inputs, role)

    def is_named(self, digest: str) -> bool:
        """Say whether a verdict or a trust document that names this digest means this policy."""
        return digest in (self.digest, self.file_digest)

    @classmethod
    def read(cls, path: Path) -> Policy:
        """Read a policy file.

        Raises:
            ParseError: When it is not what it must be, with file and line.
            PolicyError: When it requires nothing, or the same twice.
        """
        return cls.parse(read_bytes(path), name=path.name)

    @classmethod
    def parse(cls, data: bytes, *, name: str) -> Policy:
        """Parse a policy; see ``read``."""
        document = _yaml.load(data, name=name)
        document.require_kind("ModelPolicy")
        parsed = document.convert(PolicyDocument)
        spec = parsed.spec
        requirements = tuple(
            _requirement(item, spec.inputs, document.line("spec", "requirements", index), name)
            for index, item in enumerate(spec.requirements)
        )
        _require_some(requirements, name)
        _require_verdicts_end(spec, document)
        return cls(
            name=parsed.metadata.name,
            file=name,
            digest=canonical_digest(parsed),
            file_digest=hashlib.sha256(data).hexdigest(),
            mode=spec.mode,
            confinement=spec.confinement,
            view=spec.view,
            valid_for=parse_duration(spec.valid_for, what="validFor"),
            requirements=requirements,
            separation=_separation(spec, document),
            waivers=tuple(
                _waiver(item, document.line("spec", "waivers", index), name) for index, item in enumerate(spec.waivers)
            ),
            namespaces=frozenset(spec.namespaces),
            default=spec.default,
            workloads=tuple(
                _workload(item, spec, document.line("spec", "workloads", index), name)
                for index, item in enumerate(spec.workloads)
            ),
            inputs=spec.inputs,
            advisories_accepted_until=_require_bindings(spec.inputs, document),
        )


def canonical_digest(document: PolicyDocument) -> str:
    """Return the sha256 by which verdicts and trust documents name a policy.

    It covers the policy's name and everything that decides about evidence. Comments, line ends, the order of keys, a
    default that is written out and what concerns pods alone do not make another policy.
    """
    plain = _without_defaults(document)
    assert isinstance(plain, dict)  # noqa: S101 - a document is an object
    plain["spec"] = {key: value for key, value in plain["spec"].items() if key not in _NOT_JUDGING}
    return hashlib.sha256(_json.dumps(plain)).hexdigest()


def _without_defaults(value: object) -> object:
    """Return a typed value as plain JSON, without fields that equal their default.

    ``omit_defaults`` of the encoder will not do: it compares texts by identity.
    """
    if isinstance(value, tuple):
        return [_without_defaults(item) for item in value]
    if not isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    config = value.__struct_config__
    found: dict[str, object] = {} if config.tag_field is None else {config.tag_field: config.tag}
    for item in msgspec.structs.fields(value):
        each = getattr(value, item.name)
        if item.default is msgspec.NODEFAULT or each != item.default:
            found[item.encode_name] = _without_defaults(each)
    return found


def _requirement(item: RequirementSpec, inputs: InputsSpec, line: int, name: str) -> Requirement:
    weak = tuple(toothless(item))
    return Requirement(
        spec=_with_age(item, inputs),
        line=line,
        max_age=parse_duration(item.max_age, what="maxAge"),
        accepted_until=_accepted_until(item.accepted, weak, f"{name}:{line}"),
    )


def _with_age(item: RequirementSpec, inputs: InputsSpec) -> RequirementSpec:
    """Fill in how old advisories may be: what limits or inputs say, the shorter of both, or the default."""
    if not isinstance(item, DependencyAuditRequirement):
        return item
    bound = inputs.advisories.max_age if isinstance(inputs.advisories, AdvisoriesBinding) else None
    spans = [span for span in (item.limits.database_max_age, bound) if span is not None] or [DEFAULT_ADVISORIES_AGE]
    shortest = min(spans, key=lambda span: parse_duration(span, what="maxAge"))
    return msgspec.structs.replace(item, limits=msgspec.structs.replace(item.limits, database_max_age=shortest))


def _accepted_until(accepted: Acceptance | None, weak: tuple[str, ...], where: str) -> datetime | None:
    if not weak:
        if accepted is not None:
            raise PolicyError(
                f"{where}: `accepted` stands beside limits that need nobody to answer for them",
                remedy="leave it out, so that it cannot cover a weaker limit later",
            )
        return None
    if accepted is None:
        raise PolicyError(
            f"{where}: this asks for next to nothing: {'; '.join(weak)}",
            remedy="set limits that a model can fail, or add `accepted: {reason: ..., owner: ..., expires: DATE}`",
        )
    try:
        return parse_instant(accepted.expires, what="expires")
    except ParseError as error:
        raise ParseError(f"{where}: {error.message}") from None


def _require_verdicts_end(spec: PolicySpec, document: _yaml.Document) -> None:
    if too_long(spec.valid_for):
        raise PolicyError(
            f"{document.name}:{document.line('spec', 'validFor')}: validFor {spec.valid_for} is longer than "
            f"{LONGEST.days} days, so that verdicts would hardly ever end",
            remedy="let verdicts end; the model is judged again by then",
        )


def _require_bindings(inputs: InputsSpec, document: _yaml.Document) -> datetime | None:
    until = None
    for role, binding in named_roles(inputs):
        where = f"{document.name}:{document.line('spec', 'inputs', role.value)}"
        if isinstance(binding, str):
            continue
        if binding.ways != 1:
            raise PolicyError(
                f"{where}: the role {role} is bound in {binding.ways} ways; exactly one is meant",
                remedy="give sha256, signers or suppliedBy; or write `unbound`, which reports repeat",
            )
        if binding.signers and role not in SIGNABLE:
            raise PolicyError(
                f"{where}: the role {role} is to be signed, and only files can be",
                remedy=f"bind it by digest: `weighbridge policy bind {document.name} --{role} PATH`",
            )
        if binding.signers and role in OF_ONE_MODEL and binding.about is None:
            raise PolicyError(
                f"{where}: the role {role} is signed, and nothing says for which line of models: what was signed for "
                "one says nothing of another",
                remedy="add `about: NAME`, the name that the signature has (`weighbridge sign-input --about NAME`)",
            )
        if binding.about is not None and not (binding.signers and role in OF_ONE_MODEL):
            raise PolicyError(
                f"{where}: `about` says nothing here; it is for signed members, non-members, locks and requirements",
                remedy="leave `about` out",
            )
        if isinstance(binding, AdvisoriesBinding):
            weak = (f"maxAge {binding.max_age} is longer than a year",) if _never_old(binding) else ()
            until = _accepted_until(binding.accepted, weak, where)
        if isinstance(binding, DataBinding) and binding.bounds is not None and binding.bounds[0] >= binding.bounds[1]:
            raise PolicyError(f"{where}: bounds are {list(binding.bounds)}; the lower comes first")
    return until


def _never_old(binding: AdvisoriesBinding) -> bool:
    return binding.max_age is not None and too_long(binding.max_age)


def _require_some(requirements: tuple[Requirement, ...], name: str) -> None:
    if not requirements:
        raise PolicyError(
            f"{name} requires nothing; an empty policy would let every model pass",
            remedy="add at least one requirement",
        )
    seen: dict[CheckName, int] = {}
    for requirement in requirements:
        if requirement.check in seen:
            raise PolicyError(
                f"{name}:{requirement.line}: {requirement.check} is required twice "
                f"(first in line {seen[requirement.check]})",
                remedy="merge the two requirements",
            )
        seen[requirement.check] = requirement.line


def _separation(spec: PolicySpec, document: _yaml.Document) -> tuple[frozenset[str], ...]:
    line = document.line("spec", "separation")
    if len(spec.separation) == 1:
        raise PolicyError(
            f"{document.name}:{line}: separation has one group, which separates nothing",
            remedy="name at least two groups of roles, or leave separation out",
        )
    groups = tuple(frozenset(group) for group in spec.separation)
    for role in sorted(frozenset().union(*groups)):
        if sum(role in group for group in groups) > 1:
            raise PolicyError(f"{document.name}:{line}: the role {role} stands in two groups of the separation")
    return groups


def _waiver(item: WaiverSpec, line: int, name: str) -> Waiver:
    try:
        return Waiver(spec=item, line=line, expires=parse_instant(item.expires, what="expires"))
    except ParseError as error:
        raise ParseError(f"{name}:{line}: {error.message}") from None


def _workload(item: WorkloadSpec, spec: PolicySpec, line: int, name: str) -> Workload:
    # Elsewhere another policy decides, so the entry would look like a permission and never be one.
    outside = sorted(set(item.namespaces) - set(spec.namespaces))
    if outside and not spec.default:
        raise PolicyError(
            f"{name}:{line}: the workload names the namespace {outside[0]}, which this policy does not",
            remedy="add it to the policy's namespaces, or write the workload into the policy that names it",
        )
    try:
        expires = parse_instant(item.expires, what="expires")
    except ParseError as error:
        raise ParseError(f"{name}:{line}: {error.message}") from None
    images = frozenset(image.rpartition("sha256:")[2] for image in item.images)
    return Workload(spec=item, line=line, expires=expires, images=images)
