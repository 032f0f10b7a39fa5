"""Compare the model scan with picklescan on one corpus: detection, false alarms, seconds, peak memory.

Run ``python benchmarks/bench_scan.py [--peer PYTHON]``. The corpus is built by the tests' own code. picklescan is
installed into an environment of its own below ``build/``; both scan in one process each, one file at a time.
*Refused* is what a gate would stop on: for picklescan a finding or an error, for us anything but clean. picklescan's
column is read with care: 'silent' files are those it does not open at all, which its exit code calls clean.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PEER = "picklescan>=1.0"

OURS = r"""
import json, re, sys, time
from pathlib import Path
from weighbridge.checks.model_scan.check import scan_file
names = json.loads(Path(sys.argv[1]).read_text())
peak = lambda: int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
base = peak()
start = time.perf_counter()
result = {name: scan_file(Path(name), name=Path(name).name).coverage.state for name in names}
seconds = time.perf_counter() - start
print(json.dumps([result, seconds, peak() / 1024, base / 1024]))
"""

THEIRS = r"""
import json, logging, re, sys, time
from pathlib import Path
logging.disable(logging.CRITICAL)
from picklescan.scanner import scan_file_path
strict = json.loads(sys.argv[2])
names = json.loads(Path(sys.argv[1]).read_text())
peak = lambda: int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
base = peak()
start = time.perf_counter()
result = {}
for name in names:
    try:
        found = scan_file_path(name, **({"strict": True} if strict else {}))
        state = "clean" if found.scanned_files else "silent"
        state = "refused" if found.issues_count else "error" if found.scan_err else state
    except Exception as error:
        state = "error"
    result[name] = state
seconds = time.perf_counter() - start
print(json.dumps([result, seconds, peak() / 1024, base / 1024]))
"""


def peer_python() -> Path:
    """Install picklescan into an environment of its own."""
    folder = ROOT / "build" / "bench-picklescan"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", PEER, "numpy"], check=True)
    return python


def write_corpus(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Write the corpus; return the hostile files with their categories, and the benign files."""
    sys.path.insert(0, str(ROOT))
    from tests.attacks.models import all_cases
    from tests.checks.model_scan.benign import estimator_files, other_files

    hostile: dict[str, str] = {}
    for number, case in enumerate(all_cases()):
        path = folder / f"h{number}" / case.filename
        path.parent.mkdir()
        path.write_bytes(case.content)
        hostile[str(path)] = case.category
    benign: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, (name, data) in enumerate([*estimator_files(0, 1), *other_files()]):
            path = folder / f"b{number}" / name.replace("/", "_")
            path.parent.mkdir()
            path.write_bytes(data)
            benign.append(str(path))
    return hostile, benign


def measure(python: Path, script: str, listing: Path, *arguments: str) -> tuple[dict[str, str], float, float, float]:
    """Run one scanner over the listing."""
    done = subprocess.run(
        [str(python), "-c", script, str(listing), *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    result: Any = json.loads(done.stdout.strip().splitlines()[-1])
    return result[0], result[1], result[2], result[3]


def summarise(name: str, result: dict[str, str], hostile: dict[str, str], benign: list[str]) -> dict[str, object]:
    """Count what a scanner did."""
    passed = [path for path in hostile if result[path] in ("clean", "silent")]
    by_category: dict[str, str] = {}
    for category in sorted(set(hostile.values())):
        mine = [path for path in hostile if hostile[path] == category]
        by_category[category] = f"{sum(result[path] not in ('clean', 'silent') for path in mine)}/{len(mine)}"
    return {
        "scanner": name,
        "hostile refused": f"{len(hostile) - len(passed)}/{len(hostile)}",
        "hostile with a finding": sum(result[path] == "refused" for path in hostile),
        "benign flagged": sum(result[path] == "refused" for path in benign),
        "benign error, undecided or silent": sum(result[path] not in ("refused", "clean") for path in benign),
        "benign": len(benign),
        "by category": by_category,
    }


def main() -> None:
    """Build the corpus, run both, print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, help="a Python that has picklescan and numpy")
    peer = parser.parse_args().peer or peer_python()
    with tempfile.TemporaryDirectory() as folder:
        hostile, benign = write_corpus(Path(folder))
        listing = Path(folder) / "names.json"
        listing.write_text(json.dumps([*hostile, *benign]))
        rows = []
        for name, python, script, arguments in (
            ("weighbridge", Path(sys.executable), OURS, ()),
            ("picklescan", peer, THEIRS, ("false",)),
            ("picklescan strict", peer, THEIRS, ("true",)),
        ):
            result, seconds, peak, base = measure(python, script, listing, *arguments)
            row = summarise(name, result, hostile, benign)
            rows.append(row | {"seconds": round(seconds, 2), "peak MB": round(peak), "MB before": round(base)})
    ratio = float(str(rows[0]["seconds"])) / float(str(rows[1]["seconds"]))
    print(json.dumps({"rows": rows, "seconds against picklescan": round(ratio, 2)}, indent=1))


if __name__ == "__main__":
    main()
