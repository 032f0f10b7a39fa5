"""Every place of every command that takes a path, and command lines that are whole but for that one path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tests.builders import PASSPHRASE
from weighbridge.cli import COMMANDS, command

GIVEN: dict[str, str] = {
    "model": "model",
    "policy": "policy.yaml",
    "policies": "policy.yaml",
    "trust": "trust.yaml",
    "verdict": "model.verdict.sigstore.json",
    "evidence": "evidence",
    "keys": "keys",
    "key": "keys/verifier.key",
    "data": "data.npz",
    "members": "data.npz",
    "non_members": "data.npz",
    "requirements": "requirements.txt",
    "files": "pod.yaml",
    "bundle": "advisories.jsonl",
    "sources": "advisories.jsonl",
    "reference": "127.0.0.1:1/x@sha256:" + "0" * 64,
    "target": "pulled",
    "output": "out",
    "built": "2026-11-24",
    "roles": "fresh",
    "role": "scanner",
    "item": "SHA256:" + "A" * 43,
    "key_id": "SHA256:" + "A" * 43,
    "reason": "because",
    "expires": "10d",
    "shell": "bash",
    "run": "run-1",
    "out": "written",
}
"""What a place gets that is not the one under test, by its name in the program."""

SPECIAL: dict[tuple[str, ...], dict[str, str]] = {
    ("push",): {"reference": "127.0.0.1:1/x"},
    ("audit",): {"requirements": "requirements.txt", "key": "keys/auditor.key"},
    ("gate",): {"key": "keys/verifier.key"},
    ("run",): {
        "policy": "policy.yaml",
        "trust": "trust.yaml",
        "keys": "keys",
        "requirements": "requirements.txt",
        "data": "data.npz",
        "members": "data.npz",
        "non_members": "data.npz",
    },
    ("report",): {"model": "model", "policy": "policy.yaml", "trust": "trust.yaml"},
    ("trust", "add"): {"key": "keys/verifier.pub"},
    ("trust", "init"): {"trust": "new.yaml"},
}
"""What single commands get as well, or get otherwise."""

LEFT_OUT = {("demo",): "trains a model", ("completion",): "takes no path"}


@dataclass(frozen=True)
class Place:
    """One option or argument that takes a path."""

    words: tuple[str, ...]
    name: str
    argument: bool
    option: str

    def __str__(self) -> str:
        return f"{'-'.join(self.words)}:{self.option or self.name}"


@dataclass(frozen=True)
class Ending:
    code: int
    out: bytes
    err: bytes


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(command)
    for name in COMMANDS:
        found = command.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from (((name, inner), item) for inner, item in found.commands.items())
        else:
            yield (name,), found


def places() -> list[Place]:
    """Return every place of every command that takes a path."""
    found = []
    for words, item in commands():
        if words in LEFT_OUT:
            continue
        for param in item.params:
            if isinstance(param.type, click.Path):
                option = "" if isinstance(param, click.Argument) else max(param.opts, key=len)
                found.append(Place(words, str(param.name), isinstance(param, click.Argument), option))
    return found


def call(place: Place, path: bytes) -> list[bytes]:
    """Return a command line that is whole, with this path in this place."""
    item = dict(commands())[place.words]
    extra = SPECIAL.get(place.words, {})
    line: list[bytes] = [word.encode() for word in place.words]
    arguments: list[bytes] = []
    for param in item.params:
        name = str(param.name)
        given: bytes | None = None
        if name == place.name:
            given = path
        elif param.required or name in extra:
            given = extra.get(name, GIVEN.get(name, "x")).encode()
        elif place.words[0] == "step" and name in GIVEN:
            given = GIVEN[name].encode()
        if given is None:
            continue
        if isinstance(param, click.Argument):
            arguments.append(given)
        else:
            line += [max(param.opts, key=len).encode(), given]
    return [*line, b"--", *arguments] if arguments else line


def run_all(lines: Sequence[list[bytes]], *, directory: Path, **environment: str) -> list[Ending]:
    """Run command lines one after the other, each as a process."""
    variables = {"PATH": os.environ["PATH"], "HOME": str(directory), "LANG": "C.UTF-8"}
    variables |= {"WEIGHBRIDGE_PASSPHRASE": PASSPHRASE.decode(), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.zygote"],
        input=json.dumps([[item.hex() for item in line] for line in lines]).encode(),
        cwd=directory,
        env=variables | environment,
        capture_output=True,
        check=True,
    )
    return [
        Ending(each["code"], bytes.fromhex(each["out"]), bytes.fromhex(each["err"])) for each in json.loads(done.stdout)
    ]
