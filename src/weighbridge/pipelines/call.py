"""One call of a step: inputs by name and places for its outputs, whichever engine made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from weighbridge._files import make_directory, read_limited
from weighbridge.errors import ParseError, UsageError
from weighbridge.pipelines.executor import ExecutorInput
from weighbridge.pipelines.spec import Input, Kind, Need, Step

MAX_DOCUMENT_BYTES = 1024 * 1024
"""Largest policy or trust document that is read."""

Value = Path | bytes | str | int | float


@dataclass(frozen=True, slots=True)
class Call:
    """Inputs and outputs. An optional input that was not given and has no default is absent."""

    step: Step
    values: Mapping[str, Value]
    outputs: Mapping[str, Path]

    def path(self, name: str) -> Path:
        """Return an input that is a path; a required one is always there."""
        value = self.values[name]
        assert isinstance(value, Path)  # noqa: S101 - the table of steps says so
        return value

    def optional_path(self, name: str) -> Path | None:
        """Return an input that is a path, or nothing."""
        return self.path(name) if name in self.values else None

    def document(self, name: str) -> bytes:
        """Return the bytes of a document."""
        value = self.values[name]
        assert isinstance(value, bytes)  # noqa: S101 - the table of steps says so
        return value

    def text(self, name: str) -> str:
        """Return a text; empty when it was not given."""
        return str(self.values.get(name, ""))

    def integer(self, name: str) -> int:
        """Return a whole number."""
        return int(self.number(name))

    def number(self, name: str) -> float:
        """Return a number."""
        value = self.values[name]
        assert isinstance(value, (int, float))  # noqa: S101 - the table of steps says so
        return value


def from_plain(step: Step, given: Mapping[str, object], *, out: Path | None) -> Call:
    """Make a call from command-line options, which name plain paths.

    Raises:
        UsageError: When a required input or the place for outputs is missing.
        InputError: When a document cannot be read.
    """
    values: dict[str, Value] = {}
    for each in step.inputs:
        value = given.get(each.name)
        if value is None:
            _absent(step, each, values, option=f"--{each.name.replace('_', '-')}")
        elif each.kind is Kind.DOCUMENT:
            values[each.name] = read_limited(Path(str(value)), limit=MAX_DOCUMENT_BYTES, what=f"the {each.name}")
        else:
            assert isinstance(value, (Path, str, int, float))  # noqa: S101 - click made it
            values[each.name] = value
    if out is None:
        raise UsageError(f"{step.name} has no place for its output", remedy="give --out DIR")
    make_directory(out)
    return Call(step, values, {output.name: out / output.file for output in step.outputs})


def from_executor(step: Step, message: ExecutorInput) -> Call:
    """Make a call from a message of Kubeflow Pipelines.

    Raises:
        ParseError: When an input is of the wrong type, or an output has no place.
        UsageError: When a required input is missing.
    """
    values: dict[str, Value] = {}
    for each in step.inputs:
        if each.kind is Kind.PATH:
            path = message.input_path(each.name)
            if path is None:
                _absent(step, each, values, option=each.name)
            else:
                values[each.name] = path
            continue
        value = message.parameter(each.name)
        # A component cannot leave a parameter out, so an empty text stands for nothing.
        if value is None or value == "":
            _absent(step, each, values, option=each.name)
        else:
            values[each.name] = _typed(each, value)
    outputs = {}
    for output in step.outputs:
        place = message.output_path(output.name)
        if place is None:
            raise ParseError(f"the executor input has no place for the output {output.name}")
        outputs[output.name] = place
    return Call(step, values, outputs)


def _absent(step: Step, each: Input, values: dict[str, Value], *, option: str) -> None:
    if each.need is Need.REQUIRED:
        raise UsageError(f"{step.name} needs {option}: {each.help}", remedy=f"give {option}")
    if each.default is not None:
        values[each.name] = each.default


def _typed(each: Input, value: object) -> Value:
    match each.kind, value:
        case Kind.DOCUMENT, str():
            data = value.encode()
            if len(data) > MAX_DOCUMENT_BYTES:
                raise ParseError(f"{each.name} is larger than {MAX_DOCUMENT_BYTES} bytes")
            return data
        case Kind.TEXT, str():
            return value
        # JSON numbers in a protobuf Struct are doubles.
        case Kind.INTEGER, int() | float() if not isinstance(value, bool) and value == int(value):
            return int(value)
        case Kind.NUMBER, int() | float() if not isinstance(value, bool):
            return float(value)
        case _:
            raise ParseError(f"{each.name} is {type(value).__name__}; expected {each.kind.value}")
