"""Compare the model scan with its peers on the same files in the same run, and print two tables in Markdown.

``python -m benchmarks.bench_scan [--sample N] [--only NAME ...] [--json FILE] [--corpus FOLDER]``. The corpus is built
by the tests' own code; another one is a folder with ``hostile/GROUP/...`` and ``benign/GROUP/...``. Every scanner runs
in one process, one file at a time. The slow ones see only so many files of each group, and ours is measured on those
as well.

*Found* is a finding, *refused* is everything but exit code 0, *usable* is read and passed, *silent* is passed unread.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.scan_peers import PEERS, SCRIPTS, Peer

ROOT: Final = Path(__file__).resolve().parent.parent
OURS: Final = "weighbridge"
QUIET: Final = {"NO_ANALYTICS": "1", "PROMPTFOO_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
"""Nothing that a scanner does may leave the machine."""

FAMILIES: Final = {
    ending: family
    for family, endings in {
        "pickle": ".pkl .pickle",
        "joblib": ".joblib",
        "torch": ".pt .pth .bin .ckpt",
        "numpy": ".npy .npz",
        "onnx": ".onnx",
        "safetensors": ".safetensors",
        "keras": ".keras .h5 .pb",
        "compressed": ".gz .bz2 .xz .lzma .zip .tar",
        "documents": ".json .yaml .yml .jinja .txt .md .csv .tsv",
    }.items()
    for ending in endings.split()
}
"""The group of a benign file by the ending of its name."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One file of the corpus."""

    path: str
    group: str
    hostile: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """What one scanner said of each file, and what it took: peak memory with and without the files, in MB."""

    name: str
    states: dict[str, str]
    seconds: float
    memory: float
    before: float

    def count(self, files: Iterable[Sample], *states: str) -> int:
        """Count the files of which it said one of these."""
        return sum(self.states[file.path] in states for file in files)


def write_corpus(folder: Path) -> list[Sample]:
    """Write every hostile and benign file that the tests build."""
    from tests.attacks.models import all_cases
    from tests.checks.model_scan.benign import estimator_files, other_files

    samples = []
    for number, case in enumerate(all_cases()):
        path = folder / f"h{number}" / case.filename
        path.parent.mkdir()
        path.write_bytes(case.content)
        samples.append(Sample(str(path), case.category, hostile=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, (name, data) in enumerate([*estimator_files(0, 1), *other_files()]):
            path = folder / f"b{number}" / name.replace("/", "_")
            path.parent.mkdir()
            path.write_bytes(data)
            samples.append(Sample(str(path), FAMILIES.get(path.suffix, "other"), hostile=False))
    return samples


def read_corpus(folder: Path) -> list[Sample]:
    """List a corpus that lies below a folder as ``hostile/GROUP/...`` and ``benign/GROUP/...``."""
    return [
        Sample(str(path), path.relative_to(folder).parts[1], hostile=kind == "hostile")
        for kind in ("hostile", "benign")
        for path in sorted((folder / kind).rglob("*"))
        if path.is_file()
    ]


def thin(samples: Sequence[Sample], *, each: int) -> list[Sample]:
    """Keep so many files of each group, always the same ones, by the digest of their content."""
    groups: dict[tuple[bool, str], list[Sample]] = {}
    for sample in samples:
        groups.setdefault((sample.hostile, sample.group), []).append(sample)
    return [
        sample
        for group in groups.values()
        for sample in sorted(group, key=lambda one: hashlib.sha256(Path(one.path).read_bytes()).digest())[:each]
    ]


def measure(name: str, argv: Sequence[str], samples: Sequence[Sample]) -> Measured:
    """Run one scanner over the files."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as listing:
        json.dump([sample.path for sample in samples], listing)
        listing.flush()
        command = [*argv[:3], listing.name, *argv[3:]]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | QUIET, check=False)
    if done.returncode:
        raise SystemExit(f"{name} did not run to its end:\n{done.stderr[-2000:]}")
    states, seconds, memory, before = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"{name}: {len(samples)} files in {seconds:.1f} s", file=sys.stderr, flush=True)
    return Measured(name, states, seconds, memory, before)


def ours(samples: Sequence[Sample], *, name: str = OURS) -> Measured:
    """Run our own scan over the files."""
    return measure(name, [sys.executable, "-m", f"{SCRIPTS}.ask_weighbridge"], samples)


def theirs(peer: Peer, samples: Sequence[Sample]) -> Measured:
    """Run a peer over the files."""
    argv = [str(peer.python()), "-m", f"{SCRIPTS}.{peer.script}", *peer.arguments]
    return measure(f"{peer.name} {peer.version}", argv, samples)


def rates(measured: Measured, samples: Sequence[Sample], base: Measured) -> dict[str, str]:
    """Return the row of the first table."""
    bad = [sample for sample in samples if sample.hostile]
    good = [sample for sample in samples if not sample.hostile]

    def share(files: Sequence[Sample], *states: str) -> str:
        count = measured.count(files, *states)
        return f"{count}/{len(files)} ({100 * count / len(files):.1f} %)" if files else "-"

    return {
        "scanner": measured.name,
        "hostile found": share(bad, "found"),
        "hostile refused": share(bad, "found", "error"),
        "hostile passed clean + silent": f"{measured.count(bad, 'clean')} + {measured.count(bad, 'silent')}",
        "benign usable": share(good, "clean"),
        "benign flagged": share(good, "found"),
        "benign error + silent": f"{measured.count(good, 'error')} + {measured.count(good, 'silent')}",
        "seconds": f"{measured.seconds:.1f}",
        "ratio": f"{measured.seconds / base.seconds:.2f}",
        "peak MB (before)": f"{measured.memory:.0f} ({measured.before:.0f})",
    }


def by_group(rows: Sequence[tuple[Measured, Sequence[Sample]]]) -> list[dict[str, str]]:
    """Return the rows of the second table: per group the hostile files found (refused), the benign usable (flagged)."""
    groups = sorted({(not sample.hostile, sample.group) for _, samples in rows for sample in samples})
    table = []
    for benign, group in groups:
        row = {"group": f"{'benign' if benign else 'hostile'} {group}"}
        for measured, samples in rows:
            mine = [one for one in samples if one.group == group and one.hostile is not benign]
            good = "clean" if benign else "found"
            other = measured.count(mine, "found") if benign else measured.count(mine, "found", "error")
            row[measured.name] = f"{measured.count(mine, good)} ({other})/{len(mine)}"
        table.append(row)
    return table


def markdown(rows: Sequence[dict[str, str]]) -> str:
    """Write rows with the same keys as a table."""
    titles = list(rows[0])
    lines = [titles, ["---"] * len(titles), *([row[title] for title in titles] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Build the corpus, run everything, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sample", type=int, default=5, help="files of each group for the slow peers, 0 for all [default: 5]"
    )
    parser.add_argument("--only", action="append", default=[], choices=[peer.name for peer in PEERS])
    parser.add_argument("--json", type=Path, help="where to write what every scanner said of every file")
    parser.add_argument("--corpus", type=Path, help="a folder with hostile/GROUP and benign/GROUP")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        samples = read_corpus(asked.corpus) if asked.corpus else write_corpus(Path(folder))
        few = thin(samples, each=asked.sample) if asked.sample else samples
        peers = [peer for peer in PEERS if not asked.only or peer.name in asked.only]
        whole = ours(samples)
        part = ours(few, name=f"{OURS}, sample") if len(few) < len(samples) else whole
        rows: list[tuple[Measured, Sequence[Sample]]] = [(whole, samples)]
        rows += [(theirs(peer, samples), samples) for peer in peers if part is whole or not peer.slow]
        if part is not whole:
            rows.append((part, few))
            rows += [(theirs(peer, few), few) for peer in peers if peer.slow]
        print(markdown([rates(one, files, whole if files is samples else part) for one, files in rows]))
        print()
        print(markdown(by_group(rows)))
        if asked.json:
            names = {sample.path: f"{sample.group}/{Path(sample.path).name}" for sample in samples}
            said = {
                one.name: {f"{path}: {names[path]}": state for path, state in one.states.items()} for one, _ in rows
            }
            asked.json.write_text(json.dumps(said, indent=1))


if __name__ == "__main__":
    main()
