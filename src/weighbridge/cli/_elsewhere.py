"""Words that users of other tools type first, and what they are called here."""

from __future__ import annotations

from typing import Final

_SIGN: Final = (
    "a model is never signed unseen here: a signature says what was found in it",
    "`weighbridge scan MODEL --key keys/scanner.key` signs what a scan found, `weighbridge gate MODEL --policy P "
    "--trust T --key keys/verifier.key` signs the verdict; who made the files is for `model_signing sign` to say",
)
_SCAN: Final = ("that is called scan here", "weighbridge scan MODEL")
_AUDIT: Final = ("that is called audit here", "weighbridge audit, with -r FILE, --lock FILE or --environment DIR")
_KEYS: Final = ("keys are made for roles here", "weighbridge keys new scanner auditor tester verifier")

WORDS: Final[dict[str, tuple[str, str]]] = {
    "sign": _SIGN,
    "attest": _SIGN,
    "verify-attestation": ("verdicts are verified here", "weighbridge verify MODEL --verdict V --trust T"),
    "fs": _SCAN,
    "filesystem": _SCAN,
    "rootfs": _SCAN,
    "repo": _SCAN,
    "image": (
        "an image is pulled by digest, and then scanned",
        "weighbridge pull REGISTRY/NAME@sha256:DIGEST DIR, then weighbridge scan DIR",
    ),
    "sbom": (
        "a bill of materials is what a signed audit leaves",
        "weighbridge audit MODEL --lock uv.lock --key keys/auditor.key",
    ),
    "pip-audit": _AUDIT,
    "requirements": _AUDIT,
    "generate-key-pair": _KEYS,
    "keygen": _KEYS,
}
"""What each word is in this program, and what to type."""
