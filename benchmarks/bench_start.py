"""How long a person waits for the smallest commands, and what an installation weighs.

``weighbridge verify`` checks a real verdict of a small model, against an interpreter that does nothing and the help
of another tool.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.environment import find_uv

from benchmarks.measure import Command, Result, goal, interleave, table
from benchmarks.other_tools import ours, tool, tools_python

HELP_SECONDS = 0.15
VERIFY_SECONDS = 0.3
MOST_PACKAGES = 12
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Weight:
    """What an installation brings."""

    wheel: int
    packages: int
    installed: int


def main() -> None:
    """Measure start-up, then the weight."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weighbridge-bench-") as place:
        start(Path(place), rounds=options.rounds)
        weight = weigh(Path(place))
    print(
        f"\nwheel {weight.wheel / 1000:.0f} kB; `pip install weighbridge` brings {weight.packages} packages, ", end=""
    )
    print(f"{weight.installed / 1e6:.1f} MB on disk")
    goal(f"{weight.packages} packages; goal {MOST_PACKAGES}", reached=weight.packages <= MOST_PACKAGES)


def start(directory: Path, *, rounds: int) -> None:
    """Compare cold starts. Byte code is compiled in the first, unmeasured round, as an installer does."""
    model, verdict, trust = make_verdict(directory)
    verify = [ours("weighbridge"), "verify", str(model), "--verdict", str(verdict), "--trust", str(trust)]
    other = str(tools_python())
    results = interleave(
        [
            Command("python -c pass", [sys.executable, "-c", "pass"]),
            Command("weighbridge --help", [ours("weighbridge"), "--help"]),
            Command("weighbridge verify", verify),
            Command("pip-audit --help", [tool("pip-audit"), "--help"]),
            Command("python -c 'import model_signing'", [other, "-c", "import model_signing"]),
        ],
        rounds=rounds,
    )
    table("start", results, against="python -c pass")
    found: dict[str, Result] = {result.name: result for result in results}
    for name, limit in (("weighbridge --help", HELP_SECONDS), ("weighbridge verify", VERIFY_SECONDS)):
        goal(f"{name} {found[name].seconds:.3f} s; goal {limit}", reached=found[name].seconds <= limit)


def make_verdict(directory: Path) -> tuple[Path, Path, Path]:
    """Scan a model of one safetensors file, judge it by a policy of one line, and return model, verdict and trust."""
    model, keys, trust, policy = (directory / name for name in ("model", "keys", "trust.yaml", "policy.yaml"))
    passphrases = directory / "passphrases"
    model.mkdir()
    header = b'{"w":{"dtype":"U8","shape":[1000],"data_offsets":[0,1000]}}'
    (model / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(1000))
    policy.write_text(
        "apiVersion: weighbridge.dev/v1alpha1\nkind: ModelPolicy\nmetadata: {name: bench}\n"
        "spec:\n  mode: enforce\n  requirements:\n    - {check: model-scan, signers: [scanner]}\n"
    )
    verdict = directory / "model.verdict.sigstore.json"
    for arguments in (
        ["keys", "new", "scanner", "verifier", "-o", str(keys), "--passphrases", str(passphrases)],
        ["trust", "init", str(trust), "--keys", str(keys), "--expires", "30d"],
        ["trust", "policy", str(trust), str(policy)],
        [
            *("run", str(model), "--policy", str(policy), "--trust", str(trust)),
            *("--keys", str(keys), "--passphrase-file", str(passphrases)),
        ],
    ):
        done = subprocess.run([ours("weighbridge"), *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"weighbridge {arguments[0]} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return model, verdict, trust


def weigh(directory: Path) -> Weight:
    """Build the wheel and install it into an empty environment."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(directory / "dist")],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    wheel = next((directory / "dist").glob("*.whl"))
    uv, home = find_uv(), directory / "empty"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(home / "bin" / "python"), str(wheel)], check=True)
    site = next(home.glob("lib/python*/site-packages"))
    installed = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    return Weight(wheel.stat().st_size, len(list(site.glob("*.dist-info"))), installed)


if __name__ == "__main__":
    main()
