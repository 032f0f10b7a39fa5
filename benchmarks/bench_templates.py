"""Measure the judgement of chat templates: hostile ones that really work, and a folder of real ones.

``python benchmarks/bench_templates.py [FOLDER]`` renders each hostile template of the tests with plain Jinja and with
its sandbox (they only ask for names and classes), and says how many of them the judgement finds; then it judges every
``*.jinja`` below the folder.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def _rendered(environment: Environment, text: str) -> bool:
    """Tell whether a template gives text, and so reached what it reaches for."""
    messages = [{"role": "user", "content": "hi"}]
    try:
        shown = environment.from_string(text).render(messages=messages, bos_token="__globals__", pad_token="__")
    except Exception:  # a template fails in every way there is
        return False
    return shown.strip() not in ("", "[]", "[Undefined]", "[[Undefined]]")


def main() -> None:
    """Measure and print."""
    from jinja2 import Environment
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from tests.attacks.templates import REACHING

    from weighbridge.checks.model_scan.documents.jinja.parse import EXTENSIONS
    from weighbridge.checks.model_scan.documents.template import judge_template

    plain = Environment(extensions=EXTENSIONS)
    sandbox = ImmutableSandboxedEnvironment(extensions=EXTENSIONS)
    found = sum(bool(judge_template(text).findings) for text in REACHING.values())
    works = sum(_rendered(plain, text) for text in REACHING.values())
    sandboxed = sum(_rendered(sandbox, text) for text in REACHING.values())
    print(
        f"hostile: {len(REACHING)}, work in plain Jinja {works}, print text in its sandbox {sandboxed}, found {found}"
    )
    for folder in sys.argv[1:]:
        paths = sorted(Path(folder).rglob("*.jinja"))
        begun = time.process_time()
        verdicts = {path: judge_template(path.read_text(encoding="utf-8")) for path in paths}
        seconds = time.process_time() - begun
        dirty = [path for path, verdict in verdicts.items() if verdict.findings or verdict.undecided]
        print(f"{folder}: {len(paths)} templates, {len(dirty)} not clean, {seconds:.2f} CPU seconds")
        for path in dirty:
            print(f"  {path}: {verdicts[path]}")


if __name__ == "__main__":
    main()
