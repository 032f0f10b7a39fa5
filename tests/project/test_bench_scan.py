"""What the benchmark of the scan counts. No figure is asserted."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bench_scan import Measured, Sample, by_group, markdown, ours, rates, read_corpus, thin
from benchmarks.scan_peers import PEERS, SCRIPTS

ROOT = Path(__file__).resolve().parents[2]


def corpus(folder: Path) -> list[Sample]:
    files = {
        "hostile/gadgets/1/a.pkl": b"cos\ngetcwd\n(tR.",
        "hostile/gadgets/2/b.pkl": b"cos\ngetpid\n(tR.",
        "hostile/files/c.xyz": b"\x00\x01\x02",
        "benign/json/d.json": b'{"a": 1}',
    }
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return read_corpus(folder)


def test_our_own_states_are_found_error_and_clean(tmp_path: Path) -> None:
    samples = corpus(tmp_path)
    states = ours(samples).states
    assert {Path(path).name: state for path, state in states.items()} == {
        "a.pkl": "found",
        "b.pkl": "found",
        "c.xyz": "error",
        "d.json": "clean",
    }


def test_rows_say_found_refused_passed_and_usable() -> None:
    samples = [Sample(str(number), "g", hostile=number < 4) for number in range(6)]
    states = dict(zip("012345", ("found", "error", "clean", "silent", "clean", "found"), strict=True))
    measured = Measured("peer", states, 3.0, 50.0, 20.0)
    row = rates(measured, samples, Measured("base", states, 1.5, 1.0, 1.0))
    assert row["hostile found"] == "1/4 (25.0 %)"
    assert row["hostile refused"] == "2/4 (50.0 %)"
    assert row["hostile passed clean + silent"] == "1 + 1"
    assert row["benign usable"] == "1/2 (50.0 %)"
    assert row["benign flagged"] == "1/2 (50.0 %)"
    assert row["ratio"] == "2.00"
    groups = by_group([(measured, samples)])
    assert groups == [{"group": "hostile g", "peer": "1 (2)/4"}, {"group": "benign g", "peer": "1 (1)/2"}]
    assert markdown(groups).splitlines()[0] == "| group | peer |"


def test_sample_keeps_some_of_every_group_and_always_the_same(tmp_path: Path) -> None:
    samples = corpus(tmp_path)
    few = thin(samples, each=1)
    assert sorted((one.hostile, one.group) for one in few) == [(False, "json"), (True, "files"), (True, "gadgets")]
    assert {one.path for one in few} == {one.path for one in thin(list(reversed(samples)), each=1)}


def test_every_peer_has_its_script_and_an_exact_version() -> None:
    for peer in PEERS:
        assert (ROOT / SCRIPTS.replace(".", "/") / f"{peer.script}.py").is_file()
        assert peer.version[0].isdigit()
