"""Every attack on the model scan that is built here, by category. Payloads would only print a word."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile file: its category, a name for the test, its file name and its bytes."""

    category: str
    name: str
    filename: str
    content: bytes

    def __str__(self) -> str:
        return f"{self.category}-{self.name}"


def all_cases() -> list[Case]:
    """Return every case."""
    from tests.attacks import (
        documents,
        model_containers,
        model_files,
        model_fuzzed,
        model_pickles,
        model_places,
        model_readings,
        model_typed,
        templates,
    )

    files = (
        model_pickles,
        model_typed,
        model_places,
        model_readings,
        model_fuzzed,
        model_containers,
        model_files,
        documents,
        templates,
    )
    return [case for module in files for case in module.cases()]
