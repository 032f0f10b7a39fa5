"""One virtual environment for each set of library versions, made by uv outside the checkout and kept."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.environment import cache, find_uv


@dataclass(frozen=True, slots=True)
class Recipe:
    """An environment's name and exact requirements."""

    name: str
    requirements: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it lies: another set of requirements, or another Python, is another folder."""
        text = "\n".join((sys.version.split()[0], *self.requirements))
        return cache() / "fuzz" / f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


_COMMON: Final = ("scikit-learn==1.9.1", "scipy==1.17.1", "joblib==1.6.0")

RECIPES: Final = {
    recipe.name: recipe
    for recipe in (
        Recipe("numpy-1", ("numpy==1.26.4", "pandas==2.3.3", *_COMMON)),
        Recipe("numpy-2", ("numpy==2.4.6", "pandas==3.1.1", "xgboost-cpu==3.2.0", "lightgbm==4.7.0", *_COMMON)),
        Recipe("torch", ("torch==2.15.0", "numpy==2.4.6")),
    )
}
"""What clean pickles are loaded with. The torch wheels need 5 GB."""


def make(recipe: Recipe) -> Path:
    """Make an environment, where it is missing, and return its Python."""
    folder = recipe.folder
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        if folder.exists():
            shutil.rmtree(folder)
        uv = find_uv()
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python), *recipe.requirements]
        subprocess.run(install, check=True)
        ready.touch()
    return python
