"""Check, judge and verify a large model, against OpenSSF Model Signing signing and verifying the same files.

``run`` makes a private view, scans it, signs evidence and verdict; ``gate`` judges the evidence again; ``verify`` is
what a consumer runs. The model is safetensors with real headers, so that the scan has something to pass.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import Command, interleave, table
from benchmarks.other_tools import ours, tools_python

MEGABYTE = 1_000_000
POLICY = (
    "apiVersion: weighbridge.dev/v1alpha1\nkind: ModelPolicy\nmetadata: {name: bench}\n"
    "spec:\n  requirements:\n    - {check: model-scan, signers: [scanner]}\n"
)
SIGN = "import sys; from model_signing import signing as s; s.Config().use_elliptic_key_signer(private_key=sys.argv[3])"
SIGN += ".sign(sys.argv[1], sys.argv[2])"
VERIFY = "import sys; from model_signing import verifying as v; "
VERIFY += "v.Config().use_elliptic_key_verifier(public_key=sys.argv[3]).verify(sys.argv[1], sys.argv[2])"


def main() -> None:
    """Make model, keys and policy, measure, and remove them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weighbridge-bench-") as place:
        directory = Path(place)
        size = options.megabytes * MEGABYTE
        make_model(directory / "model", count=options.files, size=size)
        prepare(directory)
        results = interleave(commands(directory), rounds=options.rounds)
        title = f"{size / 1e9:g} GB in {options.files} files: check, sign, judge, verify"
        table(title, results, against="sha256sum", size=size)


def make_model(model: Path, *, count: int, size: int) -> None:
    """Write safetensors files of equal size and different content."""
    model.mkdir()
    block = os.urandom(MEGABYTE)
    each = size // count // MEGABYTE
    header = json.dumps(
        {"w": {"dtype": "U8", "shape": [each * MEGABYTE], "data_offsets": [0, each * MEGABYTE]}}
    ).encode()
    for number in range(count):
        with (model / f"model-{number + 1:05}-of-{count:05}.safetensors").open("wb") as stream:
            stream.write(len(header).to_bytes(8, "little") + header)
            for part in range(each):
                stream.write((number * each + part).to_bytes(8, "big") + block[8:])


def prepare(directory: Path) -> None:
    """Make keys of both tools, trust and policy."""
    (directory / "policy.yaml").write_text(POLICY)
    for arguments in (
        ("keys", "new", "scanner", "verifier", "-o", "keys", "--passphrases", "passphrases"),
        ("trust", "init", "trust.yaml", "--keys", "keys"),
        ("trust", "policy", "trust.yaml", "policy.yaml"),
    ):
        subprocess.run([ours("weighbridge"), *arguments], cwd=directory, check=True, capture_output=True)
    openssl = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "p256.pem"]
    subprocess.run(openssl, cwd=directory, check=True)
    subprocess.run(["openssl", "ec", "-in", "p256.pem", "-pubout", "-out", "p256.pub"], cwd=directory, check=True)


def commands(directory: Path) -> list[Command]:
    """Return what is measured, in an order in which each finds what it needs."""
    weighbridge, python = ours("weighbridge"), str(tools_python())
    judging = ("--policy", "policy.yaml", "--trust", "trust.yaml", "--passphrase-file", "passphrases")
    lines = {
        "sha256sum": ["sh", "-c", "find model -type f -print0 | xargs -0 sha256sum"],
        "weighbridge digest": [weighbridge, "digest", "model"],
        "weighbridge run": [weighbridge, "run", "model", *judging, "--keys", "keys", "-o", "verdict.json"],
        "weighbridge gate": [
            weighbridge,
            "gate",
            "model",
            *judging,
            "--key",
            "keys/verifier.key",
            "-o",
            "verdict.json",
        ],
        "weighbridge verify": [weighbridge, "verify", "model", "--verdict", "verdict.json", "--trust", "trust.yaml"],
        "model_signing sign": [python, "-c", SIGN, "model", "model.sig", "p256.pem"],
        "model_signing verify": [python, "-c", VERIFY, "model", "model.sig", "p256.pub"],
    }
    return [Command(name, line, cwd=directory) for name, line in lines.items()]


if __name__ == "__main__":
    main()
