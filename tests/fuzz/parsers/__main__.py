"""``make fuzz-parsers``: run every parser under atheris for a time, and end with 1 when one of them failed."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

from tools.environment import cache

from tests.fuzz.parsers.examine import MAX_SIZE, PARSERS, examine, seeds
from tests.fuzz.pickles.environments import Recipe, make

ROOT = Path(__file__).resolve().parents[3]
ATHERIS = Recipe("atheris", ("atheris==3.0.0",))


def main() -> int:
    """Run each parser for its share of the time, from a corpus that is kept."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.parsers", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--parser", choices=sorted(PARSERS), action="append", help="only this one; may be repeated")
    parser.add_argument("--results", type=Path, default=cache() / "fuzz" / "parsers", help="where corpora are kept")
    parser.add_argument("--replay", type=Path, help="examine this file once, as --parser, without atheris")
    chosen = parser.parse_args()
    names = chosen.parser or list(PARSERS)
    if chosen.replay:
        for name in names:
            print(name, examine(name, chosen.replay.read_bytes()).coverage.state)
        return 0
    python = make(ATHERIS)
    failed = 0
    for name in names:
        seconds = max(5, round(60 * chosen.minutes / len(names)))
        line = fuzz(name, python=python, seconds=seconds, results=chosen.results)
        print(json.dumps(line), flush=True)
        failed += bool(line["defects"])
    return 1 if failed else 0


def fuzz(name: str, *, python: Path, seconds: int, results: Path) -> dict[str, object]:
    """Run one parser, and return what was tried and the files that it failed on."""
    corpus, defects = results / name, results / "defects" / name
    corpus.mkdir(parents=True, exist_ok=True)
    defects.mkdir(parents=True, exist_ok=True)
    for data in seeds(name):
        (corpus / hashlib.sha1(data).hexdigest()).write_bytes(data)
    # The project's packages are taken from this environment; that one has atheris alone.
    paths = [str(ROOT), str(ROOT / "src"), sysconfig.get_path("purelib")]
    known = set(defects.iterdir())
    done = subprocess.run(
        [
            *(str(python), "-m", "tests.fuzz.parsers.target", name, f"-max_total_time={seconds}"),
            *(f"-max_len={MAX_SIZE}", "-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1"),
            *(f"-artifact_prefix={defects}/", str(corpus)),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    found = sorted(str(path) for path in set(defects.iterdir()) - known)
    if done.returncode and not found:
        raise SystemExit(f"the run of {name} failed:\n{done.stderr[-3000:]}")
    return {"parser": name, "seconds": seconds, "runs": int(runs[1]) if runs else 0, "defects": found}


if __name__ == "__main__":
    sys.exit(main())
