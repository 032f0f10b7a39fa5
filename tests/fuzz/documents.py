"""Feed changed records, statements, policies, trust documents and verdicts to the gate and to ``verify``.

``python -m tests.fuzz.documents --seconds 3600`` runs for an hour and ends with what was tried. What must hold:

- nothing but an error of ours is ever raised;
- a file whose signature was not made over its bytes is never accepted;
- two policies with one digest ask for the same;
- a model that the gate passed has evidence for each requirement whose files are the model's, and a changed verdict that
  somebody with the verifier's key signs is verified only when it says passed in every place.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from tests.builders import MODEL_DIGEST, NOW, POLICY, Scene, make_model, trust_bytes
from tests.fuzz.mutate import mutate, scramble
from weighbridge.errors import WeighbridgeError
from weighbridge.evidence.bundle import write_bundle
from weighbridge.gate.decision import VerdictResult
from weighbridge.gate.judge import judge
from weighbridge.gate.verdict import verify_verdict, write_verdict
from weighbridge.model.digest import combine
from weighbridge.policy import Policy
from weighbridge.trust import Trust


class Fuzzer:
    """One scene, whose documents are changed at random."""

    def __init__(self, directory: Path, *, seed: int) -> None:
        self.rng = random.Random(seed)
        self.scene = Scene(make_model(directory / "model"))
        self.policy = self.scene.policy
        self.trust = self.scene.trust
        self.files = self.scene.files()
        decision = judge(MODEL_DIGEST, policy=self.policy, trust=self.trust, files=self.files, now=NOW)
        assert decision.result is VerdictResult.PASSED
        self.verdict = write_verdict(decision, name="model", version="0", signer=self.scene.keys["verifier"])
        self.seen: Counter[str] = Counter()

    def step(self) -> None:
        """Try one changed document."""
        attempt = self.rng.choice(
            (self.signed_evidence, self.torn_evidence, self.a_policy, self.a_trust, self.a_verdict)
        )
        outcome = attempt()
        self.seen[f"{attempt.__name__}: {outcome}"] += 1

    def _try(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except WeighbridgeError:
            return None

    def signed_evidence(self) -> str:
        """Sign a changed statement with the right key, as who takes over a check could."""
        place = self.rng.randrange(len(self.files))
        file = self.files[place]
        payload = mutate(json.loads(payload_of(file.data)), self.rng)
        data = write_bundle(json.dumps(payload).encode(), signer=self.rng.choice(list(self.scene.keys.values())))
        files = [*self.files[:place], replace(file, data=data), *self.files[place + 1 :]]
        decision = judge(MODEL_DIGEST, policy=self.policy, trust=self.trust, files=files, now=NOW)
        if decision.result is VerdictResult.PASSED:
            for outcome in decision.outcomes:
                assert outcome.evidence
                for item in outcome.evidence:
                    if item.record.files:
                        found = sorted((each.path, each.sha256) for each in item.record.files)
                        assert combine(found) == MODEL_DIGEST
        return decision.result.value

    def torn_evidence(self) -> str:
        """Change the bytes of a bundle; whatever then still counts is the same statement."""
        place = self.rng.randrange(len(self.files))
        file = self.files[place]
        torn = scramble(file.data, self.rng)
        files = [*self.files[:place], replace(file, data=torn), *self.files[place + 1 :]]
        decision = judge(MODEL_DIGEST, policy=self.policy, trust=self.trust, files=files, now=NOW)
        if decision.result is VerdictResult.PASSED:
            assert payload_of(torn) == payload_of(file.data)
        return decision.result.value

    def a_policy(self) -> str:
        """Change a policy by value or by bytes."""
        if self.rng.random() < 0.5:
            data = yaml.safe_dump(mutate(yaml.safe_load(POLICY), self.rng)).encode()
        else:
            data = scramble(POLICY.encode(), self.rng)
        policy = self._try(lambda: Policy.parse(data, name="policy.yaml"))
        if policy is None:
            return "refused"
        if policy.digest == self.policy.digest:
            assert asked(policy) == asked(self.policy), data
            return "the same"
        judge(MODEL_DIGEST, policy=policy, trust=self.trust, files=self.files, now=NOW)
        return "another"

    def a_trust(self) -> str:
        """Change a trust document by value."""
        plain = yaml.safe_load(trust_bytes(self.scene.keys))
        data = yaml.safe_dump(mutate(plain, self.rng)).encode()
        trust = self._try(lambda: Trust.parse(data, name="trust.yaml"))
        if trust is None:
            return "refused"
        decision = judge(MODEL_DIGEST, policy=self.policy, trust=trust, files=self.files, now=NOW)
        return decision.result.value

    def a_verdict(self) -> str:
        """Sign a changed verdict with the verifier's key, or tear one that is signed."""
        if self.rng.random() < 0.5:
            data = scramble(self.verdict, self.rng)
        else:
            payload = mutate(json.loads(payload_of(self.verdict)), self.rng)
            data = write_bundle(json.dumps(payload).encode(), signer=self.scene.keys["verifier"])
        found = self._try(
            lambda: verify_verdict(
                data, model=MODEL_DIGEST, trust=self.trust, now=NOW, what="verdict", policy=self.policy
            )
        )
        if found is None:
            return "refused"
        assert found.result is VerdictResult.PASSED
        detail = found.summary.detail
        assert detail.requirements
        assert all(item.result is VerdictResult.PASSED and item.keys for item in detail.requirements)
        return "verified"


def asked(policy: Policy) -> object:
    """Return all that a policy asks of a model."""
    return (
        policy.name,
        policy.confinement,
        policy.view,
        policy.valid_for,
        [(item.spec, item.max_age, item.accepted_until) for item in policy.requirements],
        policy.separation,
        [(item.spec, item.expires) for item in policy.waivers],
        policy.inputs,
    )


def payload_of(bundle: bytes) -> bytes:
    """Return the statement inside a bundle, read in the most forgiving way."""
    return base64.b64decode(json.loads(bundle)["dsseEnvelope"]["payload"])


def fuzz(*, seconds: float, seed: int) -> Counter[str]:
    """Try changed documents for so long, and return how often each ended in which way."""
    with tempfile.TemporaryDirectory() as directory:
        fuzzer = Fuzzer(Path(directory), seed=seed)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            fuzzer.step()
        return fuzzer.seen


def main() -> int:
    """Run for a time and print what was tried; an assertion or a foreign error ends it with a traceback."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32)
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    seen = fuzz(seconds=chosen.seconds, seed=chosen.seed)
    for outcome, count in sorted(seen.items()):
        print(f"{count:>9}  {outcome}")
    print(f"{sum(seen.values())} documents, 0 defects")
    return 0


if __name__ == "__main__":
    sys.exit(main())
