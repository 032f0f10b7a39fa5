"""Audit 300 packages of machine learning against the shipped advisories, and compare with pip-audit.

pip-audit asks a service, so it is given one on the loopback interface that answers at once from the same records. What
that service answers is worked out beforehand by the independent judge of the tests, so the comparison is also one of
results: both must name the same (package, advisory) pairs. ``--sweep`` asks the two judges about every version that can
be derived from every record of the snapshot instead.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from packaging.utils import canonicalize_name
from packaging.version import Version
from tests.checks.dependencies.oracle import derived, expected, live_records

from benchmarks.measure import Command, goal, interleave, table
from benchmarks.other_tools import ours, tool
from weighbridge.checks.dependencies.advisories import load_advisories, packaged_bundle
from weighbridge.checks.dependencies.build import build_bundle
from weighbridge.checks.dependencies.inventory import Pin
from weighbridge.checks.dependencies.judging import judge_pin

PINS = Path(__file__).parent / "audit_pins.txt"
SECONDS = 0.4
MEBIBYTES = 60
BUILD_SECONDS = 15

Json = dict[str, Any]
Pairs = set[tuple[str, str]]


def main() -> None:
    """Compare with pip-audit, or sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sweep", action="store_true", help="ask about every version that records suggest")
    parser.add_argument("--inside", action="store_true", help="only measure the steps inside one process")
    parser.add_argument("--serve", action="store_true", help="only answer OSV queries until standard input ends")
    options = parser.parse_args()
    if options.sweep:
        sweep()
    elif options.inside:
        in_process(options.packages)
    elif options.serve:
        serve(options.packages)
    else:
        # The kernel counts the memory of a process from its fork on, so what is large must not be in this one.
        inside = [sys.executable, __file__, "--inside", "--packages", str(options.packages)]
        subprocess.run(inside, check=True)
        compare(options.packages, rounds=options.rounds)


def chosen(count: int) -> list[tuple[str, str]]:
    """Return the first pins of the list."""
    lines = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    pairs = [line.split("==") for line in lines[:count]]
    return [(canonicalize_name(name.partition("[")[0]), version) for name, version in pairs]


def in_process(count: int) -> None:
    """Measure the steps of an audit inside one process."""
    started = time.perf_counter()
    advisories = load_advisories(packaged_bundle())
    loaded = time.perf_counter()
    pins = [Pin(name=name, version=version, location="x") for name, version in chosen(count)]
    first = time.perf_counter()
    findings = sum(len(judge_pin(pin, advisories).findings) for pin in pins)
    second = time.perf_counter()
    for pin in pins:
        judge_pin(pin, advisories)
    third = time.perf_counter()
    built = build_bundle([packaged_bundle()], built="2026-07-23")
    fourth = time.perf_counter()
    print(
        f"\ninside one process, {len(pins)} packages, {findings} findings:\n"
        f"  read and arrange the bundle {1e3 * (loaded - started):6.1f} ms\n"
        f"  judge all, first time       {1e3 * (second - first):6.1f} ms\n"
        f"  judge all, versions known   {1e3 * (third - second):6.1f} ms\n"
        f"  build a bundle              {1e3 * (fourth - third):6.1f} ms, {len(built.data) / 1e6:.2f} MB"
    )
    goal(f"bundle built in {BUILD_SECONDS} s", reached=fourth - third <= BUILD_SECONDS)


def compare(count: int, *, rounds: int) -> None:
    """Measure whole processes against pip-audit, and compare what they find."""
    pins = chosen(count)
    with tempfile.TemporaryDirectory(prefix="weighbridge-bench-") as place, osv_service(count) as url:
        model, requirements = Path(place) / "model", Path(place) / "requirements.txt"
        model.mkdir()
        (model / "weights.bin").write_bytes(b"weights")
        requirements.write_text("".join(f"{name}=={version}\n" for name, version in pins))
        mine = [ours("weighbridge"), "audit", str(model), "-r", str(requirements), "--format", "json"]
        theirs = [
            tool("pip-audit"), "-r", str(requirements), "--no-deps", "--disable-pip", "--progress-spinner", "off",
            "-s", "osv", "--osv-url", url, "--cache-dir", str(Path(place) / "cache"), "--format", "json",
        ]  # fmt: skip
        found = pairs_of_weighbridge(output(mine)), pairs_of_pip_audit(output(theirs))
        results = interleave(
            [
                Command("weighbridge audit", mine, exit_codes=frozenset({0, 1, 2})),
                Command("pip-audit", theirs, exit_codes=frozenset({0, 1})),
            ],
            rounds=rounds,
        )
    table(f"audit of {len(pins)} packages, whole processes", results, against="weighbridge audit")
    goal(f"weighbridge audit in {SECONDS} s", reached=results[0].seconds <= SECONDS)
    goal(f"peak of {MEBIBYTES} MiB", reached=results[0].memory <= MEBIBYTES)
    goal(
        f"the same (package, advisory) pairs: {len(found[0])} and {len(found[1])}, "
        f"{len(found[0] ^ found[1])} differ, in {len({name for name, _ in found[0]})} packages",
        reached=found[0] == found[1] and bool(found[0]),
    )


def output(argv: list[str]) -> Json:
    """Run a command and read the JSON that it prints."""
    done = subprocess.run(argv, capture_output=True, check=False)
    try:
        result: Json = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"{argv[0]} exited {done.returncode}:\n{done.stderr.decode(errors='replace')}") from None
    return result


def pairs_of_weighbridge(report: Json) -> Pairs:
    """Return the (package, advisory) pairs of our report."""
    return {(one["component"]["name"], one["advisory"]) for one in report["findings"] if "advisory" in one}


def pairs_of_pip_audit(report: Json) -> Pairs:
    """Return the (package, advisory) pairs of a report of pip-audit."""
    return {(canonicalize_name(each["name"]), one["id"]) for each in report["dependencies"] for one in each["vulns"]}


@contextmanager
def osv_service(count: int) -> Iterator[str]:
    """Run the service in a process of its own, and end it afterwards."""
    argv = [sys.executable, __file__, "--serve", "--packages", str(count)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def serve(count: int) -> None:
    """Answer OSV queries about the pins on the loopback interface, every answer worked out beforehand."""
    answers: dict[tuple[str, str], bytes] = {}
    records = by_package()
    for name, version in chosen(count):
        candidates = records.get(name, [])
        affected, _ = expected(candidates, name, Version(version))
        vulnerable = [published(each, name) for each in candidates if each["id"] in affected]
        answers[name, str(Version(version))] = json.dumps({"vulns": vulnerable} if vulnerable else {}).encode()

    class Service(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without this every answer waits for a delayed acknowledgement, 40 ms for each package.
        disable_nagle_algorithm = True
        known: ClassVar = answers

        def do_POST(self) -> None:  # the name that http.server calls
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = self.known[query["package"]["name"], query["version"]]
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_port}/v1/query", flush=True)
        sys.stdin.read()
        server.shutdown()


def published(record: Json, name: str) -> Json:
    """Return a record in the one shape that pip-audit reads: whole seconds, and the normalised name."""
    affected = [{**each, "package": {**each["package"], "name": name}} for each in record["affected"]]
    return {**record, "published": record["published"][:19] + "Z", "affected": affected}


def by_package() -> dict[str, list[Json]]:
    """Return the records in force by normalised package name."""
    found: dict[str, list[Json]] = {}
    for record in live_records(packaged_bundle()):
        for name in {canonicalize_name(each["package"]["name"]) for each in record["affected"]}:
            found.setdefault(name, []).append(record)
    return found


def sweep() -> None:
    """Ask both judges about every derived version of every record, with all records about the package."""
    advisories = load_advisories(packaged_bundle())
    cases = findings = undecided = disagreements = 0
    for name, records in sorted(by_package().items()):
        for version in {version for record in records for each, version in derived(record) if each == name}:
            judgement = judge_pin(Pin(name=name, version=str(version), location="x"), advisories)
            affected, undecidable = expected(records, name, version)
            found = {str(one.advisory) for one in judgement.findings}
            unsure = {one.reason.split()[0] for one in judgement.undecided}
            cases += len(records)
            findings += len(affected)
            undecided += len(undecidable)
            if found != affected or unsure != undecidable:
                disagreements += 1
                print(f"  {name} {version}: {sorted(found ^ affected)} {sorted(unsure ^ undecidable)}")
    print(f"\n{cases} (record, version) pairs, {findings} affected, {undecided} undecidable")
    goal(f"0 disagreements with the independent judge: {disagreements}", reached=disagreements == 0)


if __name__ == "__main__":
    main()
