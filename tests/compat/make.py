"""Write the files of a case of the compatibility store: ``python -m tests.compat.make``.

A case is written once, by the program as it was when its format was released, and is never written again: what was
signed once must be verified for ever. Existing cases are left alone. Its keys are thrown away.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from tests.builders import NOW, Scene, make_keys, make_model, trust_bytes
from weighbridge import __version__
from weighbridge.evidence.keys import KeyAlgorithm
from weighbridge.gate.judge import judge
from weighbridge.gate.verdict import write_verdict

HERE = Path(__file__).parent / "v1"


def write_case(directory: Path, *, algorithm: KeyAlgorithm) -> None:
    """Write one passing case: model, trust, policy, evidence and verdict."""
    scene = Scene(make_model(directory / "model"), keys=make_keys(algorithm))
    files = scene.files()
    decision = judge(scene.digest, policy=scene.policy, trust=scene.trust, files=files, now=NOW)
    verdict = write_verdict(decision, name="model", version=__version__, signer=scene.keys["verifier"])
    (directory / "evidence").mkdir()
    for file in files:
        (directory / "evidence" / file.name).write_bytes(file.data)
    (directory / "trust.yaml").write_bytes(trust_bytes(scene.keys, expires=NOW + timedelta(days=90)))
    (directory / "policy.yaml").write_text(scene.policy_text)
    (directory / "verdict.sigstore.json").write_bytes(verdict)


def main() -> None:
    """Write the cases that are not there yet."""
    for algorithm in KeyAlgorithm:
        directory = HERE / algorithm.value
        if not directory.exists():
            write_case(directory, algorithm=algorithm)
            print(directory)


if __name__ == "__main__":
    main()
