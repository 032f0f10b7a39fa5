"""Let atheris look for bytes that reach new code of one parser. Runs in the environment that has atheris.

``python -m tests.fuzz.parsers.target PARSER [options of libFuzzer] [corpus]``
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["weighbridge.checks.model_scan"]):
    from tests.fuzz.parsers.examine import SECONDS, examine

INSTRUMENTED = 8
"""So many times longer may a scan take here, where every branch is counted on a busy machine."""


def main() -> None:
    """Run until libFuzzer ends; an exception that is not expected ends it with the bytes in a file."""
    parser = sys.argv.pop(1)
    atheris.Setup(sys.argv, lambda data: _examine(parser, data))
    atheris.Fuzz()


def _examine(parser: str, data: bytes) -> None:
    examine(parser, data, seconds=INSTRUMENTED * SECONDS)


if __name__ == "__main__":
    main()
