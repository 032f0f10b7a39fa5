"""``make fuzz-pickles``: run for a time, add a line to the results, and end with 1 when a defect was found."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tools.environment import cache

from tests.fuzz.pickles import campaign
from tests.fuzz.pickles.environments import RECIPES, make
from tests.fuzz.pickles.session import Item, Session
from weighbridge.checks.model_scan.allow import allowed_globals, load_lists

CHUNK = 250_000
"""Cases of one seed. A run that is broken off loses no more than this."""
SPELLINGS = 24
"""How many more ways each clean tree is written in."""


def main() -> int:
    """Generate pickles, load those that the scan calls clean, and say what they did."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.pickles", description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="how long, over all environments")
    parser.add_argument(
        "--environment", choices=sorted(RECIPES), action="append", help="only this one; may be repeated"
    )
    parser.add_argument("--seed", type=int, default=time.time_ns() % 2**32, help="the first seed; each chunk adds one")
    parser.add_argument("--results", type=Path, default=cache() / "fuzz" / "results", help="where results are kept")
    parser.add_argument("--sum", action="store_true", help="only add up what is in the results")
    parser.add_argument("--replay", type=Path, action="append", help="load this file of an earlier defect in each one")
    chosen = parser.parse_args()
    names = chosen.environment or list(RECIPES)
    if chosen.sum:
        print(json.dumps(add_up(chosen.results), indent=1))
        return 0
    if chosen.replay:
        return replay(chosen.replay, names)
    found = 0
    for place, name in enumerate(names):
        seconds = 60 * chosen.minutes / len(names)
        found += fuzz(name, seconds=seconds, seed=chosen.seed + place * 1000, results=chosen.results)
    print(json.dumps(add_up(chosen.results), indent=1))
    return 1 if found else 0


def fuzz(name: str, *, seconds: float, seed: int, results: Path) -> int:
    """Run one environment for so long; return the number of defects."""
    python = make(RECIPES[name])
    listed = allowed_globals()
    found = 0
    with Session(python, listed=listed) as session:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.monotonic()
            tally = campaign.run(session, listed=listed, seed=seed, cases=CHUNK, until=end, spellings=SPELLINGS)
            line = {
                "environment": name,
                "versions": session.environment.versions,
                "lists": lists_digest(),
                "seed": seed,
                "seconds": round(time.monotonic() - started),
                "generated": tally.generated,
                "trees": tally.trees,
                "clean": tally.clean,
                "loaded": tally.loaded,
                "raised": tally.raised,
                "defects": dict(tally.defects),
                "in use": dict(tally.in_use),
            }
            results.mkdir(parents=True, exist_ok=True)
            with (results / "runs.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print(json.dumps(line), flush=True)
            for defect, case in tally.examples.values():
                item = campaign.smallest(session, defect, case)
                print(
                    "defect:", defect.kind, defect.detail, campaign.keep(results / "defects", defect, item), flush=True
                )
            found += tally.defects.total()
            seed += 1
    return found


def lists_digest() -> str:
    """Return one digest over all allow lists."""
    return hashlib.sha256(json.dumps(load_lists().digests, sort_keys=True).encode()).hexdigest()[:12]


def add_up(results: Path) -> dict[str, Any]:
    """Add up the runs with today's allow lists, by environment."""
    total: dict[str, Any] = {}
    path = results / "runs.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for line in map(json.loads, lines):
        if line["lists"] != lists_digest():
            continue
        sums = total.setdefault(line["environment"], {"versions": line["versions"], "runs": 0})
        sums["runs"] += 1
        for key in ("seconds", "generated", "trees", "clean", "loaded", "raised"):
            sums[key] = sums.get(key, 0) + line.get(key, 0)
        for key in ("defects", "in use"):
            sums[key] = dict(Counter(sums.get(key, {})) + Counter(line[key]))
    total["all"] = {
        key: sum(sums[key] for name, sums in total.items() if name != "all")
        for key in ("generated", "trees", "clean", "loaded")
    }
    return total


def replay(paths: list[Path], names: list[str]) -> int:
    """Load files again, whatever the scan says of them now, and print both."""
    found = 0
    for name in names:
        with Session(make(RECIPES[name]), listed=allowed_globals()) as session:
            for path in paths:
                item = Item(path.suffix.removeprefix("."), path.read_bytes())
                clean = campaign.is_clean(item)
                defects = [(one.kind, one.phase, one.detail) for one in session.load([item]).defects]
                print(name, path.name, "clean" if clean else "not clean", defects or "nothing seen")
                found += bool(clean and defects)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
