from __future__ import annotations

import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools.lock import LOCK, ROOT, STEP_EXTRAS, pins, problems

PROJECT: dict[str, object] = {
    "project": {"name": "p", "dependencies": ["alpha>=2"], "optional-dependencies": {"x": ["beta", "p[y]"], "y": []}},
    "dependency-groups": {"dev": ["gamma==1.0"], "bench": ["never-locked"]},
    "build-system": {"requires": ["builder>=1"]},
}
GOOD = """# made by a resolver
alpha==2.1 \\
    --hash=sha256:aa
    # via p
beta==0.1 ; python_version < '3.12' \\
    --hash=sha256:bb
beta==0.2 ; python_version >= '3.12' \\
    --hash=sha256:bc
builder==1.5 \\
    --hash=sha256:cc
gamma==1.0 \\
    --hash=sha256:dd
"""
MOST_PACKAGES = 14
"""With Jinja and MarkupSafe: the model scan judges chat templates by Jinja's own parser (decision 15)."""


def test_the_lock_answers_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert problems(project, LOCK.read_text()) == []


def test_the_lock_of_the_step_image_has_what_every_command_imports() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [one for one in STEP_EXTRAS if one != "--extra"]
    wanted = [*table["dependencies"], *(line for extra in extras for line in table["optional-dependencies"][extra])]
    pinned = pins((ROOT / "containers/requirements.lock").read_text())
    for requirement in map(Requirement, wanted):
        versions = pinned.get(canonicalize_name(requirement.name), set())
        assert versions, requirement
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_a_good_lock_has_no_problem() -> None:
    assert problems(PROJECT, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("alpha==2.1", "alpha==1.9", "alpha>=2 is locked as 1.9"),
        ("gamma==1.0", "gamma==1.1", "gamma==1.0 is locked as 1.1"),
        ("builder==1.5", "other==1.5", "builder>=1 is not in the lock"),
        ("    --hash=sha256:bb\n", "", "beta==0.1 has no hash"),
    ],
)
def test_a_lock_that_does_not_answer_the_project_is_refused(old: str, new: str, problem: str) -> None:
    assert problems(PROJECT, GOOD.replace(old, new)) == [problem]


def test_the_lock_names_no_place_that_packages_come_from() -> None:
    text = LOCK.read_text()
    assert "://" not in text
    assert "index-url" not in text.replace("--no-emit-index-url", "")


def test_installing_the_core_brings_few_packages() -> None:
    seen: set[str] = set()
    pending = ["weighbridge"]
    while pending:
        name = canonicalize_name(pending.pop())
        if name in seen:
            continue
        seen.add(name)
        needed = [Requirement(line) for line in requires(name) or []]
        pending += [item.name for item in needed if item.marker is None or item.marker.evaluate({"extra": ""})]
    assert len(seen) <= MOST_PACKAGES, sorted(seen)


def test_the_cool_down_is_in_force() -> None:
    project = tomllib.loads(Path(ROOT / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["exclude-newer"] == "P7D"
