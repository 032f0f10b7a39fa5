"""Names: what a pickle imports, by which opcodes, and what a plain unpickler would import in its place."""

from __future__ import annotations

from typing import Final

from weighbridge.checks.model_scan.pickle.families import remedy_for
from weighbridge.checks.model_scan.pickle.literals import LiteralMachine
from weighbridge.checks.model_scan.pickle.rules.objects import judge_object_state
from weighbridge.checks.model_scan.pickle.stack import StackMachine
from weighbridge.checks.model_scan.pickle.values import Global, Opaque, Shadowed, Value, holds_function

MAX_NAME: Final = 512
"""Longest module or attribute name."""

DANGEROUS: Final = frozenset(
    [
        "__builtin__",
        "builtins",
        "os",
        "posix",
        "nt",
        "subprocess",
        "sys",
        "socket",
        "shutil",
        "runpy",
        "code",
        "ctypes",
        "importlib",
        "pty",
        "pickle",
        "_pickle",
        "marshal",
        "webbrowser",
        "asyncio",
        "multiprocessing",
        "operator",
        "functools",
        "types",
        "cloudpickle",
        "dill",
        "pip",
        "requests",
        "urllib",
    ]
)
"""Modules whose unlisted names are called critical. It changes a word in the report and decides nothing."""

_ANYTHING: Final = ": through it the file could do anything as soon as it is loaded"
_LEAVE: Final = (
    "do not load the file, and do not convert it, which loads it as well; ask whoever made it for safetensors or ONNX, "
    "and find out how this came into it"
)


class NamingMachine(LiteralMachine):
    """The opcodes that import."""

    def named(self, module: str, name: str) -> Value:
        """Return what an import gives; a name that is not listed is reported and gives nothing."""
        rule = self.context.rules.get((module, name))
        made = Global(module, name, rule)
        if rule is None:
            dangerous = module.partition(".")[0] in DANGEROUS or "." in name
            self.context.finding(
                "forbidden-global",
                f"the pickle imports {made.path}, which is not on the allow list{_ANYTHING if dangerous else ''}",
                offset=self.reader.tell(),
                severity="critical" if dangerous else "high",
                about=made.path,
                remedy=remedy_for(module, name) or (_LEAVE if dangerous else ""),
            )
            return Opaque.UNKNOWN
        return made

    def global_line(self) -> None:
        """GLOBAL: two lines."""
        module, name = self.name_line(), self.name_line()
        self.stack.append(self.named(module, name))

    def name_line(self) -> str:
        """Read one name of an import by lines."""
        try:
            return self.reader.line(MAX_NAME).decode("utf-8")
        except UnicodeDecodeError:
            self.refuse("an imported name is not UTF-8")

    def global_stack(self) -> None:
        """STACK_GLOBAL: both names must be literal text."""
        name, module = self.pop(), self.pop()
        if isinstance(name, Shadowed) or isinstance(module, Shadowed):
            self._check_shadows(module, name)
            module, name = (str.__str__(text) if isinstance(text, Shadowed) else text for text in (module, name))
        if type(name) is not str or type(module) is not str:
            self.context.finding(
                "computed-global",
                "the name of an import is not literal text",
                offset=self.reader.tell(),
                severity="critical",
            )
            self.stack.append(Opaque.UNKNOWN)
            return
        self.stack.append(self.named(module, name))

    def _check_shadows(self, module: Value, name: Value) -> None:
        # What a plain unpickler would import instead: a listed global, or else a name that no list knows to exist.
        module = module.other if isinstance(module, Shadowed) else module
        name = name.other if isinstance(name, Shadowed) else name
        listed = {listed_name for _, listed_name in self.context.rules}
        if (module, name) not in self.context.rules and name not in listed:
            self.context.finding(
                "computed-global",
                "a plain unpickler would import another name here than joblib does",
                offset=self.reader.tell(),
                severity="critical",
            )

    def compare(self, place: int, outer: StackMachine) -> None:
        """Refuse a memo place where a plain unpickler, which has one memo for both, would find something to call."""
        other, found = outer.remembered(place), self.stack[-1]
        # A class here is made by NEWOBJ, which a function at its place would only make fail.
        loader = type(other) is Global and other.name == "_load_from_bytes"
        called = type(found) is Global and found.rule is not None and found.rule.call is not None
        made = type(found) is Global and found.rule is not None and found.rule.state is judge_object_state
        if loader or (called and not made and holds_function(other)):
            self.refuse("a plain unpickler would find a function at this memo place", rule="ambiguous-joblib")
        if type(found) is str and type(other) is str:
            shadowed = Shadowed(found)
            shadowed.other = other
            self.stack[-1] = shadowed

    def extension1(self) -> None:
        """EXT1."""
        self._extension(1)

    def extension2(self) -> None:
        """EXT2."""
        self._extension(2)

    def extension4(self) -> None:
        """EXT4."""
        self._extension(4)

    def _extension(self, width: int) -> None:
        # An import by number from a registry that only the loading process knows.
        code = self.reader.number(width)
        self.context.finding(
            "extension-code",
            f"the pickle imports by extension code {code}, whose meaning is not in the file",
            offset=self.reader.tell(),
            severity="critical",
        )
        self.stack.append(Opaque.UNKNOWN)
