"""Tell the story: run the real commands on four models and check that each ends as it must."""

from __future__ import annotations

import os
import pickle
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weighbridge.demo import training
from weighbridge.errors import OutputError

ROLES: Final = ("scanner", "auditor", "tester", "verifier")
"""Roles that have a key each."""

WIDTH: Final = 100
"""Columns that a shown command takes before it is broken."""

Command = Callable[[list[str]], int]
"""Runs one command line of weighbridge and returns its exit code."""

Say = Callable[[str], None]
"""Prints one line."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one part of the story ended, and how it had to."""

    title: str
    commands: tuple[tuple[str, int, int], ...]

    @property
    def as_expected(self) -> bool:
        """Tell whether every command exited as it had to."""
        return all(code == expected for _, code, expected in self.commands)


class Story:
    """The demo in one directory; every step runs a real command and shows it."""

    def __init__(self, directory: Path, *, command: Command, say: Say) -> None:
        self._directory = directory
        self._command = command
        self._say = say
        self._shown: list[tuple[str, int, int]] = []

    def tell(self) -> tuple[Ending, ...]:
        """Run all four parts and return their endings."""
        self._prepare()
        return (self._good(), self._changed_byte(), self._forbidden_pickle(), self._other_model())

    def _prepare(self) -> None:
        self._say(f"Everything below happens in {self._directory}, and can be repeated there.")
        self._say("Training a classifier of handwritten digits (scikit-learn, 898 pictures) ...")
        split = training.load_split()
        model = training.train(split)
        self._say(f"  accuracy on {len(split.test_y)} unseen pictures: {model.score(split.test_x, split.test_y):.3f}")
        training.export(model, self._directory / "good" / "model")
        training.write_examples(split, self._directory / "data")
        (self._directory / "requirements.txt").write_text(training.pinned_requirements())
        self._run("keys", "new", *ROLES, "-o", "keys", "--passphrases", "passphrases")
        self._run("trust", "init", "trust.yaml", "--keys", "keys", "--name", "demo")
        self._chapter(
            "0. What must hold, and on what",
            "Whoever is judged must not choose his own test: the policy names its inputs by digest.",
        )
        self._run(
            *("policy", "new", "policy.yaml", "--name", "demo", "-r", "requirements.txt"),
            *("--test", "data/test.npz", "--members", "data/members.npz", "--non-members", "data/non-members.npz"),
            *("--accept-old-advisories", "the demo audits against the snapshot of 2026-07-23 that is shipped"),
            *("--owner", "whoever runs the demo"),
        )
        # From here on a verdict by any other policy does not count, whatever that policy is called.
        self._run("trust", "policy", "trust.yaml", "policy.yaml")
        self._finish("preparation")

    def _good(self) -> Ending:
        self._chapter(
            "1. The good model passes",
            "Four checks run side by side, each without keys or network; then the gate applies policy.yaml.",
        )
        self._run(
            *("run", "good/model", "--policy", "policy.yaml", "--trust", "trust.yaml", "--keys", "keys"),
            *self._passphrase,
            *("-r", "requirements.txt", "--data", "data/test.npz"),
            *("--members", "data/members.npz", "--non-members", "data/non-members.npz"),
            *("--report", "report.html"),
        )
        self._verify("good/model", "good/model.verdict.sigstore.json")
        return self._finish("the good model passes")

    def _changed_byte(self) -> Ending:
        self._chapter(
            "2. One byte of the weights is changed after the verdict",
            "The verdict is still there and still signed, but it is about other bytes.",
        )
        model = self._copy("changed")
        weights = model / "digits.onnx"
        content = bytearray(weights.read_bytes())
        content[len(content) // 2] ^= 1
        weights.write_bytes(content)
        self._verify("changed/model", "good/model.verdict.sigstore.json", "--evidence", "good/evidence", expected=1)
        return self._finish("one changed byte is refused")

    def _forbidden_pickle(self) -> Ending:
        self._chapter(
            "3. A pickle that would run a command when it is loaded",
            "Nothing loads it: the scan walks its opcodes and finds what it would import.",
        )
        model = self._copy("forbidden")
        (model / "digits.pkl").write_bytes(pickle.dumps(_Payload(), protocol=4))
        self._run("scan", "forbidden/model", "--key", "keys/scanner.key", *self._passphrase, expected=1)
        self._gate("forbidden/model", "forbidden/evidence", expected=1)
        return self._finish("a pickle with a payload is refused by the scan")

    def _other_model(self) -> Ending:
        self._chapter(
            "4. Evidence of the good model is put beside another one",
            "Every signature holds, and none of it is about this model.",
        )
        split = training.load_split(seed=1)
        training.export(training.train(split, seed=1), self._directory / "other" / "model")
        shutil.copytree(self._directory / "good" / "evidence", self._directory / "other" / "evidence")
        self._gate("other/model", "other/evidence", expected=2)
        self._verify("other/model", "good/model.verdict.sigstore.json", expected=1)
        return self._finish("evidence of another model is refused")

    def _gate(self, model: str, evidence: str, *, expected: int) -> None:
        self._run(
            *("gate", model, "--policy", "policy.yaml", "--trust", "trust.yaml", "--evidence", evidence),
            *("--key", "keys/verifier.key"),
            *self._passphrase,
            expected=expected,
        )

    def _verify(self, model: str, verdict: str, *more: str, expected: int = 0) -> None:
        self._run("verify", model, "--verdict", verdict, "--trust", "trust.yaml", *more, expected=expected)

    def _copy(self, name: str) -> Path:
        return Path(shutil.copytree(self._directory / "good" / "model", self._directory / name / "model"))

    @property
    def _passphrase(self) -> tuple[str, str]:
        return ("--passphrase-file", "passphrases")

    def _chapter(self, title: str, shown: str) -> None:
        for line in ("", title, "-" * len(title), shown, ""):
            self._say(line)

    def _run(self, *arguments: str, expected: int = 0) -> None:
        self._say(written_out(arguments))
        before = Path.cwd()
        os.chdir(self._directory)
        try:
            code = self._command(list(arguments))
        finally:
            os.chdir(before)
        self._shown.append((arguments[0], code, expected))
        if code != expected:
            self._say(f"  exit code {code}; expected {expected}")

    def _finish(self, title: str) -> Ending:
        ending = Ending(title, tuple(self._shown))
        self._shown = []
        if title == "preparation" and not ending.as_expected:
            raise OutputError("the demo could not be prepared", remedy="see what the last command says")
        if title != "preparation":
            self._say("")
            self._say(f"So {title}." if ending.as_expected else f"NOT AS EXPECTED: {title}")
        return ending


def written_out(arguments: tuple[str, ...]) -> str:
    """Return a command line as a person would type it, broken before options where it is long."""
    line = f"$ weighbridge {shlex.join(arguments)}"
    if len(line) <= WIDTH:
        return line
    lines = ["$ weighbridge"]
    for argument in arguments:
        word = shlex.quote(argument)
        if argument.startswith("-") and len(lines[-1]) + len(word) > WIDTH - 24:
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}"
    return " \\\n".join(lines)


class _Payload:
    """Pickles as a call of ``os.system``; the command does nothing, and nobody ever loads the pickle."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("true",)
