"""``make strangers``: write model folders as their tools write them, run one command on each, and print a table.

Each folder gets the one command that somebody without a policy, keys or data would type, and no file is made by hand.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.pickles.environments import Recipe, make
from tests.strangers.expected import EXPECTED, Expected

STATES = {0: "passed", 1: "failed", 2: "undecided"}
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TOKENIZERS_PARALLELISM": "false",
}
RECIPES = (
    (
        "classic",
        Recipe(
            "strangers-classic",
            (
                *("scikit-learn==1.9.1", "joblib==1.6.0", "skops==0.16.0", "xgboost-cpu==3.2.0", "lightgbm==4.7.0"),
                *("catboost==1.2.10", "dill==0.4.1", "mlflow-skinny==3.17.2", "pandas==3.1.1", "gguf==0.19.0"),
                "cloudpickle",
            ),
        ),
    ),
    (
        "torch_and_hub",
        Recipe(
            "strangers-torch",
            ("torch==2.15.0", "numpy==2.4.6", "onnx", "onnxscript", "transformers", "peft", "accelerate"),
        ),
    ),
    ("keras_models", Recipe("strangers-keras", ("tensorflow-cpu==2.21.0",))),
)
"""The programs that write folders, and what each needs; 7 GB together, once."""


def main() -> int:
    """Write what is asked for, judge it, and end with 1 when an answer is wrong."""
    parser = argparse.ArgumentParser(prog="tests.strangers", description=main.__doc__)
    parser.add_argument(
        "--only", action="append", choices=[name for name, _ in RECIPES], help="one program; repeatable"
    )
    parser.add_argument("--folder", type=Path, help="an empty folder to write into and to keep")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="weighbridge-strangers-") as temporary:
        folder = chosen.folder or Path(temporary)
        write(folder, chosen.only or [name for name, _ in RECIPES])
        return show(
            [(one, *judge(folder / one.folder / one.inside)) for one in EXPECTED if (folder / one.folder).exists()]
        )


def write(folder: Path, names: list[str]) -> None:
    """Write the folders of these programs, and what is laid out by hand of theirs."""
    home = Path(__file__).parent / "recipes"
    for name, recipe in RECIPES:
        if name in names:
            run([str(make(recipe)), str(home / f"{name}.py"), str(folder)])
    run([sys.executable, str(home / "sklearn_models.py"), str(folder)])
    if (folder / "hugging-face").exists():
        run([sys.executable, str(home / "by_hand.py"), str(folder)])


def run(command: list[str]) -> None:
    """Run a program quietly; say what it said when it fails."""
    done = subprocess.run(command, env=os.environ | QUIET, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[1]} failed:\n{done.stderr[-3000:]}")


def judge(model: Path) -> tuple[str, str, str, float]:
    """Return what the scan and the starter policy say of a model, the text of both, and the seconds of the second."""
    command = [str(Path(sys.executable).with_name("weighbridge"))]
    scanned = subprocess.run(
        [*command, "scan", str(model), "--format", "json"], capture_output=True, text=True, check=False
    )
    started = time.monotonic()
    whole = subprocess.run([*command, "run", str(model)], capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    text = scanned.stdout + scanned.stderr + whole.stdout + whole.stderr
    return STATES.get(scanned.returncode, "wrong"), STATES.get(whole.returncode, "wrong"), text, seconds


def is_right(one: Expected, scanned: str, overall: str, text: str) -> bool:
    """Tell whether an answer is what it should be, with the word that it should have."""
    return scanned == overall == one.state and (not one.said or one.said in text)


def show(rows: list[tuple[Expected, str, str, str, float]]) -> int:
    """Print the table and the sums."""
    print("| folder | commands | files by hand | seconds | scan | starter policy | right |")
    print("|---|---|---|---|---|---|---|")
    wrong = 0
    for one, scanned, overall, text, seconds in rows:
        right = is_right(one, scanned, overall, text)
        wrong += not right
        word = "yes" if right and not one.later else f"not read yet: {one.later}" if right else "**no**"
        print(f"| {one.folder} | 1 | 0 | {seconds:.1f} | {scanned} | {overall} | {word} |")
    hostile = [row for row in rows if row[0].folder.startswith("hostile-")]
    refused = sum(is_right(one, scanned, overall, text) for one, scanned, overall, text, _ in hostile)
    honest = [row for row in rows if row not in hostile]
    decided = sum(is_right(one, scanned, overall, text) and not one.later for one, scanned, overall, text, _ in honest)
    later = sum(bool(one.later) for one, *_ in honest)
    print(
        f"hostile refused: {refused} of {len(hostile)}; others right: {decided} of {len(honest)}, not read yet: {later}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
