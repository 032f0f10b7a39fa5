"""Write what is generated of the components: ``python -m tools.components`` writes component.py, YAML and README.

Each directory under ``components/`` stands alone in the shape of the community catalogue: a thin ``component.py`` that
needs kfp and nothing of ours. The table of steps is their one source.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from weighbridge.pipelines.spec import STEPS, Input, Kind, Need, Output, Step

ROOT = Path(__file__).resolve().parent.parent / "components"
IMAGE = "registry.invalid/weighbridge/step@sha256:" + "0" * 64
"""Stands for the digest of your copy of the step image, which each installation sets; no engine can pull this."""

_TYPES = {Kind.DOCUMENT: "str", Kind.TEXT: "str", Kind.INTEGER: "int", Kind.NUMBER: "float"}
_ARTIFACTS = {"model": "dsl.Model", "verified": "dsl.Model", "report": "dsl.Markdown"} | dict.fromkeys(
    ("data", "members", "non_members"), "dsl.Dataset"
)
_NOTHING: dict[Kind, str | int | float] = {Kind.DOCUMENT: "", Kind.TEXT: "", Kind.INTEGER: 0, Kind.NUMBER: 0.0}


TEST = '''"""The component compiles to what is beside it, and fetches nothing when it runs."""

import importlib.util
from pathlib import Path

from kfp.compiler import Compiler

HERE = Path(__file__).resolve().parent.parent


def test_compiles_to_what_is_beside_it(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("component_NAME", HERE / "component.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    Compiler().compile(module.NAME, str(tmp_path / "component.yaml"))
    text = (tmp_path / "component.yaml").read_text(encoding="utf-8")
    assert text == (HERE / "component.yaml").read_text(encoding="utf-8")
    assert "pip install" not in text
'''
"""The test that each component carries."""


def source(step: Step) -> str:
    """Return the text of ``component.py``."""
    ordered = sorted(step.inputs, key=lambda each: each.need is Need.OPTIONAL)
    lines = [
        f'"""{step.help}"""',
        "",
        "from kfp import dsl",
        "",
        f'IMAGE = "{IMAGE}"',
        '"""Set the digest of your copy of the step image."""',
        "",
        "",
        "@dsl.container_component",
        f"def {step.name.replace('-', '_')}(",
        *(f"    {output.name}: dsl.Output[{_ARTIFACTS.get(output.name, 'dsl.Artifact')}]," for output in step.outputs),
        *(f"    {_argument(each)}," for each in ordered),
        ") -> dsl.ContainerSpec:",
        f'    """{step.help}',
        "",
        "    Args:",
        *(f"        {each.name}: {each.help}" for each in step.outputs),
        *(f"        {each.name}: {each.help}" for each in step.inputs),
        '    """',
        "    return dsl.ContainerSpec(",
        "        image=IMAGE,",
        f'        command=["/usr/local/bin/weighbridge", "step", "{step.name}"],',
        '        args=["--executor-input", "{{$}}"],',
        "    )",
        "",
    ]
    return "\n".join(lines)


def _argument(each: Input) -> str:
    if each.kind is Kind.PATH:
        default = "" if each.need is Need.REQUIRED else " = None"
        return f"{each.name}: dsl.Input[{_ARTIFACTS.get(each.name, 'dsl.Artifact')}]{default}"
    if each.need is Need.REQUIRED:
        return f"{each.name}: {_TYPES[each.kind]}"
    value = _NOTHING[each.kind] if each.default is None else each.default
    written = f'"{value}"' if isinstance(value, str) else str(value)
    return f"{each.name}: {_TYPES[each.kind]} = {written}"


def readme(step: Step) -> str:
    """Return the text of ``README.md``."""
    stops = step.name in ("gate", "verify-model")
    says = (
        "Stops the pipeline, and writes no model, unless everything holds."
        if stops
        else "Never stops a pipeline because of what it finds: it fails only when it could write nothing."
    )
    return "\n".join(
        [
            f"# {step.name}",
            "",
            step.help,
            "",
            f"{says} Runs as user 65532 without network, capabilities or a writable root; caching has to be off.",
            "`weighbridge.kfp.secure` wires it with the others; set `IMAGE` to the digest of your step image first.",
            "",
            "| input | type | needed | what it is |",
            "|---|---|---|---|",
            *(_row(each) for each in step.inputs),
            "",
            "| output | type | what it is |",
            "|---|---|---|",
            *(_output_row(each) for each in step.outputs),
            "",
        ]
    )


def _row(each: Input) -> str:
    kind = _ARTIFACTS.get(each.name, "dsl.Artifact") if each.kind is Kind.PATH else _TYPES[each.kind]
    return f"| `{each.name}` | `{kind}` | {'yes' if each.need is Need.REQUIRED else 'no'} | {each.help} |"


def _output_row(output: Output) -> str:
    return f"| `{output.name}` | `{_ARTIFACTS.get(output.name, 'dsl.Artifact')}` | {output.help} |"


def load(path: Path) -> ModuleType:
    """Import a ``component.py`` by its path."""
    spec = importlib.util.spec_from_file_location(f"component_{path.parent.name.replace('-', '_')}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compiled(name: str, path: Path) -> str:
    """Return ``component.yaml`` of a ``component.py``."""
    from kfp.compiler import Compiler  # noqa: PLC0415 - slow to import

    with tempfile.TemporaryDirectory() as place:
        target = Path(place, "component.yaml")
        Compiler().compile(getattr(load(path), name.replace("-", "_")), str(target))
        return target.read_text(encoding="utf-8")


def files(name: str) -> dict[str, str]:
    """Return what is generated from the table alone, by file name."""
    return {
        "component.py": source(STEPS[name]),
        "README.md": readme(STEPS[name]),
        "tests/test_component.py": TEST.replace("NAME", name.replace("-", "_")),
    }


def main() -> int:
    """Write everything."""
    for name in STEPS:
        place = ROOT / name
        place.mkdir(parents=True, exist_ok=True)
        for file, text in files(name).items():
            (place / file).parent.mkdir(exist_ok=True)
            (place / file).write_text(text, encoding="utf-8")
        (place / "component.yaml").write_text(compiled(name, place / "component.py"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
