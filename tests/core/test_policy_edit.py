from __future__ import annotations

import pytest

from tests.builders import POLICY
from weighbridge.errors import WeighbridgeError
from weighbridge.evidence.measurements import InputRole
from weighbridge.policy import AdvisoriesBinding, DataBinding, FileBinding, Policy
from weighbridge.policy.edit import NewBinding, bind
from weighbridge.policy.starter import starter_policy

ONE, TWO = "1" * 64, "2" * 64
BLOCK = """\
# Who wrote this.
apiVersion: weighbridge.dev/v1alpha1
kind: ModelPolicy
metadata: {name: production}
spec:
  # Inputs first.
  inputs:
    # The curator answers for these.
    test:
      sha256: ["SUM"]
      minExamples: 100   # as many as it takes
    advisories: {signers: [curator], sources: [PYSEC], maxAge: 3d}  # from the mirror

  requirements:
    - {check: model-scan, signers: [scanner]}   # always
  mode: warn
""".replace("SUM", ONE)


def bound(text: str, role: InputRole, new: NewBinding) -> str:
    return bind(text.encode(), bindings={role: new}, name="policy.yaml").decode()


def parse(text: str) -> Policy:
    return Policy.parse(text.encode(), name="policy.yaml")


def test_a_role_is_bound_anew_and_everything_else_stays() -> None:
    new = NewBinding(DataBinding(sha256=(TWO,)), comment="test.npz")
    text = bound(BLOCK, InputRole.TEST, new)
    assert f'    test: {{sha256: ["{TWO}"], minExamples: 100}}  # test.npz\n' in text
    for line in ("# Who wrote this.", "# Inputs first.", "# The curator answers", "# from the mirror", "# always"):
        assert line in text
    assert parse(text).inputs.test == DataBinding(sha256=(TWO,), min_examples=100)
    assert parse(text).inputs.advisories == parse(BLOCK).inputs.advisories
    assert parse(text).requirements[0].spec == parse(BLOCK).requirements[0].spec


def test_limits_of_advisories_are_kept() -> None:
    text = bound(BLOCK, InputRole.ADVISORIES, NewBinding(AdvisoriesBinding(sha256=(TWO,))))
    assert parse(text).inputs.advisories == AdvisoriesBinding(sha256=(TWO,), sources=("PYSEC",), max_age="3d")


def test_a_role_or_the_whole_block_is_added() -> None:
    text = bound(BLOCK, InputRole.LOCK, NewBinding("unbound"))
    assert parse(text).inputs.lock == "unbound"
    bare = BLOCK[: BLOCK.index("  # Inputs first")] + BLOCK[BLOCK.index("  requirements") :]
    text = bound(bare, InputRole.LOCK, NewBinding(FileBinding(signers=("curator",), about="digits")))
    assert parse(text).inputs.lock == FileBinding(signers=("curator",), about="digits")
    assert "# always" in text


AUDITED = BLOCK.replace("    advisories:", "    lock: unbound  # until there is one\n    advisories:")


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("role", [InputRole.REQUIREMENTS, InputRole.ENVIRONMENT])
def test_what_is_audited_takes_the_place_of_what_was_unbound(role: InputRole, ends: str) -> None:
    text = bound(AUDITED.replace("\n", ends), role, NewBinding(FileBinding(sha256=(ONE,))))
    inputs = parse(text).inputs
    assert (inputs.lock, getattr(inputs, role.value)) == (None, FileBinding(sha256=(ONE,)))
    assert (inputs.test, inputs.advisories) == (parse(BLOCK).inputs.test, parse(BLOCK).inputs.advisories)
    assert text.replace("\r\n", "\n") == BLOCK.replace(
        "  inputs:\n", f'  inputs:\n    {role.value}: {{sha256: ["{ONE}"]}}\n'
    )


def test_what_is_asked_for_together_stays_together() -> None:
    both = AUDITED.replace("    lock:", f'    requirements: {{sha256: ["{ONE}"]}}\n    lock:')
    renewed = bound(both, InputRole.REQUIREMENTS, NewBinding(FileBinding(sha256=(TWO,))))
    assert parse(renewed).inputs.lock == "unbound"
    named = {InputRole.REQUIREMENTS: NewBinding(FileBinding(sha256=(ONE,))), InputRole.LOCK: NewBinding("unbound")}
    text = bind(AUDITED.encode(), bindings=named, name="policy.yaml").decode()
    assert parse(text).inputs.lock == "unbound"
    held = AUDITED.replace("unbound", f'{{sha256: ["{ONE}"]}}')
    text = bound(held, InputRole.REQUIREMENTS, NewBinding(FileBinding(sha256=(TWO,))))
    assert parse(text).inputs.lock == FileBinding(sha256=(ONE,))
    text = bound(AUDITED, InputRole.TEST, NewBinding("unbound"))
    assert parse(text).inputs.lock == "unbound"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_line_ends_do_not_matter(ends: str) -> None:
    text = bound(BLOCK.replace("\n", ends), InputRole.TEST, NewBinding("unbound"))
    assert parse(text).inputs.test == "unbound"
    assert text.count("\n") == text.count(ends)


def test_blank_lines_behind_an_entry_stay() -> None:
    text = bound(BLOCK, InputRole.ADVISORIES, NewBinding("unbound"))
    assert "    advisories: unbound\n\n  requirements:\n" in text


def test_what_has_no_last_line_end_is_bound_too() -> None:
    text = bound(BLOCK.rstrip("\n"), InputRole.LOCK, NewBinding("unbound"))
    assert parse(text).inputs.lock == "unbound"


@pytest.mark.parametrize(
    "text",
    [
        POLICY,  # its inputs stand on one line
        BLOCK[: BLOCK.index("spec:")] + "spec: {requirements: [{check: model-scan, signers: [scanner]}]}\n",
        "kind: ModelTrust\n",
        "- a\n",
        "",
    ],
)
def test_what_lines_do_not_tell_apart_is_refused(text: str) -> None:
    with pytest.raises(WeighbridgeError):
        bound(text, InputRole.TEST, NewBinding("unbound"))


@pytest.mark.parametrize("roles", [(), ("lock",), ("requirements",), ("test",), tuple(InputRole)])
def test_the_starter_policy_is_cut_to_what_is_there_and_is_strict(roles: tuple[str, ...]) -> None:
    bindings: dict[InputRole, NewBinding] = {}
    for name in roles:
        role = InputRole(name)
        kind = DataBinding if role in (InputRole.TEST, InputRole.MEMBERS, InputRole.NON_MEMBERS) else FileBinding
        kind = AdvisoriesBinding if role is InputRole.ADVISORIES else kind
        bindings[role] = NewBinding(kind(sha256=(ONE,)))
    policy = Policy.parse(starter_policy("mine", bindings=bindings), name="starter")
    assert policy.name == "mine"
    assert (policy.mode, policy.confinement, policy.view) == ("enforce", "required", "private")
    assert all(requirement.accepted_until is None for requirement in policy.requirements)
    checks = {str(requirement.check) for requirement in policy.requirements}
    expected = {"model-scan", "dependency-audit"}
    expected |= {"robustness"} if "test" in roles else set()
    expected |= {"leakage"} if "members" in roles else set()
    assert checks == expected
    audited = {"lock", "requirements", "environment"} & set(roles)
    assert (policy.inputs.lock == "unbound") is (not audited)
