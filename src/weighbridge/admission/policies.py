"""Say which policy holds in a namespace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from weighbridge.errors import PolicyError
from weighbridge.policy import Policy


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Every policy that there is. ``unreadable`` names those that cannot be read, whose namespaces nobody knows."""

    policies: tuple[Policy, ...]
    unreadable: tuple[str, ...] = ()

    @classmethod
    def of(cls, policies: Iterable[Policy], *, unreadable: Iterable[str] = ()) -> PolicySet:
        """Put policies together; their order does not matter."""
        return cls(tuple(sorted(policies, key=lambda policy: policy.name)), tuple(sorted(unreadable)))

    def holding_in(self, namespace: str) -> Policy:
        """Return the one policy that names the namespace, else the one default.

        Raises:
            PolicyError: When there is none, more than one, or an unreadable one that could be meant. Which of two
                policies is stricter is not guessed.
        """
        named = [policy for policy in self.policies if namespace in policy.namespaces]
        if not named and self.unreadable:
            raise PolicyError(
                f"the policy {self.unreadable[0]} cannot be read, so it may be the one for the namespace {namespace}",
                remedy="correct that policy",
            )
        found = named or [policy for policy in self.policies if policy.default]
        if len(found) == 1:
            return found[0]
        if not found:
            raise PolicyError(
                f"no policy names the namespace {namespace}, and none is the default",
                remedy="add the namespace to `namespaces` of a policy, or set `default: true` in one",
            )
        names = " and ".join(policy.name for policy in found)
        what = f"name the namespace {namespace}" if named else "are the default"
        raise PolicyError(
            f"the policies {names} both {what}" if len(found) == 2 else f"the policies {names} all {what}",  # noqa: PLR2004
            remedy="leave the namespace to one of them" if named else "make one of them the default",
        )
