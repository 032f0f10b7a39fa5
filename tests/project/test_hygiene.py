from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Written in pieces, so that this file does not find itself.
REGISTRY_HOSTS = (
    *("py" + "pi.org", "pythonhosted" + ".org", "proxy." + "golang.org", "registry." + "npmjs.org"),
    *("crates" + ".io", "maven" + ".org", "deb." + "debian.org", "snapshot." + "debian.org"),
)
MACHINE_PATHS = ("/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/", "/tm" + "p/bash")
BINARY = re.compile(r"\.(gz|png|woff2|npz|onnx)$")
LARGEST = 2 * 1024 * 1024


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listing.split("\0") if name and (path := ROOT / name).is_file()]


def lines_with(words: tuple[str, ...]) -> list[str]:
    pattern = re.compile("|".join(map(re.escape, words)))
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked()
        if not BINARY.search(path.name)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_tracked_file_names_a_package_registry_host() -> None:
    assert not lines_with(REGISTRY_HOSTS)


def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    assert not lines_with(MACHINE_PATHS)


def test_no_tracked_file_is_large_or_an_attack_binary() -> None:
    assert not [str(path) for path in tracked() if path.stat().st_size > LARGEST]
    loaded = {".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy", ".h5", ".keras", ".so", ".exe"}
    assert not [str(path) for path in tracked() if path.suffix in loaded]


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    sources = [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / "src")]
    assert sources
    assert not [f"{path}: {count}" for path in sources if (count := len(path.read_text().splitlines())) > 400]


def test_no_pattern_has_a_group_that_is_possessive() -> None:
    # Python before 3.11.5 goes on at a wrong place behind one whose repetition failed half-way (gh-106052).
    sources = [path for path in tracked() if path.suffix == ".py" and path.is_relative_to(ROOT / "src")]
    possessive = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sources
        for line in path.read_text(encoding="utf-8").splitlines()
        if possessive.search(line)
    ]
    # This one fails only at the first byte of its group, or at the end of the text.
    assert [line.partition(":")[0] for line in found] == ["src/weighbridge/_json.py"], found
