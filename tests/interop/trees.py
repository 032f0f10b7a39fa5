"""Trees whose ``dirhash.Hash1`` is known from Go's own code; built here, so that no binary is committed."""

from __future__ import annotations

from pathlib import Path

Tree = dict[str, bytes]

TREES: dict[str, Tree] = {
    "one-file": {"model.bin": b"weights"},
    "empty-file": {"empty": b""},
    "nested": {"a/b/c/d.bin": b"deep", "a/b.bin": b"shallow", "z": b"last"},
    # "a-b" sorts before "a/b" by bytes: a walk that sorts directory by directory gets this wrong.
    "order": {"a/b": b"1", "a-b": b"2", "a.b": b"3", "a0": b"4", "Z": b"5"},
    "hidden": {".hidden": b"counts", ".git/config": b"counts too", "seen": b"yes"},
    "unicode": {"gewölbe/模型.bin": b"1", "ångström": b"composed", "🏋": b"2"},
    "decomposed": {"a\u030angstro\u0308m": b"decomposed"},
    "odd-names": {"two words": b"1", "quote'": b"2", '"': b"3", "*": b"4", "-rf": b"5", "$(x)": b"6", "a:b": b"7"},
    "same-bytes": {"first": b"same", "second": b"same"},
    "names-exchanged": {"second": b"same", "first": b"other"},
    "names-exchanged-back": {"second": b"other", "first": b"same"},
    "larger-than-a-buffer": {"big.bin": bytes(range(256)) * 8192, "small.bin": b"s"},
    "dashes": {"-rf": b"1", "--help": b"2", "-": b"3", "--/-c": b"4"},
    "many": {f"shard-{number:05}.bin": number.to_bytes(4, "big") for number in range(300)},
}
"""Every tree by name: the path of each file and its bytes."""


TWINS: dict[str, Tree] = {
    "case-twins": {"a/b": b"1", "a-b": b"2", "a.b": b"3", "a0": b"4", "A": b"5"},
    "unicode-twins": {
        "gewölbe/模型.bin": b"1",
        "ångström": b"composed",
        "a\u030angstro\u0308m": b"decomposed",
        "🏋": b"2",
    },
}
"""Trees that Go hashes and we refuse: on some systems two of their names are one."""


def build(tree: Tree, directory: Path) -> Path:
    """Write a tree and return its directory."""
    for name, data in tree.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return directory
