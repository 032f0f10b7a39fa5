from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import processes
from tests.project.documents import Block, blocks, script

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").rglob("*.md"))]
WITH_BLOCKS = [page for page in PAGES if any(not block.not_run for block in blocks(page.read_text()))]


def run_script(text: str, directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(directory),
        "NO_COLOR": "1",
    }
    return processes.run(["bash", "-c", text], cwd=directory, env=environment)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", WITH_BLOCKS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_the_page_runs_in_order(page: Path, tmp_path: Path) -> None:
    done = run_script(script(blocks(page.read_text()), python=sys.executable), tmp_path)
    assert done.returncode == 0, f"{page.name}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def test_the_readme_has_blocks_that_run() -> None:
    assert ROOT / "README.md" in WITH_BLOCKS


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench", "lock", "clean"])
def test_the_makefile_has_the_target(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_the_page_leads_somewhere(page: Path) -> None:
    text = page.read_text()
    targets = [part.split(")")[0].split("#")[0] for part in text.split("](")[1:]]
    missing = [target for target in targets if target and "://" not in target and not (page.parent / target).exists()]
    assert not missing


def test_a_failing_block_fails_the_page_and_names_its_line(tmp_path: Path) -> None:
    page = "# x\n\n```bash\ntrue\n```\n\n```bash\nfalse\n```\n\n```bash\ntouch later\n```\n"
    done = run_script(script(blocks(page), python=sys.executable), tmp_path)
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == ">>> block at line 7"
    assert not (tmp_path / "later").exists()


def test_blocks_share_one_session_and_one_directory(tmp_path: Path) -> None:
    shell = "```bash\nexport A=1\nmkdir d\ncd d\n```\n"
    page = shell + '```python\nimport os\nassert os.environ["A"] == "1"\nopen("f", "w")\n```\n'
    done = run_script(script(blocks(page), python=sys.executable), tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "d" / "f").exists()


@pytest.mark.parametrize(("shown", "code"), [("one", 0), ("two", 1)])
def test_a_console_block_must_print_what_it_shows(tmp_path: Path, shown: str, code: int) -> None:
    page = f"```console\n$ echo one\n{shown}\n$ true\n```\n"
    assert run_script(script(blocks(page), python=sys.executable), tmp_path).returncode == code


def test_a_block_is_left_out_only_with_a_reason() -> None:
    text = (
        "<!-- not run: it never ends -->\n```bash\nyes\n```\n\n<!-- not run -->\n```bash\ntrue\n```\n```text\nno\n```\n"
    )
    assert blocks(text) == [Block(2, "bash", "yes\n", "it never ends"), Block(7, "bash", "true\n", "")]


def test_every_threat_of_the_readme_names_a_test_that_is_there() -> None:
    rows = re.findall(r"^\|.*\| `([a-z_/0-9]+\.py)(?:::(\w+))?` \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(rows) >= 30
    for file, name in rows:
        text = (ROOT / "tests" / file).read_text()
        assert not name or f"def {name}(" in text, (file, name)
