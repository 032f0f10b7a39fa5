"""The component compiles to what is beside it, and fetches nothing when it runs."""

import importlib.util
from pathlib import Path

from kfp.compiler import Compiler

HERE = Path(__file__).resolve().parent.parent


def test_compiles_to_what_is_beside_it(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("component_robustness_test", HERE / "component.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    Compiler().compile(module.robustness_test, str(tmp_path / "component.yaml"))
    text = (tmp_path / "component.yaml").read_text(encoding="utf-8")
    assert text == (HERE / "component.yaml").read_text(encoding="utf-8")
    assert "pip install" not in text
